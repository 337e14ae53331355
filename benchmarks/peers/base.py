"""What every peer is asked for."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from benchmarks.work import Place, SitsOut, Work

if TYPE_CHECKING:
    from benchmarks.wrapped import Importable

Line = dict[str, Any]
"""A record: `sku` (text), `quantity` (u32), `unit-price` (s64)."""


class Peer:
    """One way to have code do something on one's behalf. A hook that is not there makes the peer sit out, with the reason in the table.

    Each hook makes what it calls ready, so that only the calls themselves are timed. Where a peer knows no types, the values are
    encoded on this side and the far side hands on what it gets, unread: that favours the peer.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    """What it is and how it is used here, in a sentence."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def close(self) -> None:
        """Free everything."""

    def add(self) -> Work:
        """1 + 2, both u32."""
        raise SitsOut("no such call")

    def through_graph(self) -> Work:
        """The same as an application calls it, by its name in a graph."""
        raise SitsOut("no graph in between: as the small call")

    def text(self, text: str) -> Work:
        """A text there and back."""
        raise SitsOut("no text")

    def data(self, data: bytes) -> Work:
        """Bytes there and back."""
        raise SitsOut("no bytes")

    def lines(self, lines: list[Line]) -> Work:
        """A list of records there and back; the step's `per` is their number."""
        raise SitsOut("no records")

    def dicts(self, lines: list[Line]) -> Work:
        """The same where the records are given as mappings, if there is another way."""
        raise SitsOut("takes nothing else: as above")

    def shown(self, line: Any) -> Line:
        """A record as it comes back, as a mapping."""
        found: Line = line
        return found

    def method(self) -> Work:
        """A method of an object that lives on the far side, with 5 in it, which it answers."""
        raise SitsOut("no objects")

    def callback(self, times: int) -> Work:
        """One call in which the far side calls a function of this side, without arguments, so many times; `per` is that number."""
        raise SitsOut("no synchronous calls back into Python")

    def edge(self, times: int) -> Work:
        """One call in which the far side asks another of its kind for a sum so many times, by way of this one; answers the number."""
        raise SitsOut("no synchronous calls back into Python")

    def fused_edge(self, times: int) -> Work:
        """The same where the two are one component, and nothing comes between them."""
        raise SitsOut("nothing to join")

    def read(self, file: int, size: int, times: int) -> Work:
        """The far side asks for the beginning of a file so many times; `per` is that number."""
        raise SitsOut("no synchronous calls back into Python")

    def round_trips(self, times: int) -> Work:
        """The far side sends sixteen bytes to a server and has them back, so many times on one connection; answers and is that `per`."""
        raise SitsOut("no sockets")

    def fetch(self, count: int) -> Work:
        """The far side reads so many bytes from a server; answers their number."""
        raise SitsOut("no sockets")

    def pieces(self, folder: Path, size: int) -> Work:
        """The far side opens the file `file` of a folder and reads it to its end, so many bytes at a time; answers how many they were."""
        raise SitsOut("has no files of its own")

    def opened(self, folder: Path, times: int) -> Work:
        """The far side opens and closes it so often; answers the number, as `per` is."""
        raise SitsOut("has no files of its own")

    def looked_at(self, folder: Path, times: int) -> Work:
        """The far side asks for its status so often; likewise."""
        raise SitsOut("has no files of its own")

    def database(self, workload: str, rows: int) -> Work:
        """One of the workloads of `databases` on a file with so many rows; answers their number."""
        raise SitsOut("no database")

    def markdown(self, text: str) -> Work:
        """Markdown to HTML, by the C library of components/markdown."""
        raise SitsOut("not with this C library")

    def json(self, text: str) -> Work:
        """JSON to a tree, by the C library of components/json-decoder; answers the number of its nodes, and its texts as Python values."""
        raise SitsOut("not with this C library")

    def json_values(self, text: str) -> Work:
        """JSON to values that Python may look at, all of them; answers whatever they are."""
        raise SitsOut("not with this C library")

    @cached_property
    def yaml(self) -> Importable:
        """PyYAML: a release of it, native or wrapped."""
        raise SitsOut("runs no CPython libraries")

    def fresh(self) -> Work:
        """Something new of the smallest kind, its first sum, and its end."""
        raise SitsOut("nothing to start")

    def fresh_python(self) -> Work:
        """A new CPython, its first call, and its end."""
        raise SitsOut("runs no CPython")

    def load(self, *, cached: bool) -> Work:
        """The smallest guest made ready to start: compiled, or taken from a cache on disk that has it."""
        raise SitsOut("nothing to compile")

    def load_python(self, *, cached: bool) -> Work:
        """The same for CPython, with its first call: what is put off until then counts as well."""
        raise SitsOut("runs no CPython")

    def imported(self) -> Work:
        """A new process of Python that imports the package."""
        raise SitsOut("nothing to import")

    def load_shop(self) -> Work:
        """A new process of Python that imports what it needs, and has two CPython guests taken from the cache: the shop, or its like."""
        raise SitsOut("runs no CPython")

    def first_answer(self) -> Work:
        """A new process of Python that imports what it needs, and has the first answer of a CPython guest taken from the cache."""
        raise SitsOut("runs no CPython")

    def alone(self, *, long: bool) -> Work:
        """What one of several threads calls: its own instance, asked for a sum, or for at least `place.seconds` of work."""
        raise SitsOut("no threads")
