"""A call without an engine: the functions a guest would reach, with a policy, on real sockets."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ringfence import wasi
from ringfence.call import Call, Root
from ringfence.contract.grants import Policy
from ringfence.contract.limits import Limits
from ringfence.contract.values import Case, record_class
from ringfence.wasi.io import block
from ringfence.wasi.state import WasiState

IPV4 = record_class(("port", "address"))
IPV6 = record_class(("port", "flow-info", "address", "scope-id"))


class Guest:
    """Calls host functions by their WIT names, as an engine does for a guest."""

    def __init__(
        self, grant: dict[str, Any], *, deadline: float = 10.0, environment: dict[str, str] | None = None, output: int = 1 << 20
    ) -> None:
        limits = Limits(deadline=deadline, output=output)
        owner = ("vendor", deadline)
        self.call = Call(
            root=Root(),
            node="vendor",
            edge="application -> vendor",
            limits=limits,
            deadline=time.monotonic() + deadline,
            deadline_owner=owner,
        )
        self.state = self.call.state = WasiState(
            policy=Policy.bind(grant), node="vendor", where="graph.yaml:7", environment=environment if environment is not None else {}
        )

    def __call__(self, interface: str, function: str, *arguments: Any) -> Any:
        return wasi.INTERFACES[f"wasi:{interface}"][function](self.call, *arguments)

    def method(self, interface: str, name: str, this: Any, *arguments: Any) -> Any:
        return self(interface, f"[method]{name}", this, *arguments)

    @property
    def denials(self) -> list[Any]:
        return self.call.root.denials

    def network(self) -> Any:
        return self("sockets/instance-network", "instance-network")

    def tcp(self, name: str, this: Any, *arguments: Any) -> Any:
        return self.method("sockets/tcp", f"tcp-socket.{name}", this, *arguments)

    def reads(self, name: str, this: Any, *arguments: Any) -> Any:
        return self.method("io/streams", f"input-stream.{name}", this, *arguments)

    def writes(self, name: str, this: Any, *arguments: Any) -> Any:
        return self.method("io/streams", f"output-stream.{name}", this, *arguments)

    def socket(self, family: str = "ipv4") -> Any:
        return self("sockets/tcp-create-socket", "create-tcp-socket", family)

    def connect(self, address: Case) -> tuple[Any, Any, Any]:
        sock = self.socket(address.name)
        self.tcp("start-connect", sock, self.network(), address)
        block(self.call, sock)
        return (sock, *self.tcp("finish-connect", sock))

    def resolve(self, name: str) -> list[Case]:
        stream = self("sockets/ip-name-lookup", "resolve-addresses", self.network(), name)
        pollable = self.method("sockets/ip-name-lookup", "resolve-address-stream.subscribe", stream)
        self("io/poll", "poll", [pollable])
        found = []
        while (one := self.method("sockets/ip-name-lookup", "resolve-address-stream.resolve-next-address", stream)) is not None:
            found.append(one)
        return found


def ipv4(text: str, port: int) -> Case:
    return Case("ipv4", IPV4(port, tuple(socket.inet_aton(text))))


def ipv6(text: str, port: int) -> Case:
    packed = socket.inet_pton(socket.AF_INET6, text)
    return Case("ipv6", IPV6(port, 0, tuple(packed[i] << 8 | packed[i + 1] for i in range(0, 16, 2)), 0))


@pytest.fixture
def guest() -> Iterator[Callable[..., Guest]]:
    made: list[Guest] = []

    def make(**options: Any) -> Guest:
        settings = {name: options.pop(name) for name in ("deadline", "environment", "output") if name in options}
        made.append(Guest(options, **settings))
        return made[-1]

    yield make
    for one in made:
        one.state.close()
        assert one.state.sockets == 0
        assert one.state.held == 0


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        yield server


@pytest.fixture
def at() -> Callable[[str, int], Case]:
    """An ip-socket-address."""
    return lambda text, port: ipv6(text, port) if ":" in text else ipv4(text, port)
