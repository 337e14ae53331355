"""A run as it might have been, for what is made of runs."""

import pytest

from benchmarks.results import Breakdown, Part, Row, Run
from benchmarks.spread import Spread


def took(microseconds, *, samples=15):
    """Timings around this median."""
    seconds = microseconds * 1e-6
    return Spread(median=seconds, p10=seconds * 0.9, p90=seconds * 1.1, samples=samples)


@pytest.fixture
def make_run():
    """`make_run({case: {peer: microseconds or a reason}})`."""

    def make(figures, **given):
        rows = [
            Row(
                id=case,
                group="Calls" if case < "m" else "Starting",
                title=f"the case <{case}>",
                unit="call",
                figures={peer: found if isinstance(found, str) else took(found) for peer, found in by_peer.items()},
            )
            for case, by_peer in figures.items()
        ]
        peers = {peer: f"the {peer}" for row in rows for peer in row.figures}
        return Run(
            machine={"processor": "P", "cores": "2", "system": "S", "python": "CPython 3", "load": "0.0"},
            versions={"revision": "0123456789ab", "wasmtime": "1"},
            quick=False,
            seconds=60.0,
            peers=peers,
            about=dict.fromkeys(peers, "what it is"),
            rows=rows,
            breakdowns=[
                Breakdown(title="a call", total=2e-6, parts=(Part(title="all of it", seconds=2e-6),), missing=("a:b is not there",))
            ],
            **given,
        )

    return make


@pytest.fixture
def run(make_run):
    return make_run(
        {
            "call": {"core": 5.0, "extism": 20.0, "v8": "no <such> thing"},
            "records-1": {"core": 15.0, "extism": 30.0, "v8": 100.0},
            "start": {"core": 2e6, "extism": 0.00004, "v8": "no <such> thing"},
        }
    )
