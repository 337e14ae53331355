"""A graph under development: composed again when an input changes, and a command run again on what was composed.

What counts as an input is what a build reads: graph.yaml, each component.yaml, WIT and sources. The system tells of events in their
folders; whether something changed is decided by the files' times and sizes, so that neither a command's own output nor an editor's
scratch files set anything going, and nothing that changes while composing is missed.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Self, TypeAlias

from ringfence.contract.errors import ManifestError
from watchfiles import watch

from ringfence_composer.errors import ToolFailed
from ringfence_composer.manifest.component import FILE, read_component
from ringfence_composer.manifest.graph import read_graph
from ringfence_composer.manifest.source import Problems
from ringfence_composer.tools import Alongside

Stamp: TypeAlias = tuple[int, int, int]
_STEP, _DEBOUNCE = 60, 600
"""Milliseconds: a burst of changes (a checkout, a save of many files) is over after the first, and waited for no longer than the second."""
_LOOK = 200
"""Milliseconds after which a command that has ended is noticed."""
_IGNORED = (".pyc", ".pyo", "~")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that a graph is made from: every file with its time of change, size and inode, and the folders to watch for it."""

    files: Mapping[Path, Stamp]
    folders: frozenset[Path]

    def changed(self, other: Inputs) -> list[Path]:
        """The files that differ, are new or are gone."""
        return sorted({path for path, _ in self.files.items() ^ other.files.items()})


def inputs_of(manifest: Path, more: Sequence[Path] = ()) -> Inputs:
    """The inputs of a graph as they are now, and of `more` files and folders; what can't be read is left out."""
    files, folders = dict[Path, Stamp](), set[Path]()
    for root in dict.fromkeys([*_roots(manifest), *(path.absolute() for path in more)]):
        folders.add(root if root.is_dir() else _nearest(root.parent))
        for path in _walk(root, folders):
            try:
                info = path.stat()
            except OSError:
                continue
            files[path] = (info.st_mtime_ns, info.st_size, info.st_ino)
    return Inputs(files=files, folders=frozenset(folders))


def _roots(manifest: Path) -> Iterator[Path]:
    """Files and folders that the graph names, whether they are there or not; of one that can't be read, itself."""
    yield manifest.absolute()
    try:
        graph = read_graph(manifest, Problems())
    except ManifestError:
        return
    nodes = graph.document.data.get("nodes")
    for node in nodes.values() if isinstance(nodes, Mapping) else ():
        written = node.get("component") if isinstance(node, Mapping) else None
        if isinstance(written, str) and written:
            yield from _component(Path(os.path.normpath(graph.folder / written)))


def _component(target: Path) -> Iterator[Path]:
    if target.suffix == ".wasm":
        yield target
        return
    yield target / FILE
    found = read_component(target, Problems())
    if found is None:
        yield target  # what is wrong with it may be a file that is missing
    else:
        yield from (found.wit, *found.wit_deps, found.source)


def _nearest(folder: Path) -> Path:
    return next(one for one in (folder, *folder.parents) if one.is_dir())


def _walk(root: Path, folders: set[Path]) -> Iterator[Path]:
    """The files of a root; the folders it has go to `folders`."""
    if not root.is_dir():
        yield root
        return
    for place, names, files in os.walk(root):
        names[:] = [name for name in names if not name.startswith(".") and name != "__pycache__"]
        folders.add(Path(place))
        yield from (Path(place) / name for name in files if not name.startswith(".") and not name.endswith(_IGNORED))


