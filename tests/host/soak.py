"""Four threads call many guests in one process for a while, in every way a call can go; every answer is checked, and so is what it costs.

    just soak [seconds]

Components of text on the core engine (random types and values, hostile scripts), C and CPython through a graph, and the shop over HTTP;
instances that are fresh, pooled and kept; traps, deadlines, exceptions of host functions, interruptions by another thread, Ctrl-C on
the main thread. No exception may come out of a call that it was not meant for, no answer may be wrong, and memory and descriptors must
stay where they are: the end is compared with what was there when a quarter of the time had passed. The exit status is 1 where that does
not hold.
"""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import vendor_faults
from host.engine.conftest import Call
from host.engine.core.hostile.play import Side
from host.engine.core.hostile.script import Scribe
from host.engine.core.hostile.stage import artifacts
from host.engine.core.hostile.world import World
from host.engine.relay import LIBC, echo_text
from host.engine.test_any_type import SHAPES, Maker
from places import ROOT, SHOP
from ringfence import Graph
from ringfence.contract.errors import DeadlineExceeded, GuestError, GuestTrap, LimitExceeded, ShapeError
from ringfence.contract.limits import Limits
from ringfence.contract.types import ResultOf
from ringfence.engine.core import CoreEngine
from ringfence.engine.ticker import ticker
from ringfence_composer.compose import compose_file
from vendor_server import ORDERS, VendorServer

THREADS = 4
GROWTH = 24 << 20
"""Bytes that the process may hold more at the end than after a quarter of the time: what the allocator does, not what is kept."""
TOKEN = "soak-token"
HOSTILE = (ROOT / "tests/host/engine/fixtures/hostile.wat").read_text().replace("{LIBC}", LIBC)
JSON_GRAPH = """
ringfence: 1
graph: soak
nodes:
  fresh: { component: ROOT/components/json-decoder, limits: { memory: 128MiB, deadline: 20s, output: 4MiB } }
  pooled: { component: ROOT/tests/components/json_in_python, limits: { memory: 128MiB, deadline: 20s, output: 4MiB }, instances: pooled }
expose: [fresh, pooled]
"""


NUISANCES = (
    *(("loop", DeadlineExceeded), ("trap", GuestTrap), ("recurse", LimitExceeded)),
    *(("outside", GuestTrap), ("eat-and-give-up", LimitExceeded)),
)
"""What the hostile fixture does, and what that must end in."""


class Mine(Exception):
    """What a host function, or an interruption, raises in one call and no other."""


class Marked(Call):
    """A call that knows its own exception."""

    def __init__(self, seconds: float = 30.0) -> None:
        super().__init__(seconds)
        self.own = Mine(object())


@dataclass
class Report:
    """What happened; `wrong` are answers and exceptions that must not be."""

    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)

    @property
    def grown(self) -> int:
        """Bytes held at the end beyond those held early."""
        return self.resident[-1] - self.resident[0]

    @property
    def leaks(self) -> str:
        """What stayed behind, in words; nothing where all is well."""
        found = [f"{self.grown >> 20} MiB more are held"] if self.grown > GROWTH else []
        if self.descriptors[-1] > self.descriptors[0] + 2:
            found.append(f"{self.descriptors} descriptors")
        return ", ".join(found)

    def told(self) -> str:
        """All of it as JSON."""
        counts = {"calls": sum(self.done.values()), "done": dict(self.done.most_common())}
        costs = {"resident": self.resident, "descriptors": self.descriptors}
        return json.dumps(counts | costs | {"wrong": self.wrong, "leaks": self.leaks})


