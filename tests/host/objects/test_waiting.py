"""Nothing waits for ever: threads that wait for each other across a callback, a process that forks in one."""

from __future__ import annotations

import json
import os
import threading

import native_library
import pytest
from native_library import Names, NativeLibrary
from ringfence.contract.errors import DeadlineExceeded, UsageError
from ringfence.objects.errors import StaleObject


@pytest.fixture
def short(monkeypatch):
    """Calls whose deadline passes after two looks at it."""
    looks = []

    def check(_):
        looks.append(1)
        if len(looks) > 2:
            raise DeadlineExceeded("library", "deadline", "1s")

    monkeypatch.setattr(native_library.Call, "check", check)


def test_a_function_that_waits_for_a_thread_which_uses_the_library_ends(zoo, short):
    """Each waits for the other; the call's deadline ends the call, but nobody can interrupt the function that waits."""
    raised = []

    def other():
        try:
            zoo.echo(2)
        except UsageError as error:
            raised.append(error)

    def waits():
        thread = threading.Thread(target=other, daemon=True)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()

    with pytest.raises(Exception, match="deadline"):
        zoo.call(waits)
    assert len(raised) == 1
    assert "another thread" in raised[0].hint


def test_threads_that_do_not_wait_for_each_other_queue(zoo):
    """The control."""
    found = []
    thread = threading.Thread(target=lambda: found.append(zoo.echo(2)))

    def starts():
        thread.start()
        thread.join(0.3)
        return 1

    assert zoo.call(starts) == 1
    thread.join(20)
    assert found == [2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_a_process_that_forks_in_a_function_is_not_stuck(zoo):
    """The child's copy of the call is one that nobody performs."""

    def forks():
        child = os.fork()
        return os.waitpid(child, 0)[1] if child else -1

    me = os.getpid()
    try:
        found = zoo.call(forks)
    except StaleObject:
        os._exit(7 if os.getpid() != me else 1)
    if os.getpid() != me:
        os._exit(2)
    assert os.waitstatus_to_exitcode(found) == 7


def test_what_ended_a_program_once_cannot_be_raised_again():
    """A library that keeps the application's KeyboardInterrupt has no right to it later."""
    library = NativeLibrary("zoo", ["zoo"])
    kept = []

    def perform(text):
        _, _, name, *operands = json.loads(text)
        if name == "hello":
            return "[0,null]"
        if not kept:
            kept.append(operands[1][0]["i"])
        return json.dumps([1, {"$": "h", "i": kept[0]}])

    library.perform_instead = perform
    with pytest.raises(RuntimeError, match="KeyboardInterrupt"):
        Names(library, "zoo").echo(KeyboardInterrupt())
