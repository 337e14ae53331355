"""Runs a command component (`wasi:cli/run`) on the engine's own WASI: arguments and a folder in, exit code and output out.

This is for the composer's own tools, never for a graph's guest, whose WASI the host serves itself. A command sees its arguments, its
standard input and one folder as `/`, in which it may do what it likes. It has no environment, no network, no other files. Clocks
and random numbers come with the engine's WASI.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import wasmtime
from wasmtime.component import Component, Linker

from ringfence.contract.errors import DeadlineExceeded, GuestTrap, IntegrityError
from ringfence.contract.names import Digest
from ringfence.engine.cache import compiled
from ringfence.engine.component.compiling import component_kind

_SETTINGS = "command: epoch interruption"  # names what `_load` configures
_MOST_PATCHES = 100  # wasi:cli/run@0.2.0 and up
_MOST_MEMORY = 2 << 30  # bytes
_FRAME = re.compile(r"\d+:\s+0x[0-9a-f]+ - ")
_STOPS_WITHIN = 5.0  # seconds; a command that waits in a function of WASI is not ended by the epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """How a command ended: 0 or 1, and what it wrote."""

    code: int
    stdout: bytes
    stderr: bytes


def run_command(
    component: Path,
    argv: Sequence[str],
    folder: Path,
    *,
    cache: Path | None = None,
    stdin: bytes = b"",
    timeout: float | None = None,
) -> CommandResult:
    """Run the command and wait for its end; a Ctrl-C, or any other exception that a signal raises here, ends it at once.

    It is compiled when it runs first, and then taken from the compile cache and, within this process, from memory. Commands may run in
    many threads at once.

    Args:
        component: The component's file.
        argv: Its arguments, beginning with its own name.
        folder: What it sees as `/`.
        cache: The folder of the caches; by default this user's.
        stdin: What it reads.
        timeout: Seconds of wall time it may take, compiling not counted.

    Raises:
        GuestTrap: it trapped.
        DeadlineExceeded: it did not end within `timeout`.
        IntegrityError: the file is not a command component.
    """
    tool = _checkout(component, cache)
    with tempfile.TemporaryDirectory(prefix="ringfence-") as streams:
        store = _store(tool, argv, folder, Path(streams), stdin)
        run = _Run(tool, store)
        run.start()
        run.wait(component.name, timeout)
        store.close()
        _checkin(tool)
        code = run.outcome(component.name)
        return CommandResult(code=code, stdout=(Path(streams) / "stdout").read_bytes(), stderr=(Path(streams) / "stderr").read_bytes())


# Loaded tools


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tool:
    """A component ready to run. One run at a time has it: what interrupts a run is its engine's epoch, which all its stores share."""

    digest: Digest
    engine: wasmtime.Engine
    component: Component
    linker: Linker
    interface: str  # wasi:cli/run with its version