class Soak:
    """Everything the threads share, while it is entered."""

    def __init__(self, seconds: float, seed: int) -> None:
        self.until, self.report = time.monotonic() + seconds, Report()
        self._seconds, self._seed, self._guard = seconds, seed, threading.Lock()
        self._running: dict[int, Marked] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        stack = self._stack
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["VENDOR_TOKEN"] = TOKEN
        self.servers = [stack.enter_context(VendorServer(token=TOKEN)) for _ in range(2)]
        self.servers[1].fault = vendor_faults.slow(1.5)
        shop = (SHOP / "graph.yaml").read_text().replace("../../components", "ROOT/components")
        texts = {
            "json": JSON_GRAPH,
            "shop": shop.replace("deadline: 2s", "deadline: 20s"),
            "hanging": shop.replace("deadline: 2s", "deadline: 300ms"),
        }
        self.graphs = {}
        for name, text in texts.items():
            place = folder / name / "graph.yaml"
            place.parent.mkdir()
            place.write_text(text.replace("ROOT", os.path.relpath(ROOT, place.parent)))
            compose_file(place)
            server = self.servers[name == "hanging"]
            parameters = {} if name == "json" else {"vendor": server.address}
            self.graphs[name] = stack.enter_context(Graph.load(place, parameters=parameters))
        self.kinds = [one for one in map(_kind, range(8)) if not isinstance(one, ResultOf)]
        engine = CoreEngine()
        self.echoes = [engine.link(engine.load(artifacts(echo_text(kind))), {("", "host"): _host}) for kind in self.kinds]
        self.nuisance = engine.link(
            engine.load(artifacts(HOSTILE)), {("", "poke"): lambda context, number: _host(context, number) and None}
        )
        self.worlds = [(world, artifacts(world.text)) for world in map(World.of, range(2))]
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self) -> Report:
        """All threads until the time is up, the main one meanwhile under Ctrl-C."""
        self.until = time.monotonic() + self._seconds
        threads = [threading.Thread(target=self._work, args=(number,)) for number in range(THREADS)]
        threads.append(threading.Thread(target=self._interrupt))
        for thread in threads:
            thread.start()
        quarter = time.monotonic() + self._seconds / 4
        while time.monotonic() < self.until:
            self._guarded("ctrl-c", lambda: self._under_ctrl_c(random.Random(time.monotonic_ns())))
            if not self.report.resident and time.monotonic() > quarter:
                self._measure()
        for thread in threads:
            thread.join()
        self._measure()
        if ticker.running:
            self.report.wrong.append(f"the clock ticks for {ticker.running} calls that have ended")
        return self.report

    def _measure(self) -> None:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.report.resident.append(pages * os.sysconf("SC_PAGE_SIZE"))
        self.report.descriptors.append(sum(1 for _ in Path("/proc/self/fd").iterdir()))

    def _count(self, what: str) -> None:
        with self._guard:
            self.report.done[what] += 1

    def _guarded(self, what: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:
            self.report.wrong.append(f"{what}: {error!r}")
            if len(self.report.wrong) > 20:
                self.until = 0.0

    @contextmanager
    def _interruptible(self, call: Marked) -> Iterator[None]:
        me = threading.get_ident()
        self._running[me] = call
        try:
            yield
        finally:
            del self._running[me]

    def _interrupt(self) -> None:
        """Now and then end somebody's call, for a reason that is that call's own."""
        pick = random.Random(self._seed)
        while time.monotonic() < self.until or self._running:
            time.sleep(pick.random() * 0.01)
            for call in list(self._running.values()):
                if pick.random() < 0.3:
                    call.interrupt(call.own)

    # What the threads do

    def _work(self, number: int) -> None:
        pick = random.Random(f"{self._seed} {number}")
        guests = Guests(self, pick)
        ways = [guests.echo] * 10 + [guests.nuisance, guests.interrupted, guests.script, self._decode, self._order, self._hanging]
        while time.monotonic() < self.until:
            way = pick.choice(ways)
            self._guarded(way.__name__.strip("_"), lambda way=way: way(pick) if way.__self__ is self else way())
        guests.close()

    def _decode(self, pick: random.Random) -> None:
        value = _json(pick, 4)
        document = self.graphs["json"].call(f"{pick.choice(['fresh', 'pooled'])}.decode", json.dumps(value))
        assert _built(document) == value, (value, document)
        _, error = _ended(lambda: self.graphs["json"].call("pooled.decode", "{oops"), GuestError)
        assert error.value.kind == "syntax", error
        self._count("json")

    def _order(self, pick: random.Random) -> None:
        wanted = pick.choice([*ORDERS, None])
        name = "no-such" if wanted is None else wanted["id"]
        order, error = _ended(lambda: self.graphs["shop"].call("vendor.get-order", name), GuestError)
        if wanted is None:
            assert error.value.name == "not-found", error
        else:
            assert order.id == name, (order, error)
            assert order.customer.name == wanted["customer"]["name"]
            assert order.total == sum(line["quantity"] * line["unit_price"] for line in wanted["lines"])
        self._count("shop")

    def _hanging(self, pick: random.Random) -> None:
        if pick.random() < 0.8:
            return
        began = time.monotonic()
        answer, error = _ended(lambda: self.graphs["hanging"].call("vendor.get-order", "A-17"), DeadlineExceeded)
        assert error is not None, f"a vendor that takes too long answered {answer}"
        assert time.monotonic() - began < 15
        self._count("shop, deadline")

    def _under_ctrl_c(self, pick: random.Random) -> None:
        """The call ends with KeyboardInterrupt, or as it should; then the instance is dead, or answers rightly."""
        call = Call()
        instance = self.nuisance.instantiate(Limits(), call)
        timer = threading.Timer(pick.random() * 0.004, os.kill, [os.getpid(), signal.SIGINT])
        struck = False
        try:
            timer.start()
            instance.call(("", "spin-and-poke"), (pick.randrange(1, 1_000_000),), call)
            while timer.is_alive():
                time.sleep(0.0005)
            time.sleep(0.001)
        except KeyboardInterrupt:
            struck = True
        with suppress(KeyboardInterrupt):  # it may come late, by another thread that took it from the kernel
            timer.join()
            time.sleep(0.001)
        try:
            assert instance.call(("", "fine"), (), Call()) == 1
        except GuestTrap:
            assert instance.trapped, "it can't be entered, but has not trapped"
        instance.close()
        self._count("ctrl-c" if struck else "ctrl-c, late")


def _kind(seed: int) -> Any:
    return Maker(seed).type(3, SHAPES[seed])


def _host(context: Any, value: Any) -> Any:
    """Answers what it gets, or what the call says."""
    answer = getattr(context, "answer", None)
    return value if answer is None else answer(value)


class Guests:
    """What one thread calls on the engine: instances that it keeps, and fresh ones."""

    def __init__(self, soak: Soak, pick: random.Random) -> None:
        self._soak, self._pick, self._maker = soak, pick, Maker(pick.getrandbits(40))
        self._kept: dict[int, Any] = {}
        self._sides = [(world, Side(CoreEngine(), made, world)) for world, made in soak.worlds]

    def close(self) -> None:
        """End what is kept."""
        for instance in self._kept.values():
            instance.close()

    def _instance(self, index: int, *, fresh: bool) -> Any:
        if fresh:
            return self._soak.echoes[index].instantiate(Limits(), Call())
        if index not in self._kept or self._kept[index].trapped:
            if index in self._kept:
                self._kept.pop(index).close()
            self._kept[index] = self._soak.echoes[index].instantiate(Limits(), Call())
        return self._kept[index]

    def echo(self) -> None:
        """A value there and back; or its host function fails, or answers what does not fit."""
        pick, call = self._pick, Marked()
        index, fresh, how = pick.randrange(len(self._soak.kinds)), pick.random() < 0.2, pick.random()
        instance, value = self._instance(index, fresh=fresh), self._maker.value(self._soak.kinds[index])
        if how < 0.1:
            call.answer = lambda _: _raise(call.own)
        elif how < 0.2:
            call.answer = lambda _: object()
        found, error = _ended(lambda: instance.call(("", "echo"), (value,), call), Mine, ShapeError)
        if how < 0.1:
            assert error is call.own, f"not this call's exception: {error!r}"
        elif how < 0.2:
            assert isinstance(error, ShapeError), error
        else:
            assert (found, error) == (value, None), (found, value)
        self._soak._count("echo" if error is None else f"echo, {type(error).__name__}")
        if fresh:
            instance.close()

    def nuisance(self) -> None:
        """A guest that loops, traps, recurses without end or eats memory."""
        name, expected = self._pick.choice(NUISANCES)
        call = Marked(0.03 if name == "loop" else 30)
        instance = self._soak.nuisance.instantiate(Limits(memory=4 << 20), Call())
        _, error = _ended(lambda: instance.call(("", name), (0,) if name == "recurse" else (), call), expected)
        assert error is not None, f"{name} came back"
        assert instance.trapped or name == "loop", "it has not trapped"  # a late call does not even begin
        instance.close()
        self._soak._count(f"nuisance: {name}")

    def interrupted(self) -> None:
        """A loop, or a wait in a host function, that another thread ends."""
        call = Marked()
        if self._pick.random() < 0.5:
            call.answer = lambda _: self._wait(call)
        instance = self._soak.nuisance.instantiate(Limits(), call)
        with self._soak._interruptible(call):
            _, error = _ended(lambda: instance.call(("", "poke-and-loop"), (1,), call), Mine)
        assert error is call.own, f"not this call's interruption: {error!r}"
        instance.close()
        self._soak._count("interrupted")

    @staticmethod
    def _wait(call: Marked) -> None:
        while call.reason is None:
            time.sleep(0.0005)
        call.check()

    def script(self) -> None:
        """A hostile script, on the core engine alone."""
        world, side = self._pick.choice(self._sides)
        script = Scribe(world, self._pick.getrandbits(40)).script()
        outcome = side.begin(script)
        for step in script.steps if outcome[0] == "value" else []:
            outcome, dead, _ = side.play(step)
            assert outcome[0] != "alien", outcome
            if any(dead):
                break
        side.end()
        self._soak._count("hostile script")


def _ended(work: Callable[[], Any], *expected: type[Exception]) -> tuple[Any, Exception | None]:
    """What came back, or which of these exceptions came out."""
    try:
        return work(), None
    except expected as error:
        return None, error


def _raise(error: Exception) -> Any:
    raise error


def _json(pick: random.Random, depth: int) -> Any:
    what = pick.choice(["null", "bool", "int", "float", "text", "array", "object"][: 7 if depth else 5])
    if what == "array":
        return [_json(pick, depth - 1) for _ in range(pick.randrange(5))]
    if what == "object":
        return {f"k{pick.randrange(50)} ß": _json(pick, depth - 1) for _ in range(pick.randrange(5))}
    if what == "int":
        return pick.getrandbits(62) - (1 << 61)
    return {"null": None, "bool": pick.random() < 0.5, "float": pick.random() * 1e9, "text": "ä😀\n" * pick.randrange(9)}[what]


def _built(document: Any) -> Any:
    """A decoded document as Python has it."""

    def value(number: int) -> Any:
        node = document.nodes[number]
        match node.name:
            case "array":
                return [value(one) for one in node.value]
            case "object":
                return {member.name: value(member.value) for member in node.value}
            case "float":
                return node.value.value
        return node.value

    return value(document.root)


def main(seconds: float) -> int:
    """Soak for so many seconds; tell what happened."""
    with Soak(seconds, random.SystemRandom().getrandbits(40)) as soak:
        report = soak.run()
    print(report.told())
    for wrong in report.wrong:
        print(wrong, file=sys.stderr)
    return 1 if report.wrong or report.leaks else 0


if __name__ == "__main__":
    raise SystemExit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 300.0))
