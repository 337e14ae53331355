"""Interrupted, cancelled, dropped, forked: the next call works, and nothing of the old one remains."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time

import pytest
from ringfence.contract.errors import RingfenceError
from ringfence.objects.errors import StaleObject

LIBRARY = b"""
HELD = []


def spin():
    while True:
        pass


def call(function):
    return function()


def keep(function):
    HELD.append(function)
    return len(HELD)


def nested(function, depth):
    return function(depth)


def trap():
    import os
    os.abort()


def memory():
    return bytearray(1 << 30)


def count(limit):
    for one in range(limit):
        try:
            yield one
        finally:
            HELD.append("closed") if one == 3 else None


def held():
    return [str(one) for one in HELD]


class Thing:
    def __init__(self, value):
        self.value = value

    def get(self):
        return self.value


def things(count):
    return [Thing(one) for one in range(count)]


def echo(value):
    return value
"""


@pytest.fixture
def library(wrap):
    """A library in a component, whose calls may take three seconds."""
    made = wrap("lives", {"lives.py": LIBRARY}, limits="deadline: 3s, memory: 256MiB").library()
    yield made
    for one in (made._shared,):
        if one is not None:
            one.close()


@pytest.fixture
def lives(library):
    from native_library import Names

    names = Names(library, "lives")
    assert names.echo(1) == 1
    return names


def interrupted(after: float = 0.5):
    timer = threading.Timer(after, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    return timer


@pytest.mark.parametrize("given", [False, True], ids=["holding nothing", "holding a function"])
def test_ctrl_c_in_the_middle_of_a_call_ends_it(lives, given):
    """In the caller's thread or a worker's, as what the library holds has it; the next call works."""
    if given:
        assert lives.keep(print) == 1
    timer = interrupted()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        lives.spin()
    timer.join()
    assert time.monotonic() - began < 2.9, "it is Ctrl-C that ended it, and not the deadline"
    assert lives.echo(2) == 2
    assert lives.held() == [], "nothing of the old instance remains"


def test_ctrl_c_in_a_callback_ends_the_call(lives, library):
    """The application's own code is interrupted; the library, which could catch it, does not keep it."""
    timer = interrupted()
    with pytest.raises(KeyboardInterrupt):
        lives.call(lambda: time.sleep(2.5))
    timer.join()
    assert lives.echo(2) == 2
    assert lives.call(lambda: 3) == 3
    assert library._shared._talk is None


@pytest.mark.parametrize("end", ["trap", "memory", "spin"])
def test_an_instance_that_dies_within_callbacks_ends_all_of_them(lives, end):
    """Three calls and callbacks within each other, the innermost of which is the end: each of them ends with an error of its own."""
    seen = []

    def deeper(depth):
        try:
            return getattr(lives, end)() if depth == 0 else lives.nested(deeper, depth - 1)
        except Exception as error:
            seen.append(type(error))
            raise

    with pytest.raises((RingfenceError, MemoryError)):
        lives.nested(deeper, 2)
    assert len(seen) == 3
    assert lives.echo(2) == 2


def test_two_tasks_of_one_event_loop_use_one_library(lives):
    """In threads of the loop's, side by side: each gets its own answers."""

    async def one(number):
        return [await asyncio.to_thread(lives.call, lambda: number) for _ in range(10)]

    async def both():
        return await asyncio.gather(one(1), one(2))

    assert asyncio.run(both()) == [[1] * 10, [2] * 10]


def test_a_task_that_is_cancelled_leaves_the_library_usable(lives):
    """Its thread goes on until the call ends, by itself or by its deadline; then the next has its turn."""

    async def cancelled():
        task = asyncio.create_task(asyncio.to_thread(lives.call, lambda: time.sleep(1)))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await asyncio.to_thread(lives.echo, 2)

    assert asyncio.run(cancelled()) == 2


def test_a_generator_that_is_closed_is_closed_in_the_library(lives):
    """`finally` runs there at once; of one that is merely dropped when the library is next asked."""
    for end in (lambda generator: generator.close(), lambda generator: None):
        generator = lives.count(10)
        assert [next(generator) for _ in range(4)] == [0, 1, 2, 3]
        end(generator)
        del generator
        gc.collect()
        lives.echo(1)
    assert lives.held() == ["closed"] * 2
    generator = lives.count(2)
    assert [*generator] == [0, 1]
    generator.close()
    assert [*generator] == []


def test_thousands_of_objects_dropped_at_once_are_let_go(lives, library):
    """In one list with the next call; the library holds none of them after it."""
    before = library._shared.perform("held")
    found = lives.things(5000)
    assert library._shared.perform("held") >= before + 5000
    del found
    gc.collect()
    lives.echo(1)
    assert library._shared.perform("held") <= before + 2


def test_objects_may_be_used_and_dropped_in_other_threads(lives):
    """A garbage collector runs wherever it likes."""
    found, wrong = lives.things(200), []

    def use():
        try:
            for one in range(20):
                assert found[one].get() == one
                lives.things(20)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert wrong == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
@pytest.mark.filterwarnings("ignore:This process")
def test_the_parents_objects_are_stale_in_a_child(lives):
    """It gets an instance of its own; the parent's object works on in the parent."""
    thing = lives.things(1)[0]
    child = os.fork()
    if child == 0:
        try:
            thing.get()
        except StaleObject:
            del thing
            os._exit(7 if lives.echo(3) == 3 and lives.held() == [] else 8)
        except BaseException:
            os._exit(9)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert thing.get() == 0
