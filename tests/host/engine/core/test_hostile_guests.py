"""Guests that lie in every way a script can say, and components that are broken, on both engines.

No process dies, there is no wrong success, failures are of equal kinds. `hostile/` has the games; what fuzzing found is in `finds/` and is
played again here. `just fuzz` looks for more.
"""

import json

import pytest
from host.engine.core.hostile.batch import batch, started
from host.engine.core.hostile.finds import FINDS

KINDS = {
    "scripts": {
        *("value", "trap", "shape", "planned", "wit", "limit stack", "limit output", "deadline", "overlapping"),
        "carried as parts",
    },
    "values": {"value", "shape"},
    "components": {"value", "trap", "invalid", "shape"},
}


@pytest.mark.parametrize(
    ("game", "seeds", "seconds", "least"), [("scripts", (1, 2), 18, 1000), ("values", (1,), 4, 300), ("components", (1,), 8, 20)]
)
def test_whatever_is_drawn_ends_alike_on_both_engines(capsys, game, seeds, seconds, least):
    """In processes of their own, from fixed seeds, as many as there is time for; every kind of outcome must have come."""
    report = batch(game, seeds, seconds=seconds)
    with capsys.disabled():
        print(f"\n{report}")
    assert not report.found, json.dumps(report.found[0], indent=1)
    assert report.runs >= least
    assert report.outcomes.keys() >= KINDS[game]


@pytest.mark.skipif(not list(FINDS.glob("*.json")), reason="nothing was found yet")
def test_what_was_found_once_is_right_now():
    """Each file tells what was wrong when it was found."""
    process = started("again", *map(str, sorted(FINDS.glob("*.json"))))
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert [line for line in map(json.loads, output.splitlines()) if line["wrong"]] == []
