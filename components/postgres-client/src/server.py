"""Where the server is and what password it gets: what the caller said, else what the environment says, in the order of libpq."""

import os
import re
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from errors import UNABLE_TO_CONNECT, UNSUPPORTED, ClientError
from wit_world.exports.client import Settings, SslMode

_WITHOUT_TLS = (SslMode.DISABLE, SslMode.ALLOW, SslMode.PREFER)
_LINE = re.compile(":".join([r"((?:[^:\\]|\\.)*+)"] * 5))
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Everything that a connection needs to know."""

    host: str
    port: int
    user: str
    database: str
    password: str | None
    application_name: str | None

    @property
    def socket_path(self) -> str | None:
        """The Unix socket, where the host is the folder of one, as for libpq."""
        return f"{self.host}/.s.PGSQL.{self.port}" if self.host.startswith("/") else None

    def connect(self) -> socket.socket:
        """An open TCP connection; raises OSError. An address is not looked up as a name: that would need a right of its own."""
        try:
            family = socket.AF_INET6 if ip_address(self.host).version == 6 else socket.AF_INET
        except ValueError:
            return socket.create_connection((self.host, self.port))
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.connect((self.host, self.port))
        except BaseException:
            connection.close()
            raise
        return connection


def server_of(settings: Settings) -> Server:
    """The server that `settings` mean.

    Raises:
        ClientError: They ask for TLS, or a text has a character that no such text may have.
    """
    if settings.ssl not in _WITHOUT_TLS:
        mode = settings.ssl.name.lower().replace("_", "-")
        raise ClientError(UNSUPPORTED, f"sslmode {mode}: there is no TLS in this client", hint="connect through something that has TLS")
    host, port = _environment()
    host, port = settings.host or host, settings.port or port
    database = settings.database or settings.user
    texts = (host, settings.user, database, settings.application_name or "")
    if any("\0" in text for text in texts):
        raise ClientError(UNABLE_TO_CONNECT, "a NUL character in the settings")
    password = settings.password or os.environ.get("PGPASSWORD") or _from_file((host, str(port), database, settings.user))
    return Server(
        host=host, port=port, user=settings.user, database=database, password=password, application_name=settings.application_name
    )


def _environment() -> tuple[str, int]:
    """Host and port of `DATABASE_URL`; of nothing else in it use is made."""
    url = os.environ.get("DATABASE_URL", "")
    try:
        parts = urlsplit(url)
        return parts.hostname or "localhost", parts.port or 5432
    except ValueError:
        raise ClientError(UNABLE_TO_CONNECT, "the variable DATABASE_URL holds no URL") from None


def _from_file(wanted: tuple[str, str, str, str]) -> str | None:
    """The password of the first line that fits (PostgreSQL's manual, 32.16); None where there is no such line or file."""
    name = os.environ.get("PGPASSFILE") or os.path.expanduser("~/.pgpass")  # noqa: PTH111 (a home that is not known is no error)
    try:
        with open(name, encoding="utf-8", errors="replace") as file:
            lines = (_LINE.match(line.rstrip("\r\n")) for line in file if not line.startswith("#"))
            entries = ([_ESCAPED.sub(r"\1", field) for field in found.groups()] for found in lines if found)
            return next((password for *place, password in entries if _fits(place, wanted)), None)
    except OSError:
        return None


def _fits(place: list[str], wanted: tuple[str, ...]) -> bool:
    return all(field in ("*", one) for field, one in zip(place, wanted, strict=True))
