"""One HTTP/1.1 GET over a socket of its own: h11 speaks the protocol, this module moves the bytes and keeps the bounds.

There are no time-outs here: the host's deadline ends a call, whatever the vendor does.
"""

import socket
from dataclasses import dataclass
from ipaddress import ip_address

import h11
from address import Address
from errors import BadReply, Unavailable

MAX_BODY = 8 * 1024 * 1024
"""The longest body that is read, in bytes."""

_MAX_HEAD = 64 * 1024
_MAX_INFORMATIONAL = 16
_CHUNK = 64 * 1024
_PROTOCOL = b"HTTP/1."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back; `body` is empty unless the status is 200."""

    status: int
    location: str | None
    body: bytes


def get(address: Address, headers: list[tuple[str, str]]) -> Reply:
    """What `address` answers to a GET with `headers` besides those of the connection itself.

    Raises:
        Unavailable: The connection could not be made, or broke before the reply was whole. A refusal by the host
            (`PermissionError`) looks the same from in here; the host itself knows better and says so.
        BadReply: What came is not HTTP/1.1, or passes a bound.
    """
    try:
        with _connected(address) as connection:
            return _Exchange(connection, address).run(headers)
    except (OSError, UnicodeError) as error:
        # UnicodeError: a name that IDNA cannot encode, such as a label of more than 63 characters.
        raise Unavailable(f"{address.authority}: {_reason(error)}") from error


def _connected(address: Address) -> socket.socket:
    """An open connection; raises OSError. An address is not looked up as a name: that would need a right of its own."""
    try:
        family = socket.AF_INET6 if ip_address(address.host).version == 6 else socket.AF_INET
    except ValueError:
        return socket.create_connection((address.host, address.port))
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.connect((address.host, address.port))
    except BaseException:
        connection.close()
        raise
    return connection


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "not a host name"


class _Exchange:
    """One request and its reply on an open connection."""

    def __init__(self, connection: socket.socket, address: Address) -> None:
        self._connection = connection
        self._address = address
        self._protocol = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
        self._ended = False
        self._head_seen = False

    def run(self, headers: list[tuple[str, str]]) -> Reply:
        """Sends the request and reads as much of the reply as its status calls for."""
        self._send(headers)
        head = self._head()
        body = self._body() if head.status_code == 200 else b""
        return Reply(status=head.status_code, location=self._location(head), body=body)

    def _send(self, headers: list[tuple[str, str]]) -> None:
        always = [("Host", self._address.authority), ("Connection", "close"), ("Accept-Encoding", "identity")]
        try:
            request = h11.Request(method="GET", target=self._address.target, headers=always + headers)
        except h11.LocalProtocolError:
            # h11's message quotes the header, and that may be the token.
            raise Unavailable("the request cannot be sent: a header holds characters that HTTP does not allow") from None
        self._connection.sendall((self._protocol.send(request) or b"") + (self._protocol.send(h11.EndOfMessage()) or b""))

    def _head(self) -> h11.Response:
        """The final response's head, past informational ones."""
        for _ in range(_MAX_INFORMATIONAL):
            event = self._next()
            if isinstance(event, h11.Response):
                self._head_seen = True
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise BadReply(f"{self._address.authority}: not an HTTP/1.1 reply")
        raise BadReply(f"{self._address.authority}: more than {_MAX_INFORMATIONAL} informational replies")

    def _body(self) -> bytes:
        body = bytearray()
        while not isinstance(event := self._next(), h11.EndOfMessage):
            if not isinstance(event, h11.Data):
                raise BadReply(f"{self._address.authority}: not an HTTP/1.1 reply")
            body += event.data
            if len(body) > MAX_BODY:
                raise BadReply(f"{self._address.authority}: a body of more than {MAX_BODY} bytes")
        return bytes(body)

    def _next(self) -> object:
        """The protocol's next event; reads from the connection as long as one is incomplete."""
        while True:
            try:
                event = self._protocol.next_event()
            except (h11.RemoteProtocolError, ValueError):
                # ValueError: a Content-Length of thousands of digits. What h11 says may quote the reply: it is not repeated.
                raise self._broken() from None
            if event is not h11.NEED_DATA:
                return event
            received = self._connection.recv(_CHUNK)
            self._ended = not received
            self._protocol.receive_data(received)

    def _broken(self) -> BadReply | Unavailable:
        """A reply that ends too soon is a broken connection, unless what came before was not HTTP at all."""
        rest, _ = self._protocol.trailing_data
        begun_well = self._head_seen or _PROTOCOL.startswith(rest[: len(_PROTOCOL)])
        if self._ended and begun_well:
            return Unavailable(f"{self._address.authority}: the connection ended before the reply was whole")
        return BadReply(f"{self._address.authority}: not an HTTP/1.1 reply")

    def _location(self, head: h11.Response) -> str | None:
        locations = [value for name, value in head.headers if name == b"location"]
        if len(locations) > 1:
            raise BadReply(f"{self._address.authority}: more than one Location")
        try:
            return locations[0].decode("ascii") if locations else None
        except UnicodeDecodeError as error:
            raise BadReply(f"{self._address.authority}: a Location that is not ASCII") from error
