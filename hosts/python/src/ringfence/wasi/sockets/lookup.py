"""wasi:sockets/ip-name-lookup: names to addresses.

Source: wasi:sockets@0.2.12 (ip-name-lookup). The system's resolver cannot be interrupted, so it runs in threads that are abandoned at the
deadline: one per name and node however many ask, and a bounded number in all. What it answers is remembered by the instance as what that
name may lead to. Of the answers, only those that the grants let the guest reach are handed out; where there is none, all are, so that
the connection is refused with its reason rather than the name being unknown.
"""

from __future__ import annotations

import socket
import threading
from ipaddress import IPv6Address, ip_address

from ringfence.call import Call, Waker
from ringfence.contract.grants import hosts
from ringfence.contract.grants.dns import Lookup
from ringfence.contract.grants.endpoints import reaches
from ringfence.contract.grants.hosts import Address
from ringfence.contract.values import Case, WitError
from ringfence.gate import Permit, Refused, permit
from ringfence.wasi.io import Interest, Pollable
from ringfence.wasi.sockets.addresses import ip_to_wit
from ringfence.wasi.sockets.network import Network
from ringfence.wasi.state import Held, WasiState
from ringfence.wasi.tables import Table, expect, methods

_THREADS = 32
_PER_NODE = 8
_ANSWERS = 64
_LONGEST = 1024

_CODES = {
    socket.EAI_NONAME: "name-unresolvable",
    getattr(socket, "EAI_NODATA", socket.EAI_NONAME): "name-unresolvable",
    getattr(socket, "EAI_ADDRFAMILY", socket.EAI_NONAME): "name-unresolvable",
    socket.EAI_AGAIN: "temporary-resolver-failure",
    socket.EAI_MEMORY: "out-of-memory",
}


class Answer:
    """The addresses of a name or an error, once they are there.

    However many wait for it, they share one waker, which goes with the last of them: a guest may hold a thousand streams.
    """

    def __init__(self, found: tuple[Address, ...] | WitError | None = None) -> None:
        self.found = found
        self._waker: Waker | None = None
        self._waiting = 0
        self._guard = threading.Lock()

    def arrive(self, found: tuple[Address, ...] | WitError) -> None:
        """It is there."""
        with self._guard:
            self.found = found
            if self._waker is not None:
                self._waker.poke()

    def await_it(self) -> socket.socket:
        """What becomes readable when it is there; `forget` it, once for each time."""
        with self._guard:
            if self._waker is None:
                self._waker = Waker()
                if self.found is not None:
                    self._waker.poke()
            self._waiting += 1
            return self._waker.near

    def forget(self) -> None:
        """One that waited does so no more."""
        with self._guard:
            self._waiting -= 1
            if not self._waiting and self._waker is not None:
                self._waker.close()
                self._waker = None