@dataclass(slots=True)
class _Idle:
    """The tools of this process that no run has at the moment, and the digests of files that were read before."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    tools: dict[Digest, list[_Tool]] = field(default_factory=dict)
    digests: dict[tuple[Path, int, int, int], Digest] = field(default_factory=dict)


_IDLE = _Idle()


def _checkout(component: Path, cache: Path | None) -> _Tool:
    digest = _digest(component)
    with _IDLE.lock:
        if waiting := _IDLE.tools.get(digest):
            return waiting.pop()
    return _load(component, digest, cache)


def _checkin(tool: _Tool) -> None:
    with _IDLE.lock:
        _IDLE.tools.setdefault(tool.digest, []).append(tool)


def _digest(component: Path) -> Digest:
    info = component.stat()
    key = (component.absolute(), info.st_ino, info.st_size, info.st_ctime_ns)
    with _IDLE.lock:
        known = _IDLE.digests.get(key)
    if known is not None:
        return known
    with component.open("rb") as file:
        digest = Digest(f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}")
    with _IDLE.lock:
        _IDLE.digests[key] = digest
    return digest


def _load(component: Path, digest: Digest, cache: Path | None) -> _Tool:
    config = wasmtime.Config()
    config.epoch_interruption = True
    engine = wasmtime.Engine(config)
    try:
        code = compiled(component_kind(engine, _SETTINGS), component, digest, cache).code
    except wasmtime.WasmtimeError as error:
        raise IntegrityError(f"{component}: not a component that can run: {_first_line(error)}") from error
    candidates = (f"wasi:cli/run@0.2.{patch}" for patch in range(_MOST_PATCHES))
    interface = next((name for name in candidates if code.get_export_index(name) is not None), None)
    if interface is None:
        raise IntegrityError(f"{component}: not a command: it does not export wasi:cli/run")
    linker = Linker(engine)
    linker.add_wasip2()
    return _Tool(digest=digest, engine=engine, component=code, linker=linker, interface=interface)


def _store(tool: _Tool, argv: Sequence[str], folder: Path, streams: Path, stdin: bytes) -> wasmtime.Store:
    (streams / "stdin").write_bytes(stdin)
    wasi = wasmtime.WasiConfig()
    wasi.argv = list(argv)
    # Files, since the wheel's callbacks for output run on a foreign thread, where they panic when the interpreter ends.
    wasi.stdin_file = str(streams / "stdin")
    wasi.stdout_file = str(streams / "stdout")
    wasi.stderr_file = str(streams / "stderr")
    wasi.preopen_dir(str(folder), "/")
    store = wasmtime.Store(tool.engine)
    store.set_wasi(wasi)
    store.set_epoch_deadline(1)
    store.set_limits(memory_size=_MOST_MEMORY)
    return store


# Runs


class _Run:
    """One run in a thread of its own, so that the caller's can be interrupted: Python handles no signal during a call into C."""

    def __init__(self, tool: _Tool, store: wasmtime.Store) -> None:
        self._tool, self._store = tool, store
        self._code: int | None = None
        self._error: Exception | None = None
        # Not `Thread.join`: interrupted by an exception, that of Python 3.11 takes the thread for ended (bpo-45274).
        self._ended = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._main, name="ringfence-command", daemon=True).start()

    def wait(self, name: str, timeout: float | None) -> None:
        """Wait for the end, and see to it where the wait itself ends early."""
        try:
            if not self._ended.wait(timeout):
                raise DeadlineExceeded(name, "deadline", f"{timeout:g} s")
        except BaseException:
            self._stop()
            raise

    def outcome(self, name: str) -> int:
        """The exit code.

        Raises:
            GuestTrap: the command trapped.
        """
        if isinstance(self._error, wasmtime.ExitTrap):
            return self._error.code
        if isinstance(self._error, wasmtime.Trap | wasmtime.WasmtimeError):
            raise _trap(name, self._error) from self._error
        if self._error is not None:
            raise self._error
        assert self._code is not None  # noqa: S101 (the thread ended: it set one or the other)
        return self._code

    def _main(self) -> None:
        try:
            self._code = _call(self._tool, self._store)
        except Exception as error:  # noqa: BLE001 (raised again by `outcome`, in the caller's thread)
            self._error = error
        finally:
            self._ended.set()

    def _stop(self) -> None:
        self._tool.engine.increment_epoch()
        self._ended.wait(_STOPS_WITHIN)


def _call(tool: _Tool, store: wasmtime.Store) -> int:
    instance = tool.linker.instantiate(store, tool.component)
    interface = instance.get_export_index(store, tool.interface)
    index = instance.get_export_index(store, "run", interface)
    function = None if index is None else instance.get_func(store, index)
    if function is None:
        raise IntegrityError(f"{tool.interface} has no function `run`")
    result = function(store)
    # result<_, _>: the wheel gives a tag, since the payloads of both cases look alike.
    return 0 if result.tag == "ok" else 1


def _trap(name: str, error: Exception) -> GuestTrap:
    """The engine's message begins with what was being done, then lists the frames, innermost first, and ends with the reason."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    frames = [line for line in lines if _FRAME.match(line)]
    return GuestTrap(f"{name}: {lines[-1] if lines else 'trapped'}", backtrace=frames)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")
