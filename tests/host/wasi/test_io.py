"""wasi:io, the protocol of streams and polls, with streams in memory; clocks as timers."""

from __future__ import annotations

import threading
import time

import pytest
from ringfence.contract.errors import DeadlineExceeded, GuestTrap, LimitExceeded
from ringfence.contract.values import WitError
from ringfence.wasi.io import CHUNK, EmptyInput, InputStream, OutputStream, Pollable
from ringfence.wasi.state import HANDLES

CLOCK = {"clocks": ["monotonic"]}


class Memory(OutputStream):
    """Takes `free` bytes."""

    def __init__(self, state, free=1 << 20):
        super().__init__(state)
        self.taken, self.free = bytearray(), free

    def push(self, data):
        count = min(len(data), self.free)
        self.free -= count
        self.taken += data[:count]
        return count

    def room(self):
        return min(CHUNK, self.free)


class Endless(InputStream):
    def pull(self, length):
        return b"z" * length


def test_reads_are_bounded_whatever_is_asked_for(guest):
    one = guest()
    assert len(one.reads("read", Endless(one.state), (1 << 64) - 1)) == CHUNK
    assert one.reads("blocking-skip", Endless(one.state), (1 << 64) - 1) == CHUNK
    assert one.reads("skip", Endless(one.state), 3) == 3


def test_writing_more_than_permitted_traps(guest):
    one = guest()
    out = Memory(one.state)
    with pytest.raises(GuestTrap):
        one.writes("write", out, b"x")
    allowed = one.writes("check-write", out)
    one.writes("write", out, b"x" * 10)
    with pytest.raises(GuestTrap):
        one.writes("write", out, b"x" * (allowed - 9))
    with pytest.raises(GuestTrap):
        one.writes("write-zeroes", out, 1 << 63)
    for name, argument in (("blocking-write-and-flush", b"x" * 4097), ("blocking-write-zeroes-and-flush", 4097)):
        with pytest.raises(GuestTrap):
            one.writes(name, out, argument)
    one.writes("blocking-write-zeroes-and-flush", out, 4096)
    assert out.taken == b"x" * 10 + bytes(4096)


def test_splice_moves_what_both_sides_allow(guest):
    one = guest()
    out = Memory(one.state, free=100)
    assert one.writes("splice", out, Endless(one.state), 30) == 30
    assert one.writes("blocking-splice", out, Endless(one.state), 1 << 63) == 70
    assert one.writes("splice", out, Endless(one.state), 30) == 0
    with pytest.raises(WitError) as ended:
        one.writes("splice", Memory(one.state), EmptyInput(one.state), 1)
    assert ended.value.value.name == "closed"


def test_poll_traps_on_an_empty_list_and_on_too_long_ones(guest):
    one = guest()
    with pytest.raises(GuestTrap):
        one("io/poll", "poll", [])
    with pytest.raises(GuestTrap):
        one("io/poll", "poll", [Pollable(one.state, EmptyInput(one.state))] * 100_000)


def test_poll_names_every_ready_one_duplicates_too(guest):
    one = guest(**CLOCK)
    later = one("clocks/monotonic-clock", "subscribe-duration", 10**12)
    ready = one.reads("subscribe", Endless(one.state))
    assert one("io/poll", "poll", [later, ready, later, ready]) == [1, 3]
    soon = one("clocks/monotonic-clock", "subscribe-duration", 30_000_000)
    assert one.method("io/poll", "pollable.ready", soon) is False
    began = time.monotonic()
    assert one("io/poll", "poll", [later, soon, soon]) == [1, 2]
    assert 0.02 < time.monotonic() - began < 1
    at = one("clocks/monotonic-clock", "subscribe-instant", 0)
    one.method("io/poll", "pollable.block", at)


def test_waiting_ends_at_the_deadline_and_lets_other_threads_run(guest):
    one, ticks = guest(**CLOCK, deadline=0.2), []
    thread = threading.Thread(target=lambda: [(ticks.append(1), time.sleep(0.01)) for _ in range(10)])
    thread.start()
    with pytest.raises(DeadlineExceeded):
        one("io/poll", "poll", [one("clocks/monotonic-clock", "subscribe-duration", (1 << 64) - 1)])
    thread.join()
    assert len(ticks) == 10


def test_waiting_works_above_descriptor_1023(guest, listener, at):
    """select() breaks there; a busy host has that many."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2100:
        pytest.skip("not enough descriptors here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2100), hard))
    import os

    spare = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        one = guest(tcp=["127.0.0.1:*"], deadline=0.2)
        _, reader, _ = one.connect(at("127.0.0.1", listener.getsockname()[1]))
        with pytest.raises(DeadlineExceeded):
            one.reads("blocking-read", reader, 1)
    finally:
        for descriptor in spare:
            os.close(descriptor)


def test_handles_are_counted_and_given_back(guest):
    one = guest(**CLOCK)
    held = [one("clocks/monotonic-clock", "subscribe-duration", 1) for _ in range(HANDLES)]
    with pytest.raises(LimitExceeded) as failed:
        one("clocks/monotonic-clock", "subscribe-duration", 1)
    assert failed.value.limit == "handles"
    for one_held in held:
        one_held.close()
        one_held.close()
    assert one.state.held == 0


def test_closing_the_state_closes_everything(guest, listener, at):
    one = guest(tcp=["127.0.0.1:*"])
    one.connect(at("127.0.0.1", listener.getsockname()[1]))
    peer, _ = listener.accept()
    one.state.close()
    assert peer.recv(1) == b""
    peer.close()
    assert (one.state.held, one.state.sockets) == (0, 0)
    one.state.close()