class Resolver:
    """Look-ups under way, by node and name."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, str], Answer] = {}
        self._guard = threading.Lock()

    def ask(self, permit: Permit) -> Answer:
        """The answer to a permitted look-up, once it comes.

        Raises:
            WitError: too many are under way.
        """
        request, node = permit.request, permit.call.node
        if not isinstance(request, Lookup):
            raise TypeError("a permit for something else")
        key = (node, request.name)
        with self._guard:
            if key in self._running:
                return self._running[key]
            of_node = sum(1 for other, _ in self._running if other == node)
            if len(self._running) >= _THREADS or of_node >= _PER_NODE:
                raise WitError("temporary-resolver-failure")
            answer = self._running[key] = Answer()
        try:
            threading.Thread(target=self._look_up, args=(key, answer), name="ringfence-resolver", daemon=True).start()
        except RuntimeError as error:  # the system has no thread left
            self._finish(key, answer, WitError("temporary-resolver-failure"))
            raise WitError("temporary-resolver-failure") from error
        return answer

    def _look_up(self, key: tuple[str, str], answer: Answer) -> None:
        try:
            found: tuple[Address, ...] | WitError = _addresses(key[1])
        except (OSError, UnicodeError) as error:
            found = WitError(_code(error))
        self._finish(key, answer, found)

    def _finish(self, key: tuple[str, str], answer: Answer, found: tuple[Address, ...] | WitError) -> None:
        with self._guard:
            del self._running[key]
        answer.arrive(found)


_RESOLVER = Resolver()


def _addresses(name: str) -> tuple[Address, ...]:
    """What the system says, in its order, each once, IPv4-mapped ones as IPv4."""
    answers = socket.getaddrinfo(name.encode("ascii"), None, type=socket.SOCK_STREAM)
    found = [_unmapped(ip_address(str(native[0]).partition("%")[0])) for *_, native in answers]
    return tuple(dict.fromkeys(found))[:_ANSWERS]


def _code(error: Exception) -> str:
    number = error.errno if isinstance(error, socket.gaierror) else None
    return _CODES.get(number or 0, "permanent-resolver-failure")


def _unmapped(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


class AddressStream(Held):
    """wasi:sockets/ip-name-lookup.resolve-address-stream."""

    def __init__(self, state: WasiState, name: str, answer: Answer) -> None:
        super().__init__(state)
        self._name, self._answer = name, answer
        self._left: list[Address] | None = None
        self._news: socket.socket | None = None

    def resolve_next_address(self, _: Call) -> Case | None:
        found = self._answer.found
        if found is None:
            raise WitError("would-block")
        if isinstance(found, WitError):
            raise WitError(found.value)
        if self._left is None:
            self._left = self._take(found)
        return ip_to_wit(self._left.pop(0)) if self._left else None

    def _take(self, addresses: tuple[Address, ...]) -> list[Address]:
        if not self._name:
            return list(addresses)
        self.state.names.remember(self._name, addresses)
        grants = (*self.state.policy.of("tcp"), *self.state.policy.of("udp"))
        return [one for one in addresses if reaches(grants, one, self._name)] or list(addresses)

    def subscribe(self, _: Call) -> Pollable:
        return Pollable(self.state, self)

    def ready(self) -> bool:
        return self.closed or self._answer.found is not None

    def interest(self) -> Interest:
        if self._news is None:
            self._news = self._answer.await_it()
        return Interest(readers=(self._news,))

    def release(self) -> None:
        if self._news is not None:
            self._answer.forget()


def resolve_addresses(call: Call, network: Network, name: str) -> AddressStream:
    """A stream of the name's addresses. An address as text is returned as it is: that asks nobody anything."""
    expect(network, Network)
    canonical = _canonical(name)
    if literal := _literal(canonical):
        return AddressStream(call.state, "", Answer((literal,)))
    if not hosts.is_name(canonical):
        raise WitError("invalid-argument")
    try:
        allowed = permit(call, Lookup(canonical))
    except Refused as refused:
        raise WitError("access-denied") from refused
    remembered = call.state.names.get(canonical)
    return AddressStream(call.state, canonical, Answer(remembered) if remembered else _RESOLVER.ask(allowed))


def _canonical(name: str) -> str:
    """The name in ASCII and lower case, without a dot at its end."""
    if len(name) > _LONGEST:
        raise WitError("invalid-argument")
    try:
        text = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        raise WitError("invalid-argument") from None
    return text.lower().removesuffix(".")


def _literal(text: str) -> Address | None:
    """The address that a text denotes, old spellings included, or None where it is none.

    An IPv4-mapped one is invalid here as everywhere: this function never returns such addresses, and what it denotes is to be written.
    """
    try:
        address = ip_address(text[1:-1] if text.startswith("[") and text.endswith("]") and ":" in text else text)
    except ValueError:
        return hosts.legacy_address(text)
    if "%" in text or _unmapped(address) != address:
        raise WitError("invalid-argument")
    return address


FUNCTIONS: dict[str, Table] = {
    "wasi:sockets/ip-name-lookup": {
        "resolve-addresses": resolve_addresses,
        **methods("resolve-address-stream", AddressStream, ["resolve-next-address", "subscribe"]),
    },
}
