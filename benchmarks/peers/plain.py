"""Python itself, with nothing in between: what a call costs without any fence."""

from __future__ import annotations

import json
import os
import runpy
import sqlite3
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from benchmarks import native
from benchmarks.databases import WORKLOADS
from benchmarks.peers.base import Line, Peer
from benchmarks.traffic_server import TrafficServer
from benchmarks.work import Work, busy
from benchmarks.wrapped import Importable
from benchmarks.wrapped import native as native_yaml


def _add(a: int, b: int) -> int:
    return (a + b) & 0xFFFFFFFF


def _spin(count: int) -> int:
    x = 0
    for _ in range(count):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
    return x


class _Counter:
    def __init__(self, number: int) -> None:
        self.number = number

    def get(self) -> int:
        return self.number


def _nothing() -> None:
    pass


def _calls(function: Callable[[], None], times: int) -> None:
    for _ in range(times):
        function()


def _sums(function: Callable[[int, int], int], times: int) -> int:
    found = 0
    for _ in range(times):
        found = function(found, 1)
    return found


def _traffic(name: str) -> Callable[[int, int], int]:
    """What the guest runs, run here."""
    source = Path(__file__).parents[1] / "guests" / "network" / "src" / "traffic.py"
    found: Callable[[int, int], int] = runpy.run_path(str(source))[name]
    return found


class Plain(Peer):
    """Nothing is checked; values are copied as often as they would be on their way there and back."""

    name, title = "plain", "plain Python"
    about = (
        "A Python function in the same process: no border at all; bytes, text and records are copied twice, as little as can be. "
        "C libraries are the components' own files, compiled for this machine by the same compiler and called by ctypes."
    )

    def add(self) -> Work:
        return Work(run=lambda: _add(1, 2))

    def text(self, text: str) -> Work:
        return Work(run=lambda: text.encode().decode())

    def data(self, data: bytes) -> Work:
        return Work(run=lambda: bytes(bytearray(data)))

    def lines(self, lines: list[Line]) -> Work:
        return Work(run=lambda: [dict(line) for line in [dict(line) for line in lines]], per=len(lines))

    def method(self) -> Work:
        counter = _Counter(5)
        return Work(run=lambda: counter.get())

    def callback(self, times: int) -> Work:
        return Work(run=lambda: _calls(_nothing, times), per=times)

    def edge(self, times: int) -> Work:
        return Work(run=lambda: _sums(_add, times), per=times)

    def read(self, file: int, size: int, times: int) -> Work:
        buffer = [bytearray(size)]

        def run() -> None:
            for _ in range(times):
                os.preadv(file, buffer, 0)

        return Work(run=run, per=times)

    def round_trips(self, times: int) -> Work:
        server = TrafficServer()
        function = _traffic("round_trips")
        return Work(run=lambda: function(server.port, times), per=times, close=server.close)

    def fetch(self, count: int) -> Work:
        server = TrafficServer()
        function = _traffic("fetch")
        return Work(run=lambda: function(server.port, count), close=server.close)

    def pieces(self, folder: Path, size: int) -> Work:
        buffer = [bytearray(size)]

        def run() -> int:
            file, done = os.open(folder / "file", os.O_RDONLY), 0
            while count := os.preadv(file, buffer, done):
                done += count
            os.close(file)
            return done

        return Work(run=run, per=-(-(folder / "file").stat().st_size // size))

    def opened(self, folder: Path, times: int) -> Work:
        path = str(folder / "file")

        def run() -> int:
            for _ in range(times):
                os.close(os.open(path, os.O_RDONLY))
            return times

        return Work(run=run, per=times)

    def looked_at(self, folder: Path, times: int) -> Work:
        path = str(folder / "file")

        def run() -> int:
            for _ in range(times):
                os.stat(path)
            return times

        return Work(run=run, per=times)

    def database(self, workload: str, rows: int) -> Work:
        return WORKLOADS[workload](sqlite3, str(self.place.new_folder() / "plain.sqlite3"), rows)

    def markdown(self, text: str) -> Work:
        renderer = native.Markdown(self.place.root / "components" / "markdown")
        return Work(run=lambda: renderer.to_html(text, native.TABLES))

    def json(self, text: str) -> Work:
        decoder = native.Decoder(self.place.root / "components" / "json-decoder")
        return Work(run=lambda: decoder.texts(text))

    def json_values(self, text: str) -> Work:
        return Work(run=lambda: json.loads(text))

    @cached_property
    def yaml(self) -> Importable:
        return native_yaml(self.place)

    def alone(self, *, long: bool) -> Work:
        if not long:
            return self.add()
        count = busy(_spin, self.place.seconds)
        return Work(run=lambda: _spin(count))
