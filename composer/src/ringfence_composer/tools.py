"""The composer's only door to other programs: it finds and runs them, and builds the toolchain component they are needed for.

`set_up.py` makes both happen for a source checkout.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ringfence.contract.layout import user_cache
from ringfence.contract.names import Digest, digest_of, is_digest

from ringfence_composer import crew
from ringfence_composer.builders.cache import BuildCache
from ringfence_composer.errors import ToolFailed, ToolMissing

_REMEDIES = {
    "cargo": "install Rust 1.95 or newer: https://rustup.rs, or your system's package",
    "rustc": "install Rust 1.95 or newer: https://rustup.rs, or your system's package",
    "uv": "run: python3 -m pip install uv",
}
TARGET = "wasm32-wasip2"
"""What Rust is compiled for: the toolchain, and guests."""
_DATA = Path(__file__).parent / "data"
_CRATE = Path(__file__).parents[2] / "toolchain"
_SOURCES = ("Cargo.toml", "Cargo.lock", "build.rs", "src/**/*.rs")
_BUILD_TIMEOUT = 1800.0  # seconds; one to four minutes on two cores

# What cargo and rustc take from the environment that would change what they make.
_STEERING = ("RUSTFLAGS", "RUSTDOCFLAGS", "RUSTC", "CARGO_ENCODED_", "CARGO_BUILD_", "CARGO_PROFILE_", "CARGO_TARGET_", "CARGO_UNSTABLE_")

# Running programs

_KEPT = 64 * 1024  # bytes of output that an error carries
_GRACE = 1.0  # seconds for what a program left running to let go of its output
_Line = tuple[str, bytes] | None


def find(tool: str) -> Path:
    """Where a program is.

    Raises:
        ToolMissing: it is not on the path; the hint says how to get it.
    """
    found = shutil.which(tool)
    if found is None:
        raise ToolMissing(tool, hint=_REMEDIES.get(tool, f"install {tool}"))
    return Path(found)


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Callable[[str], None] | None = None,
    timeout: float | None = None,
) -> str:
    """What a program writes to stdout; `log` gets each line that it writes to stderr as it comes, in this thread.

    It has exactly the environment given and nothing to read. Whatever ends this call early, a Ctrl-C included, ends the program with
    all it has started.

    Args:
        argv: The program and its arguments.
        cwd: The folder it runs in.
        env: Its whole environment.
        log: Told of its progress. The text is foreign.
        timeout: Seconds it may take.

    Raises:
        ToolMissing: there is no such program.
        ToolFailed: it failed, was ended by a signal, or took too long; with the end of its output.
    """
    name = Path(argv[0]).name
    process = _start(argv, cwd, env)
    output = _Output(process)
    try:
        for line in output.lines(timeout):
            if log is not None:
                log(line)
    except TimeoutError as error:
        _end(process)
        raise ToolFailed(name, f"took longer than {timeout:g} s", output=output.end()) from error
    except BaseException:
        _end(process)
        raise
    if process.returncode != 0:
        raise ToolFailed(name, _verdict(process.returncode), output=output.end())
    return output.text()


def _start(argv: Sequence[str | Path], cwd: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 (no shell; the callers choose what runs)
            [str(part) for part in argv],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # A group of its own, so that it can be ended as a whole.
            start_new_session=True,
        )
    except FileNotFoundError as error:
        name = Path(argv[0]).name
        raise ToolMissing(name, hint=_REMEDIES.get(name, f"install {name}")) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program with its group, of which something is still running."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _verdict(code: int) -> str:
    if code > 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"ended by {signal.Signals(-code).name}"
    return f"ended by signal {-code}"


class _Output:
    """Both streams of a program: two threads read them into one queue, so that neither fills up."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._queue: queue.SimpleQueue[_Line] = queue.SimpleQueue()
        self._stdout = bytearray()
        self._last = bytearray()
        for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
            assert stream is not None  # noqa: S101 (both are pipes)
            threading.Thread(target=self._pump, args=(name, stream), daemon=True).start()

    def lines(self, timeout: float | None) -> Iterator[str]:
        """The lines of stderr until the program has ended. Raises TimeoutError."""
        deadline = None if timeout is None else time.monotonic() + timeout
        streams, ended = 2, None
        while streams:
            now = time.monotonic()
            if deadline is not None and now > deadline:
                raise TimeoutError
            if ended is None and self._process.poll() is not None:
                ended = now
            crew.check()
            if ended is not None and now > ended + _GRACE:
                _end(self._process)  # something it has started still holds the streams
            try:
                line = self._queue.get(timeout=0.1)
            except queue.Empty:
                continue
            if line is None:
                streams -= 1
            else:
                yield from self._take(*line)
        try:
            self._process.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise TimeoutError from error

    def _take(self, name: str, data: bytes) -> Iterator[str]:
        self._last += data
        del self._last[:-_KEPT]
        if name == "stdout":
            self._stdout += data
        else:
            yield data.decode("utf-8", "replace").rstrip("\r\n")

    def _pump(self, name: str, stream: IO[bytes]) -> None:
        with stream:
            for line in iter(lambda: stream.readline(_KEPT), b""):
                self._queue.put((name, line))
        self._queue.put(None)

    def text(self) -> str:
        return self._stdout.decode("utf-8", "replace")

    def end(self) -> str:
        return self._last.decode("utf-8", "replace")


