"""A call without an engine: the functions a guest would reach, with a policy, on real sockets."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ringfence import wasi
from ringfence.call import Call, Root
from ringfence.contract.grants import Policy
from ringfence.contract.limits import Limits
from ringfence.contract.values import Case, Fill, WitError, record_class
from ringfence.folders import named, open_granted
from ringfence.wasi.io import block
from ringfence.wasi.state import WasiState

IPV4 = record_class(("port", "address"))
IPV6 = record_class(("port", "flow-info", "address", "scope-id"))


def bytes_of(value: bytes | Fill) -> bytes:
    """What lands in the guest's memory. A Fill that finds nothing would leave memory there that no guest frees: a leak a read."""
    if isinstance(value, bytes):
        return value
    room = bytearray(value.length)
    try:
        count = value.fill(memoryview(room))
    except WitError as error:
        raise AssertionError("a Fill that came too late: what it found could be told before") from error
    assert count, "a Fill of nothing"
    return bytes(room[:count])


class Guest:
    """Calls host functions by their WIT names, as an engine does for a guest."""

    def __init__(
        self,
        grant: dict[str, Any],
        *,
        deadline: float = 10.0,
        environment: dict[str, str] | None = None,
        output: int = 1 << 20,
        written: int = 1 << 20,
        beside: Path | None = None,
    ) -> None:
        limits = Limits(deadline=deadline, output=output, written=written)
        policy = Policy.bind(grant)
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
            policy=policy,
            node="vendor",
            where="graph.yaml:7",
            environment=environment if environment is not None else {},
            folders={grant: open_granted(beside, grant) for grant in named(policy)} if beside else {},
        )

    def __call__(self, interface: str, function: str, *arguments: Any) -> Any:
        return wasi.INTERFACES[f"wasi:{interface}"][function](self.call, *arguments)

    def method(self, interface: str, name: str, this: Any, *arguments: Any) -> Any:
        return self(interface, f"[method]{name}", this, *arguments)

    @property
    def denials(self) -> list[Any]:
        return self.call.root.denials

    def preopened(self) -> dict[str, Any]:
        """The granted folders by where the guest finds them."""
        return {target: descriptor for descriptor, target in self("filesystem/preopens", "get-directories")}

    def file(self, name: str, this: Any, *arguments: Any) -> Any:
        return self.method("filesystem/types", f"descriptor.{name}", this, *arguments)

    def network(self) -> Any:
        return self("sockets/instance-network", "instance-network")

    def tcp(self, name: str, this: Any, *arguments: Any) -> Any:
        return self.method("sockets/tcp", f"tcp-socket.{name}", this, *arguments)

    def reads(self, name: str, this: Any, *arguments: Any) -> Any:
        found = self.method("io/streams", f"input-stream.{name}", this, *arguments)
        return bytes_of(found) if isinstance(found, Fill) else found

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
        settings = {name: options.pop(name) for name in ("deadline", "environment", "output", "written", "beside") if name in options}
        made.append(Guest(options, **settings))
        return made[-1]

    yield make
    for one in made:
        one.state.close()
        assert one.state.sockets == 0
        assert one.state.files == 0
        assert one.state.held == 0
        assert one.state.locks == 0


class Disk:
    """A guest that was granted one folder, and how it uses it: paths and flags as a C library would give them."""

    def __init__(self, guest: Guest, folder: Path) -> None:
        self.guest, self.folder = guest, folder
        self.root = guest.preopened()["/data"]

    def __call__(self, name: str, *arguments: Any, at: Any = None) -> Any:
        return self.guest.file(name, at or self.root, *arguments)

    def open(self, path: str, mode: str = "r", *, follow: bool = True, at: Any = None, flags: tuple[str, ...] = ()) -> Any:
        """mode: r reads, w writes, c creates, x exclusively, t truncates, d wants a folder."""
        named = {"c": "create", "x": "exclusive", "t": "truncate", "d": "directory"}
        how = [named[one] for one in mode if one in named] + (["create"] if "x" in mode else [])
        access = [{"r": "read", "w": "write"}[one] for one in mode if one in "rw"]
        follows = frozenset(["symlink-follow"] if follow else [])
        return self("open-at", follows, path, frozenset(how), frozenset([*access, *flags]), at=at)

    def read(self, path: str, **more: Any) -> bytes:
        """All of a file, at most a megabyte."""
        file = self.open(path, **more)
        try:
            return bytes_of(self("read", 1 << 20, 0, at=file)[0])
        finally:
            file.close()

    def write(self, path: str, data: bytes, mode: str = "wct") -> None:
        file = self.open(path, mode)
        try:
            assert self("write", data, 0, at=file) == len(data)
        finally:
            file.close()

    def names(self, path: str = ".") -> list[str]:
        folder = self.open(path, "rd")
        stream = self("read-directory", at=folder)
        found = []
        while (one := self.guest.method("filesystem/types", "directory-entry-stream.read-directory-entry", stream)) is not None:
            found.append(one.name)
        stream.close()
        folder.close()
        return sorted(found)

    def stat(self, path: str, *, follow: bool = True) -> Any:
        return self("stat-at", frozenset(["symlink-follow"] if follow else []), path)

    def refused(self, code: str, function: Callable[..., Any], *arguments: Any, **more: Any) -> None:
        with pytest.raises(WitError) as failed:
            function(*arguments, **more)
        assert failed.value.value == code


@pytest.fixture(params=["openat2", "walk"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whatever uses it runs twice: with the kernel's own walk beneath a folder, and without."""
    if request.param == "walk":
        monkeypatch.setattr("ringfence.wasi.filesystem.resolve.open_beneath", lambda *_: None)
    return request.param


@pytest.fixture
def disk(guest: Callable[..., Guest], kernel: str, tmp_path: Path) -> Callable[..., Disk]:
    """Makes a Disk over the folder `data`, with this match and these other parts of its grant; all access where nothing is said."""
    (tmp_path / "data").mkdir()

    def make(*match: str, written: int = 1 << 20, deadline: float = 10.0, **more: Any) -> Disk:
        form = {"path": "data", "as": "/data", "match": list(match) or ["**"], "access": ["read", "write", "create", "delete"], **more}
        return Disk(guest(files=[form], beside=tmp_path, written=written, deadline=deadline), tmp_path / "data")

    return make


@pytest.fixture
def disk_over() -> Callable[..., Disk]:
    """Makes a Disk over a folder that exists, for tests that make many; its state is the test's to close."""

    def make(folder: Path, *match: str, access: tuple[str, ...], written: int = 1 << 30) -> Disk:
        form = {"path": folder.name, "as": "/data", "match": list(match), "access": list(access)}
        return Disk(Guest({"files": [form]}, beside=folder.parent, written=written), folder)

    return make


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        yield server


@pytest.fixture
def at() -> Callable[[str, int], Case]:
    """An ip-socket-address."""
    return lambda text, port: ipv6(text, port) if ":" in text else ipv4(text, port)
