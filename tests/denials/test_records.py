"""What a guest was refused is told in the end, and what it says is told in measure."""

import asyncio
from collections import deque
from pathlib import Path

import pytest
from ringfence import DeadlineExceeded, GuestError
from ringfence.call import Root
from ringfence.contract.errors import Denial, LimitExceeded
from ringfence.contract.lock import Lock
from ringfence.contract.values import Case, record_class
from ringfence.directory import Target
from ringfence.instance import Inbound
from ringfence.loading import Composed, LockFile
from ringfence.running import Running

DENIAL = Denial(node="n", edge="application -> n", kind="tcp", operation="connect to", value="10.0.0.1:22", reason="no grant", allow="")


class Sneaky:
    """A node that is refused something and then runs into a limit on purpose."""

    name = "n"

    def invoke(self, root, *_):
        root.deny(DENIAL)
        raise LimitExceeded("n", "output", "1MiB")


def test_a_guest_cannot_hide_its_denials_behind_a_limit():
    lock = Lock(graph="g", manifest="graph.yaml", inputs={})
    denials, every = deque(), deque()
    running = Running(
        Composed(LockFile(lock, Path("graph.lock.json"), None), lock, {}, {}, {}, {}, None), {}, (denials, every), arrays=False
    )
    target = Target(node=Sneaky(), inbound=Inbound(name="application -> n", limits=None), function=("", "f"))
    with pytest.raises(LimitExceeded):
        running._call(Root(), target, ())
    assert list(denials) == list(every) == [DENIAL]


@pytest.mark.parametrize(
    "value",
    ["x" * 10_000_000, b"x" * 10_000_000, Case("bad-reply", "x" * 10_000_000), [record_class(("a", "b"))("x" * 1000, ["y"] * 1000)] * 1000],
)
def test_a_guests_error_fits_into_a_message(value):
    error = GuestError("n.f", value)
    assert len(str(error)) < 5000
    assert error.value is value


def test_waiting_for_a_thread_counts_to_the_deadline(probe, monkeypatch):
    monkeypatch.setattr("ringfence.beside._THREADS", 1)
    graph = probe(limits="deadline: 1s")

    async def both():
        calls = [graph.acall("probe.sleep", 0.7) for _ in range(2)]
        return await asyncio.gather(*calls, return_exceptions=True)

    first, second = asyncio.run(both())
    assert first is None
    assert isinstance(second, DeadlineExceeded)