class Alongside:
    """A program that runs while we go on: on our streams, with our environment and nothing to read, in a group of its own.

    Raises:
        ToolMissing: there is no such program.
        ToolFailed: it can't be started.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        name = Path(argv[0]).name
        try:
            self._process = subprocess.Popen(list(argv), stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 (the user's own command)
        except FileNotFoundError as error:
            raise ToolMissing(name, hint=_REMEDIES.get(name, f"install {name}, or name another command")) from error
        except OSError as error:
            raise ToolFailed(name, f"can't be started: {error.strerror}") from error

    def ended(self) -> int | None:
        """Its exit code (128 and the signal's number where one ended it), or None while it runs. What it left running is ended with it."""
        if self._process.returncode is None and hasattr(os, "waitid"):
            # Not reaped yet, it still holds its number, so that no other group can have it.
            with contextlib.suppress(ChildProcessError):  # where SIGCHLD is ignored, the system reaps
                if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                    return None
                self._signal(signal.SIGKILL)
        code = self._process.poll()
        return code if code is None or code >= 0 else 128 - code

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        while (code := self.ended()) is None:
            time.sleep(0.02)
        return code

    def end(self) -> None:
        """End it with all it has started: asked first, after two seconds by force."""
        if self.ended() is not None:
            return
        try:
            self._signal(signal.SIGTERM)
            deadline = time.monotonic() + 2 * _GRACE
            while self.ended() is None and time.monotonic() < deadline:
                time.sleep(0.02)
        finally:
            if self.ended() is None:
                _end(self._process)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)


# What the toolchain says of worlds; toolchain.py asks


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What a world imports or exports under one name, version included. `kind` is interface, function or type."""

    name: str
    kind: str
    functions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    docs: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A world of a WIT package, or of a component; complete, implied imports included."""

    name: str
    package: str
    imports: tuple[Item, ...]
    exports: tuple[Item, ...]
    docs: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Whether one world's export can serve another's import.

    Where not: `item` is the first type or function to differ (None where import and export as such do), `expected` and `found` its
    two definitions in WIT (`found` is None where the provider has none). `shared` names the interfaces whose resources both sides must
    have from the same place.
    """

    fits: bool
    item: str | None = None
    reason: str | None = None
    expected: str | None = None
    found: str | None = None
    shared: tuple[str, ...] = ()


# The toolchain component


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolchainComponent:
    """The toolchain's file, and the digest of the sources it was made from, which is the same on every machine."""

    path: Path
    sources: Digest


def toolchain_component(cache: Path | None = None, report: Callable[[str], None] | None = None) -> ToolchainComponent:
    """The toolchain: as this package carries it, else from the cache, else built from the checkout's `composer/toolchain`.

    Which compiler built it does not count for the cache: its answers are the same, and so no process need be started to look it up.

    Args:
        cache: The folder of the caches; by default this user's.
        report: Told of progress; by default stderr is.

    Raises:
        ToolMissing: it must be built, and Rust is not installed.
        ToolFailed: building failed.
        InputInvalid: the cache folder cannot be used.
    """
    if built := built_toolchain(cache):
        return built
    sources, tell = _sources_digest(), report or _tell
    stored = BuildCache(cache or user_cache(), tell).fetch(sources, lambda work: _build(work, tell))
    return ToolchainComponent(path=stored.path, sources=sources)


