"""Guests that lie in every way a script can say, on both engines: no process that dies, no wrong success, equal kinds of failure.

`hostile/` makes the guests and the scripts; what fuzzing found is in `finds/` and is played again here. `just fuzz` plays new ones.
"""

import json

import pytest
from host.engine.core.hostile.batch import batch, started
from host.engine.core.hostile.finds import FINDS

KINDS = {"value", "trap", "shape", "planned", "wit", "limit stack", "limit output", "deadline", "overlapping", "carried as parts"}


def test_thousands_of_hostile_scripts_end_alike_on_both_engines(capsys):
    """Two processes, each of which plays 250 scripts in one world after another; every kind of outcome must have come."""
    report = batch((1, 2), scripts=250, seconds=18)
    with capsys.disabled():
        print(f"\n{report}")
    assert not report.found, "\n".join(json.loads(find)["wrong"] for find in report.found) + "\n" + report.found[0]
    assert report.runs >= 1000
    assert report.outcomes.keys() >= KINDS


@pytest.mark.skipif(not list(FINDS.glob("hostile-*.json")), reason="nothing was found yet")
def test_what_was_found_once_is_right_now():
    """Each file tells what was wrong when it was found."""
    process = started("replay", *map(str, sorted(FINDS.glob("hostile-*.json"))))
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    wrong = [line for line in map(json.loads, output.splitlines()) if line["wrong"]]
    assert wrong == []
