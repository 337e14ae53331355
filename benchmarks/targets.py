"""What was promised of the engine, and whether one run keeps it. Ratios of medians."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.results import Run

_16_MB = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A figure of ours (case, peer) over another one, or for itself; it is to be at most, or at least, `limit`.

    scale: What the figure is multiplied by. turned: whether it is the other way round, `scale` over the figure.
    limit None: The figure is stated, nothing was promised of it.
    allowed: Seconds that are taken off ours before all that.
    """

    text: str
    ours: tuple[str, str]
    against: tuple[str, str] | None = None
    limit: float | None = None
    at_least: bool = False
    scale: float = 1.0
    turned: bool = False
    allowed: float = 0.0
    unit: str = "x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A target and what a run measured; `met` is None where nothing was promised or something was not measured."""

    target: Target
    measured: float | None
    met: bool | None

    @property
    def word(self) -> str:
        if self.measured is None:
            return "not measured"
        return "stated" if self.met is None else "met" if self.met else "missed"

    @property
    def wanted(self) -> str:
        if self.target.limit is None:
            return ""
        return f"{'≥' if self.target.at_least else '≤'} {self.target.limit:g} {self.target.unit}"

    @property
    def figure(self) -> str:
        return "" if self.measured is None else f"{self.measured:.3g} {self.target.unit}"


def _versus(text: str, case: str, limit: float, other: tuple[str, str]) -> Target:
    return Target(text=text, ours=(case, "core"), against=other, limit=limit)


