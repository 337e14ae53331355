"""Nothing is left behind by calls, whether they succeed or fail in the middle of a value."""

import contextlib
import gc
from pathlib import Path

import pytest
from ringfence.contract.errors import ShapeError
from ringfence.contract.limits import Limits
from ringfence.contract.types import EnumOf, FlagsOf, ListOf, OptionOf, Primitive, RecordOf, ResultOf, VariantOf
from ringfence.contract.values import Case, Err, Ok, WitError

STATM = Path("/proc/self/statm")
pytestmark = pytest.mark.skipif(not STATM.exists(), reason="needs Linux's /proc")

KIND = ListOf(
    RecordOf(
        (
            ("text", Primitive("string")),
            ("data", ListOf(Primitive("u8"))),
            ("numbers", ListOf(Primitive("s64"))),
            ("maybe", OptionOf(Primitive("string"))),
            ("case", VariantOf((("none", None), ("some", Primitive("string"))))),
            ("label", EnumOf(("one", "two"))),
            ("flags", FlagsOf(("read", "write"))),
            ("result", ResultOf(Primitive("string"), Primitive("u8"))),
        )
    )
)


def value(count=4):
    return [
        {
            "text": "text" * 50,
            "data": bytes(200),
            "numbers": [1, 2, 3],
            "maybe": "maybe" * 20,
            "case": Case("some", "payload"),
            "label": "two",
            "flags": {"read", "write"},
            "result": Ok("fine") if index % 2 else Err(3),
        }
        for index in range(count)
    ]


def grown(work, times):
    """By how many bytes the process grew while it did the work so often, after a first part of it to warm up."""
    for _ in range(times // 3):
        work()
    gc.collect()
    before = int(STATM.read_text().split()[1])
    for _ in range(times):
        work()
    gc.collect()
    return (int(STATM.read_text().split()[1]) - before) * 4096


def test_calls_and_misfits_leave_nothing_behind(echo):
    run, good, bad = echo(KIND), value(), value()
    bad[3]["result"] = Ok(5)  # the last thing that is converted

    def work():
        run(good)
        with contextlib.suppress(ShapeError):
            run(bad)

    assert grown(work, 1000) < 1 << 20


def test_whole_lives_of_instances_leave_nothing_behind(link, text, new_call):
    """Instances, traps, exceptions, host objects and handles that nobody closed."""

    class Conn:
        size = 1

        def close(self):
            pass

    def refuse(_context, _conn):
        raise WitError("not a result")

    functions = {
        ("acme:db/store", "[method]conn.size"): lambda _, conn: conn.size,
        ("acme:db/store", "[method]other.size"): lambda _, other: 0,
        ("acme:db/store", "open"): lambda _: Conn(),
        ("acme:db/store", "consume"): refuse,
        ("acme:db/use", "total"): lambda _, one, two: 0,
    }
    store = link(text("store"), functions)
    things = link(text("things"), {("", "dropped"): lambda _, number: None, ("", "between"): lambda _: None})
    api = "acme:api/things@1.2.0"

    def work():
        call = new_call()
        instance = store.instantiate(Limits(), call)
        instance.call(("", "size-of"), (Conn(),), call)
        instance.call(("", "open-it"), (), call)
        with contextlib.suppress(ShapeError):
            instance.call(("", "consume-it"), (), call)
        instance.close()
        other = things.instantiate(Limits(), call)
        handles = other.call((api, "many"), (10,), call)
        handles[0].close()
        other.call((api, "take"), (handles[1],), call)
        del handles
        other.call((api, "[constructor]thing"), (1,), call)
        with contextlib.suppress(Exception):
            other.call((api, "stop"), (), call)
        other.close()

    assert grown(work, 300) < 1 << 20
