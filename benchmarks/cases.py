"""The workloads: what each peer is asked for, and what must come back."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from benchmarks.crowd import crowd
from benchmarks.peers.base import Line, Peer
from benchmarks.work import Work
from benchmarks.wrapped import document

Make = Callable[[Peer], Work]
Check = Callable[[Peer, Any], bool]
"""Whether what came back is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of the table. `unit` is what a time is for; `patient` cases are left out of a quick run."""

    id: str
    group: str
    title: str
    make: Make
    check: Check
    unit: str = "call"
    patient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How large the workloads are."""

    records: tuple[int, ...] = (1, 10, 1000)
    sizes: tuple[int, ...] = (16, 4 << 10, 64 << 10, 1 << 20, 16 << 20)
    threads: tuple[int, ...] = (1, 2, 3, 4)
    callbacks: int = 1000
    reads: int = 20
    block: int = 64 << 10
    round_trips: int = 1000
    stream: int = 100 << 20
    file: int = 64 << 20
    pieces: tuple[int, ...] = (4 << 10, 64 << 10)
    files: int = 10_000
    turns: tuple[int, int] = (6, 2000)  # calls of each thread: long ones, small ones
    rows: int = 100_000
    document: int = 1 << 20
    python: bool = True  # whether CPython guests take part, which must be built first


TINY = Scale(
    records=(1, 2),
    sizes=(16, 64),
    threads=(1, 2),
    callbacks=3,
    reads=2,
    block=64,
    round_trips=3,
    stream=1 << 17,
    file=1000,
    pieces=(64, 100),
    files=3,
    turns=(1, 3),
    rows=100,
    document=1000,
)


def size(count: int) -> str:
    """`65536` as `64 kB`."""
    for unit, name in ((1 << 20, "MB"), (1 << 10, "kB")):
        if count >= unit and count % unit == 0:
            return f"{count // unit} {name}"
    return f"{count} B"


def cases(scale: Scale, folder: Path) -> list[Case]:
    """All of them, in the order of the table. `folder` gets a file to read from."""
    parts = (
        _calls(scale),
        _bytes(scale, folder),
        _files(scale, folder),
        _network(scale),
        _databases(scale),
        _libraries(scale),
        _wrapped(scale, folder),
        _starting(scale),
        _threads(scale),
    )
    return [case for part in parts for case in part]


def lines(count: int) -> list[Line]:
    """Records."""
    return [{"sku": f"SKU-{number:06}", "quantity": number % 7 + 1, "unit-price": 1999 + number} for number in range(count)]


def _is(expected: Any) -> Check:
    return lambda _, found: bool(found == expected)


def _anything(_peer: Peer, _found: Any) -> bool:
    return True


def _records(expected: list[Line]) -> Check:
    return lambda peer, found: [peer.shown(line) for line in found] == expected


def _calls(scale: Scale) -> Iterator[Case]:
    case = partial(Case, group="Calls")
    text, times = "sixteen letters!", scale.callbacks
    yield case(id="call", title="small call: add(u32, u32)", make=lambda peer: peer.add(), check=_is(3))
    yield case(id="graph-call", title="the same through Graph.call", make=lambda peer: peer.through_graph(), check=_is(3))
    yield case(id="text", title="text of 16 there and back", make=lambda peer: peer.text(text), check=_is(text))
    yield from map(_lines, scale.records)
    given = lines(scale.records[-1])
    title = "the same given as mappings, each"
    yield case(id="dicts", title=title, make=lambda peer: peer.dicts(given), check=_records(given), unit="record")
    yield case(id="method", title="method of a resource", make=lambda peer: peer.method(), check=_is(5))
    yield case(id="callback", title="host callback", make=lambda peer: peer.callback(times), check=_is(None), unit="callback")
    yield case(id="edge", title="call over an edge (ours: Graph)", make=lambda peer: peer.edge(times), check=_is(times))
    title = "call over a fused edge"
    yield case(id="edge-fused", title=title, make=lambda peer: peer.fused_edge(times), check=_is(times))


def _lines(count: int) -> Case:
    given = lines(count)
    title = "1 record there and back" if count == 1 else f"{count:,} records there and back, each"
    return Case(
        id=f"records-{count}",
        group="Calls",
        title=title,
        make=lambda peer: peer.lines(given),
        check=_records(given),
        unit="record",
    )