TARGETS = (
    _versus("a small call, against Extism's", "call", 0.25, ("call", "extism")),
    _versus("one record there and back, against Extism's small call", "records-1", 1.0, ("call", "extism")),
    Target(text="1,000 records there and back, each", ours=("records-1000", "core"), limit=3.0, scale=1e6, unit="µs"),
    _versus("4 kB there and back, against Extism's", "bytes-4096", 0.7, ("bytes-4096", "extism")),
    _versus("1 MB there and back, against Extism's", f"bytes-{1 << 20}", 0.5, (f"bytes-{1 << 20}", "extism")),
    _versus("1 MB there and back, against the pipe's", f"bytes-{1 << 20}", 0.2, (f"bytes-{1 << 20}", "pipe")),
    Target(
        text="16 MB there and back, each way",
        ours=(f"bytes-{_16_MB}", "core"),
        limit=1.0,
        at_least=True,
        scale=2 * _16_MB / 1e9,
        turned=True,
        unit="GB/s",
    ),
    _versus("a host callback, against wasmtime-py's", "callback", 0.25, ("callback", "stock")),
    _versus("64 kB of a file read into guest memory, against bare preadv", "read", 4.0, ("read", "plain")),
    _versus("100 MB read over TCP by a CPython guest, against CPython itself", "tcp-stream", 3.0, ("tcp-stream", "plain")),
    Target(
        text="a round trip over TCP by a CPython guest, against CPython itself", ours=("tcp-turns", "core"), against=("tcp-turns", "plain")
    ),
    _versus("a guest reads a file in pieces of 64 kB, against bare preadv", "file-65536", 5.0, ("file-65536", "plain")),
    _versus("the same in pieces of 4 kB", "file-4096", 10.0, ("file-4096", "plain")),
    Target(text="the same by the engine's own WASI", ours=("file-4096", "core"), against=("file-4096", "stock")),
    Target(
        text="a guest opens and closes a file, against the engine's own WASI", ours=("file-open", "core"), against=("file-open", "stock")
    ),
    Target(text="a file's status by its path, likewise", ours=("file-stat", "core"), against=("file-stat", "stock")),
    _versus("a row inserted into SQLite, against the module sqlite3", "sqlite-inserts", 5.0, ("sqlite-inserts", "plain")),
    Target(text="a row read by its key in a transaction, likewise", ours=("sqlite-reads", "core"), against=("sqlite-reads", "plain")),
    Target(text="the same without one", ours=("sqlite-lone-reads", "core"), against=("sqlite-lone-reads", "plain")),
    Target(text="a row of a large result, likewise", ours=("sqlite-scan", "core"), against=("sqlite-scan", "plain")),
    Target(
        text="Markdown to HTML by a C library, against the same one native: throughput",
        ours=("markdown", "plain"),
        against=("markdown", "core"),
        limit=0.7,
        at_least=True,
    ),
    Target(
        text="JSON to long texts by a C library, likewise",
        ours=("json-texts", "plain"),
        against=("json-texts", "core"),
        limit=0.7,
        at_least=True,
    ),
    Target(
        text="JSON parsed by it, of which one value counts, likewise",
        ours=("json-parsed", "plain"),
        against=("json-parsed", "core"),
        limit=0.7,
        at_least=True,
    ),
    Target(text="JSON to all of its values, against CPython's own `json`", ours=("json-values", "core"), against=("json-values", "plain")),
    Target(text="import of a wrapped library, PyYAML, cached", ours=("wrapped-import", "core"), limit=150.0, scale=1e3, unit="ms"),
    Target(text="the same and a first call, which starts its instance", ours=("wrapped-first", "core"), scale=1e3, unit="ms"),
    Target(text="the same, nothing compiled", ours=("wrapped-cold", "core"), unit="s"),
    Target(
        text="a small call of it but for 100 µs, against the native library's",
        ours=("wrapped-call", "core"),
        against=("wrapped-call", "plain"),
        limit=2.0,
        allowed=100e-6,
    ),
    _versus("1 MB of YAML loaded by it, likewise", "wrapped-large", 3.0, ("wrapped-large", "plain")),
    _versus("a fresh CPython with its first call, against starting `python -S`", "fresh-python", 0.25, ("fresh-python", "pipe")),
    _versus("a call over a `store` edge, against Extism's call", "edge", 1.0, ("call", "extism")),
    Target(text="a call over a `fused` edge, against one over a `store` edge", ours=("edge-fused", "core"), against=("edge", "core")),
    Target(text="a call over a `fused` edge, against a plain Python call", ours=("edge-fused", "core"), against=("edge", "plain")),
    Target(
        text="calls of 6 ms on 2 threads, against 1 thread's throughput",
        ours=("threads-long-1", "core"),
        against=("threads-long-2", "core"),
        limit=1.7,
        at_least=True,
    ),
    Target(
        text="small calls on 2 threads, which hold the interpreter's lock, likewise",
        ours=("threads-small-1", "core"),
        against=("threads-small-2", "core"),
    ),
    _versus("import ringfence, in a new process, against import wasmtime", "import", 0.5, ("import", "stock")),
    _versus("import and load of the shop graph, cached, against import wasmtime", "load-shop", 1.5, ("import", "stock")),
    Target(text="a small call through `Graph.call`, against Extism's", ours=("graph-call", "core"), against=("call", "extism")),
)


def evaluate(run: Run, targets: Sequence[Target] = TARGETS) -> list[Verdict]:
    """A verdict for each target whose cases were part of the run."""
    return [_verdict(run, target) for target in targets if _asked(run, target)]


def _asked(run: Run, target: Target) -> bool:
    return all(run.row(case) is not None and peer in run.peers for case, peer in filter(None, (target.ours, target.against)))


def _verdict(run: Run, target: Target) -> Verdict:
    figure = run.median(*target.ours)
    base = 1.0 if target.against is None else run.median(*target.against)
    if figure is None or base is None or not base or not figure:
        return Verdict(target=target, measured=None, met=None)
    figure = max(0.0, figure - target.allowed)
    measured = target.scale / figure if target.turned else figure * target.scale / base
    if target.limit is None:
        return Verdict(target=target, measured=measured, met=None)
    return Verdict(target=target, measured=measured, met=measured >= target.limit if target.at_least else measured <= target.limit)