class Development:
    """One graph, its inputs, and the command that runs on it.

    Args:
        manifest: The graph.yaml.
        compose: Composes it; 0, or the exit code of the error that it has told.
        command: The program to run and its arguments; none: only compose.
        tell: Told what goes on, a line each.
        more: Files and folders whose changes count besides.
    """

    def __init__(
        self, manifest: Path, compose: Callable[[], int], command: Sequence[str], tell: Callable[[str], None], more: Sequence[Path] = ()
    ) -> None:
        self._manifest, self._compose, self._command, self._tell, self._more = manifest, compose, command, tell, more
        self._running: Alongside | None = None

    def once(self) -> int:
        """Compose, run the command to its end; its exit code, or that of composing where nothing could be composed.

        Raises:
            ToolMissing, ToolFailed: the command can't be started.
        """
        with _Signals() as signals:
            try:
                if code := self._compose():
                    return code
                return self._start(signals).wait() if self._command else 0
            except KeyboardInterrupt:
                return signals.exit_code
            finally:
                self._end()

    def watch(self) -> int:
        """Compose and run, again at every change, until Ctrl-C: then 0. Another signal that ends us gives 128 and its number.

        However it ends, the command ends with it. Errors are told, and the next change is waited for; a command that runs goes on with
        what was composed last.

        Raises:
            ToolMissing, ToolFailed: the command can't be started, or the system lets nothing be watched.
        """
        with _Signals() as signals:
            try:
                while True:
                    seen = inputs_of(self._manifest, self._more)
                    if self._compose() == 0:
                        self._end()
                        if self._command:
                            self._start(signals)
                    self._tell(f"watching {len(seen.files)} files; Ctrl-C ends")
                    self._wait(seen)
            except KeyboardInterrupt:
                return 0 if signals.number == signal.SIGINT else signals.exit_code
            finally:
                self._end()

    def _wait(self, seen: Inputs) -> None:
        """Until an input differs from what was seen."""
        while True:
            watched = inputs_of(self._manifest, self._more).folders
            for happened in _events(watched):
                self._notice_end()
                if not happened:
                    continue
                now = inputs_of(self._manifest, self._more)
                if changed := now.changed(seen):
                    others = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
                    self._tell(f"changed: {os.path.relpath(changed[0])}{others}")
                    return
                if now.folders != watched:
                    break

    def _start(self, signals: _Signals) -> Alongside:
        with signals.held():  # one that came between its start and our knowing of it would leave it running
            self._running = Alongside(self._command)
        return self._running

    def _notice_end(self) -> None:
        if self._running is not None and (code := self._running.ended()) is not None:
            self._tell(f"the command ended with exit code {code}")
            self._running = None

    def _end(self) -> None:
        if self._running is not None:
            self._running.end()
            self._running = None


class _Signals:
    """Turns the signals that ask us to end into KeyboardInterrupt while it is entered; `number` is the first that came (SIGINT before).

    Without it they would end us at once, and the command, in a group of its own, would live on. Other threads than the main one, where
    signals never arrive, enter it without effect.
    """

    def __init__(self) -> None:
        self.number: int = signal.SIGINT
        self._came = self._hold = False
        self._before: dict[int, Any] = {}

    @property
    def exit_code(self) -> int:
        return 128 + self.number

    @contextmanager
    def held(self) -> Iterator[None]:
        """A signal that comes inside raises at the end of it."""
        self._hold = True
        try:
            yield
        finally:
            self._hold = False
        if self._came:
            raise KeyboardInterrupt

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
            self._before = {number: signal.signal(number, self._handle) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _: FrameType | None) -> None:
        self.number, self._came = (self.number if self._came else number), True
        if not self._hold:
            raise KeyboardInterrupt


def _events(folders: Iterable[Path]) -> Iterator[bool]:
    """True whenever something happened in one of these folders, False where a while has passed without.

    The first is True: something may have happened before it watched. It ends where a folder has gone since it was named.

    Raises:
        ToolFailed: the system lets nothing (more) be watched.
    """
    try:
        first = True
        for changes in watch(
            *folders, watch_filter=None, step=_STEP, debounce=_DEBOUNCE, rust_timeout=_LOOK, yield_on_timeout=True, recursive=False
        ):
            yield first or bool(changes)
            first = False
    except FileNotFoundError:
        return
    except OSError as error:
        raise ToolFailed("watching files", str(error)) from error
