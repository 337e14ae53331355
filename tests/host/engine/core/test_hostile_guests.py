"""Guests that lie in every way a script can say, and components that are broken, on both engines.

No process dies, there is no wrong success, failures are of equal kinds. `hostile/` has the games; what fuzzing found is in `finds/` and is
played again here. `just fuzz` looks for more.
"""

import json

import pytest
from host.engine.conftest import Call
from host.engine.core.hostile.batch import batch, started
from host.engine.core.hostile.finds import FINDS
from host.engine.core.hostile.play import Side
from host.engine.core.hostile.script import Script
from host.engine.core.hostile.stage import artifacts
from host.engine.core.hostile.world import TEXT, World
from ringfence.contract.errors import GuestTrap
from ringfence.engine.core import CoreEngine

KINDS = {
    "scripts": {"value", "trap", "shape", "planned", "overlapping"},
    "values": {"value", "shape"},
    "components": {"value", "trap", "invalid", "shape"},
}


@pytest.mark.parametrize(
    ("game", "seeds", "seconds", "least"), [("scripts", (1, 2), 18, 1000), ("values", (1,), 4, 300), ("components", (1,), 8, 20)]
)
def test_whatever_is_drawn_ends_alike_on_both_engines(capsys, game, seeds, seconds, least):
    """In processes of their own, from fixed seeds, as many as there is time for; every common outcome must have come."""
    report = batch(game, seeds, seconds=seconds)
    with capsys.disabled():
        print(f"\n{report}")
    assert not report.found, json.dumps(report.found[0], indent=1)
    assert report.runs >= least
    assert report.outcomes.keys() >= KINDS[game]


def test_a_handle_that_is_closed_while_it_is_given_away_is_not_the_guests_as_well():
    """Its destructor is due then: the guest would be told of the end of what it has just been given."""
    world = World(types=(TEXT,), encodings=("utf8", "utf8"))
    side = Side(CoreEngine(), artifacts(world.text), world)
    assert side.begin(Script()) == ("value", None)

    def call(name, argument):
        return side.instance.call(("h:one/api", name), (argument,), Call())

    class Closing(list):
        def __iter__(self):
            owned.close()
            return super().__iter__()

    lent, owned = call("make", 1), call("make", 2)
    assert call("mix", (lent, call("make", 3), [])) == 4
    with pytest.raises(GuestTrap, match="closed while it was given away"):
        call("mix", (lent, owned, Closing()))
    assert sorted(side.end()) == [(1, 1), (2, 1), (3, 1)]


@pytest.mark.skipif(not list(FINDS.glob("*.json")), reason="nothing was found yet")
def test_what_was_found_once_is_right_now():
    """Each file tells what was wrong when it was found."""
    process = started("again", *map(str, sorted(FINDS.glob("*.json"))))
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert [line for line in map(json.loads, output.splitlines()) if line["wrong"]] == []
