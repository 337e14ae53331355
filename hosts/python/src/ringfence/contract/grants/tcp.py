"""`tcp`: connections to hosts, `"db.internal:5432"`, `"*.vendor.example:443"`, `"10.0.0.0/8:443"`, `"[::1]:80"`; the port may be `*`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ringfence.contract.grants.endpoints import Endpoint, Reach, RemoteKind


@dataclass(frozen=True, slots=True)
class Tcp(Endpoint):
    """Where connections may go."""


@dataclass(frozen=True, slots=True)
class Connect(Reach):
    """A guest connects to an address."""

    kind: ClassVar[str] = "tcp"
    operation: ClassVar[str] = "connect to"


class TcpKind(RemoteKind[Tcp, Connect]):
    """Outgoing TCP connections."""

    name = "tcp"
    interfaces = frozenset({"wasi:sockets/tcp", "wasi:sockets/tcp-create-socket"})
    denied = "connecting ends in access-denied"
    grant = Tcp
    verb = "connect to"


TCP = TcpKind()
