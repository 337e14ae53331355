"""URLs: what the vendor's address is, where a redirect leads, and whether that is still the same origin."""

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

_DEFAULT_PORT = 80
_MAX_LENGTH = 4096
# RFC 3986: printable ASCII. urlsplit would silently drop tabs and line ends, so they are refused before.
_PRINTABLE = re.compile(r"[!-~]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HOST = re.compile(r"[A-Za-z0-9._~-]+|[0-9A-Fa-f:.]+")


class AddressError(ValueError):
    """A URL this client does not follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An absolute `http` URL, taken apart."""

    host: str
    """A name or an IP address in lower case, IPv6 without brackets."""
    port: int
    target: str
    """Path and query, as they stand in a request line (RFC 9112, 3.2.1)."""

    @property
    def origin(self) -> tuple[str, int]:
        """What RFC 6454 calls the origin, less the scheme, which is always `http`."""
        return self.host, self.port

    @property
    def authority(self) -> str:
        """The value of the `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORT else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole URL again."""
        return f"http://{self.authority}{self.target}"


def parse(url: str) -> Address:
    """The address `url` names; a fragment is dropped.

    Raises:
        AddressError: Where it is not an absolute `http` URL, or carries a user name or password.
    """
    if len(url) > _MAX_LENGTH or not _PRINTABLE.fullmatch(url):
        raise AddressError(f"not a URL of up to {_MAX_LENGTH} printable ASCII characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise AddressError("not a well-formed URL") from error
    if parts.scheme == "https":
        raise AddressError("https is not supported: this client has no TLS")
    if parts.scheme != "http":
        raise AddressError("not an http URL")
    if "@" in parts.netloc:
        raise AddressError("a URL with a user name or password is refused")
    if not host or not _HOST.fullmatch(host) or port == 0:
        raise AddressError("a URL without a usable host and port")
    path = parts.path or "/"
    target = f"{path}?{parts.query}" if parts.query else path
    return Address(host=host, port=port or _DEFAULT_PORT, target=target)


def redirected(current: Address, location: str) -> Address:
    """Where `location`, absolute or relative, leads from `current` (RFC 9110, 10.2.2).

    Raises:
        AddressError: As `parse` does.
    """
    if len(location) > _MAX_LENGTH or not _PRINTABLE.fullmatch(location):
        raise AddressError(f"not a URL of up to {_MAX_LENGTH} printable ASCII characters")
    # With a scheme it is absolute (RFC 3986, 5.2.2). urljoin would take `http:///path` and `http:path` for relative.
    try:
        joined = location if _SCHEME.match(location) else urljoin(current.url, location)
    except ValueError as error:
        raise AddressError("not a well-formed URL") from error
    return parse(joined)