@dataclass(slots=True)
class _File:
    """A file to read from, opened when first asked for."""

    path: Path
    size: int
    _descriptor: int = field(default=-1, init=False)

    def descriptor(self) -> int:
        if self._descriptor < 0:
            self.path.write_bytes(os.urandom(self.size))
            self._descriptor = os.open(self.path, os.O_RDONLY)
        return self._descriptor


def _bytes(scale: Scale, folder: Path) -> Iterator[Case]:
    yield from map(_data, scale.sizes)
    yield from map(_text, scale.sizes[1:])
    file = _File(folder / "block", scale.block)
    yield Case(
        id="read",
        group="Bytes and text",
        title=f"{size(scale.block)} of a file read for the guest",
        make=lambda peer: peer.read(file.descriptor(), scale.block, scale.reads),
        check=_anything,
        unit="read",
    )


def _files(scale: Scale, folder: Path) -> Iterator[Case]:
    """A guest on WASI: ours is served in Python, that of `stock` is the engine's own."""
    case = partial(Case, group="Files by WASI")
    made = _Folder(folder / "files", scale.file)
    for piece in scale.pieces:
        title = f"{size(scale.file)} of a file in pieces of {size(piece)}, each"
        yield case(id=f"file-{piece}", title=title, make=partial(_pieces, made, piece), check=_is(scale.file), unit="piece")
    times = scale.files
    yield case(id="file-open", title="open and close", make=lambda peer: peer.opened(made(), times), check=_is(times), unit="file")
    yield case(id="file-stat", title="status by path", make=lambda peer: peer.looked_at(made(), times), check=_is(times), unit="file")


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder with one file, made when first asked for."""

    path: Path
    size: int

    def __call__(self) -> Path:
        if not (self.path / "file").exists():
            self.path.mkdir(exist_ok=True)
            (self.path / "file").write_bytes(os.urandom(self.size))
        return self.path


def _pieces(made: _Folder, piece: int, peer: Peer) -> Work:
    return peer.pieces(made(), piece)


def _data(count: int) -> Case:
    data = os.urandom(count)
    title = f"{size(count)} of bytes there and back"
    return Case(id=f"bytes-{count}", group="Bytes and text", title=title, make=lambda peer: peer.data(data), check=_is(data))


def _text(count: int) -> Case:
    text = "ring-fenced text" * (count // 16)
    title = f"{size(count)} of text there and back"
    return Case(id=f"text-{count}", group="Bytes and text", title=title, make=lambda peer: peer.text(text), check=_is(text))


def _network(scale: Scale) -> Iterator[Case]:
    if not scale.python:
        return
    case = partial(Case, group="Network")
    times, count = scale.round_trips, scale.stream
    title = f"{times:,} round trips of 16 B over TCP, each"
    yield case(id="tcp-turns", title=title, make=lambda peer: peer.round_trips(times), check=_is(times), unit="round trip")
    yield case(id="tcp-stream", title=f"{size(count)} read over TCP", make=lambda peer: peer.fetch(count), check=_is(count), unit="stream")


def _on_database(peer: Peer, *, workload: str, rows: int) -> Work:
    return peer.database(workload, rows)


def _databases(scale: Scale) -> Iterator[Case]:
    """All in one file of the file system's, by code for the module sqlite3."""
    if not scale.python:
        return
    rows = scale.rows
    for workload, title, unit, count in (
        ("inserts", f"{rows:,} rows inserted in one transaction, each", "row", rows),
        ("reads", f"{rows // 10:,} rows read by their keys in one transaction, each", "read", max(1, rows // 10)),
        ("lone-reads", f"{rows // 50:,} rows read by their keys, each for itself", "read", max(1, rows // 50)),
        ("scan", f"{rows:,} rows read by one query, each", "row", rows),
    ):
        yield Case(
            id=f"sqlite-{workload}",
            group="SQLite",
            title=title,
            make=partial(_on_database, workload=workload, rows=rows),
            check=_is(count),
            unit=unit,
            patient=True,
        )


def prose(count: int) -> str:
    """Markdown of about so many characters, with some of everything."""
    parts: list[str] = []
    length = 0
    while length < count:
        one = len(parts)
        parts.append(
            f"## Article {one}\n\nIt *costs* **{one}.99**, see [the list](http://shop.example/{one} 'prices') or `SKU-{one:06}`.\n\n"
            f"| size | left |\n|---|--:|\n| S | {one} |\n\n* in stock\n* <b>new</b>\n\n> Nobody ever sent one back.\n\n"
        )
        length += len(parts[-1])
    return "".join(parts)


def _libraries(scale: Scale) -> Iterator[Case]:
    """C libraries fenced and native. What is asked of JSON differs in how much of it is made into Python values."""
    case, count = partial(Case, group="C libraries (ours: Graph)"), scale.document
    text = prose(count // 4)
    yield case(id="markdown", title=f"{size(count // 4)} of Markdown to HTML", make=lambda peer: peer.markdown(text), check=_html(text))
    line = 'a text with a "word" and a line\'s end\n'
    texts = [line * max(1, count // 100 // len(line)) for _ in range(100)]
    whole = json.dumps(texts)
    title = f"{size(count)} of JSON, 100 long texts"
    yield case(id="json-texts", title=title, make=lambda peer: peer.json(whole), check=_is((101, texts)))
    records = lines(count // 64)
    dropped = f'{{"one": {json.dumps(records)}, "one": 1}}'
    title = f"{size(count)} of JSON, of which one value counts"
    yield case(id="json-parsed", title=title, make=lambda peer: peer.json(dropped), check=_is((2, [])))
    small = json.dumps(lines(scale.records[-1]))
    title = f"JSON of {scale.records[-1]:,} records, all values (plain: CPython's json)"
    yield case(id="json-values", title=title, make=lambda peer: peer.json_values(small), check=_anything)


def _wrapped(scale: Scale, folder: Path) -> Iterator[Case]:
    """What code that says `import yaml` waits for, natively and with the drop-in of the same release."""
    if not scale.python:
        return
    case = partial(Case, group="A wrapped library: PyYAML 5.3 (ours: its drop-in)")
    text, count = document(scale.document)
    yield case(id="wrapped-call", title='a small call: safe_load("a: 1")', make=lambda peer: peer.yaml.small(), check=_is({"a": 1}))
    title = f"{size(scale.document)} of YAML loaded"
    yield case(id="wrapped-large", title=title, make=lambda peer: peer.yaml.large(text), check=_is(count), patient=True)
    starting = partial(case, unit="start", check=_anything)
    yield starting(id="wrapped-import", title="import, cached", make=lambda peer: peer.yaml.imported(called=False))
    yield starting(id="wrapped-first", title="import and first call, cached", make=lambda peer: peer.yaml.imported(called=True))
    yield starting(
        id="wrapped-cold",
        title="import and first call, cold",
        make=lambda peer: peer.yaml.imported(called=True, cold=lambda: Path(mkdtemp(dir=folder))),
        patient=True,
    )


def _html(text: str) -> Check:
    return lambda _, found: found.count("<table>") == text.count("## Article") and found.count("<h2>") == text.count("## Article")


def _starting(scale: Scale) -> Iterator[Case]:
    case = partial(Case, group="Starting", unit="start", check=_anything)
    yield case(id="fresh", title="fresh small instance, a call, its end", make=lambda peer: peer.fresh(), check=_is(3))
    yield case(id="import", title="import in a new process", make=lambda peer: peer.imported())
    yield case(id="load-cached", title="load of a small guest, cached", make=lambda peer: peer.load(cached=True))
    yield case(id="load-cold", title="load of a small guest, cold", make=lambda peer: peer.load(cached=False))
    if not scale.python:
        return
    yield case(id="fresh-python", title="fresh CPython, its first call, its end", make=lambda peer: peer.fresh_python(), check=_is(0))
    yield case(
        id="load-python-cached", title="load of CPython, cached, a call", make=lambda peer: peer.load_python(cached=True), check=_is(0)
    )
    title = "load of CPython, cold, a call"
    yield case(id="load-python-cold", title=title, make=lambda peer: peer.load_python(cached=False), check=_is(0), patient=True)
    yield case(id="first-answer", title="import, cached CPython's first call", make=lambda peer: peer.first_answer())
    yield case(id="load-shop", title="import, load of the shop graph, cached", make=lambda peer: peer.load_shop())


def _threads(scale: Scale) -> Iterator[Case]:
    for long, turns in zip((True, False), scale.turns, strict=True):
        for count in scale.threads:
            yield _crowd(count, turns, long=long)


def _crowd(count: int, turns: int, *, long: bool) -> Case:
    return Case(
        id=f"threads-{'long' if long else 'small'}-{count}",
        group="Threads",
        title=f"{'calls of 6 ms' if long else 'small calls'}, {count} thread{'s' if count > 1 else ''}",
        make=lambda peer: crowd(peer, count, long=long, turns=turns),
        check=_is(count),
        unit="call of all threads together",
    )