def built_toolchain(cache: Path | None = None) -> ToolchainComponent | None:
    """The toolchain where it need not be built: as this package carries it, or from the cache.

    Raises:
        ToolMissing: the package is neither a built wheel nor a checkout, or damaged.
        InputInvalid: the cache folder cannot be used.
    """
    bundled = _DATA / "toolchain.wasm"
    if bundled.is_file():
        return ToolchainComponent(path=bundled, sources=_bundled_sources())
    sources = _sources_digest()
    stored = BuildCache(cache or user_cache(), lambda _: None).find(sources)
    return ToolchainComponent(path=stored.path, sources=sources) if stored else None


def _bundled_sources() -> Digest:
    text = (_DATA / "toolchain.digest").read_text("ascii").strip()
    if not is_digest(text):
        raise ToolMissing("the toolchain component", hint="its package data is damaged: reinstall ringfence-composer")
    return Digest(text)


def _sources_digest() -> Digest:
    if not (_CRATE / "Cargo.toml").is_file():
        raise ToolMissing("the toolchain component", hint="neither a built wheel nor a checkout: reinstall ringfence-composer")
    files = sorted(file for pattern in _SOURCES for file in _CRATE.glob(pattern))
    parts = (f"{file.relative_to(_CRATE).as_posix()} {digest_of(file.read_bytes())}\n" for file in files)
    return digest_of("".join(parts).encode())


def _build(work: Path, report: Callable[[str], None]) -> bytes:
    cargo, env = find("cargo"), rust_environment()
    ensure_target(report)
    # No path of this machine gets into the binary, so that equal sources make equal binaries.
    home = Path(env.get("CARGO_HOME") or Path.home() / ".cargo")
    places = {home: "cargo", work: "build", _CRATE: "toolchain"}
    flags = [f"--remap-path-prefix={place}=/{name}" for place, name in places.items()]
    env |= {"CARGO_TARGET_DIR": str(work), "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags)}
    report("building the toolchain component with cargo (once; one to four minutes)")
    started = time.monotonic()
    command: list[str | Path] = [cargo, "build", "--locked", "--release", "--target", TARGET, "--color", "never"]
    run(command, cwd=_CRATE, env=env, log=lambda line: report(f"  {line.strip()}"), timeout=_BUILD_TIMEOUT)
    report(f"the toolchain component is built ({time.monotonic() - started:.0f} s)")
    return (work / TARGET / "release" / "ringfence-toolchain.wasm").read_bytes()


# Rust, as far as both the toolchain and guests need it


def rust_environment() -> dict[str, str]:
    """This process's environment for cargo and rustc, without what would change what they make."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_STEERING)}


def has_target() -> bool:
    """Whether rustc has the standard library for our target. Raises ToolMissing without rustc."""
    # Asked in a folder of ours: a rust-toolchain.toml where the user stands would have rustup fetch another compiler.
    found = run([find("rustc"), "--print", "target-libdir", "--target", TARGET], cwd=Path(__file__).parent, env=rust_environment())
    return Path(found.strip()).is_dir()


def target_missing() -> ToolMissing:
    """The error that names the command for it."""
    remedy = f"run: rustup target add {TARGET}"
    return ToolMissing(
        f"Rust's target {TARGET}", hint=remedy if shutil.which("rustup") else f"{remedy} (or install your system's package of it)"
    )


def ensure_target(report: Callable[[str], None]) -> None:
    """See to it that rustc has the standard library for our target: setting up a checkout adds it, building a component never does.

    Raises:
        ToolMissing: Rust is not installed, or the target is not there and there is no rustup to add it.
        ToolFailed: rustup failed.
    """
    if has_target():
        return
    rustup = shutil.which("rustup")
    if rustup is None:
        raise target_missing()
    report(f"rustup target add {TARGET}")
    here, env = Path(__file__).parent, rust_environment()
    run([rustup, "target", "add", TARGET], cwd=here, env=env, log=lambda line: report(f"  {line.strip()}"), timeout=_BUILD_TIMEOUT)


def _tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)  # noqa: T201 (progress; stdout is for results)
