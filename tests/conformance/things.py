"""What must hold of resources, as rules that a test checks and the table of types shows, each by every way.

A rule raises AssertionError where it does not hold; whatever it makes must be gone at its end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from ringfence import GuestError, ShapeError
from ringfence.contract.values import Case, Err, Ok

from .gaps import FREED, gap_of
from .graphs import Guests, Way

TEXTS = ["", "a\0b", "😀" * 100]


class Things:
    """Things by one way: the application's own where a guest is alone, else another guest's, passed through the first."""

    def __init__(self, guests: Guests, way: Way) -> None:
        self._graph, self._node, self.passing, self.way = guests.graph, way.node, way.pair, way

    def ask(self, name: str, *given: Any) -> Any:
        return self._graph.call(f"{self._node}.{'passing' if self.passing else 'things'}.{name}", *given)

    def new(self, text: str) -> Any:
        return self.ask("new-thing" if self.passing else "thing", text)

    def make(self, text: str) -> Any:
        return self.ask("make" if self.passing else "thing.make", text)

    def text(self, thing: Any) -> str:
        return self.ask("text", thing) if self.passing else thing.text()

    def rename(self, thing: Any, text: str) -> str:
        return self.ask("rename", thing, text) if self.passing else thing.rename(text)

    def same(self, thing: Any, other: Any) -> bool:
        return self.ask("same-as", thing, other) if self.passing else thing.same_as(other)

    def join(self, first: Any, second: Any) -> Any:
        return self.ask("join" if self.passing else "thing.join", first, second)

    def look_at_all(self, things: list[Any]) -> list[str]:
        return self._graph.call(f"{self._node}.{'passing-lists' if self.passing else 'things'}.look-at-all", things)

    def living(self) -> int:
        return self.ask("living" if self.passing else "thing.living")

    @property
    def freed(self) -> bool:
        """Whether what is dropped is freed, in the language that made it."""
        return gap_of(FREED, self.way) is None


@dataclass(frozen=True, slots=True)
class Rule:
    """`hold` raises AssertionError where it does not. `applies` says of which ways it can be asked."""

    hold: Callable[[Things], None]
    applies: Callable[[Way], bool]


RULES: dict[str, Rule] = {}
"""By what the table calls them."""


def rule(title: str, *, applies: Callable[[Way], bool] = lambda _: True) -> Callable[[Callable[[Things], None]], Callable[[Things], None]]:
    """Adds a rule."""

    def added(hold: Callable[[Things], None]) -> Callable[[Things], None]:
        RULES[title] = Rule(hold, applies)
        return hold

    return added


def check(rule: Rule, guests: Guests, way: Way) -> None:
    """Raises where the rule does not hold by this way, or a guest keeps what it was given or gave away."""
    things = Things(guests, way)
    before = things.living()
    rule.hold(things)
    if things.freed:
        assert things.living() == before, "something is left over"


@rule("made by constructor and static function, used by methods, dropped")
def what_is_made_can_be_used_and_dropped(things: Things) -> None:
    before = things.living()
    for made in (things.new, things.make):
        for text in TEXTS:
            with made(text) as thing:
                assert things.text(thing) == text
                assert things.rename(thing, "other") == text
                assert things.text(thing) == "other"
                if things.freed:
                    assert things.living() == before + 1


@rule("`borrow` twice of one handle in a call")
def one_handle_may_be_lent_twice_in_a_call(things: Things) -> None:
    with things.new("x") as one, things.new("x") as other:
        assert things.same(one, one)
        assert not things.same(one, other)
        assert not things.same(other, one)
        assert things.same(other, other)


@rule("`own` given away")
def what_is_given_away_is_gone(things: Things) -> None:
    one, other = things.new("one "), things.new("other")
    joined = things.join(one, other)
    assert things.text(joined) == "one other"
    assert things.text(other) == "other", "it was only lent"
    for use in (things.text, lambda thing: things.ask("consume", thing), lambda thing: things.ask("echo-list", [thing])):
        with pytest.raises(ShapeError):
            use(one)
    assert things.ask("consume", joined) == "one other"
    assert things.ask("consume", other) == "other"


@rule("`borrow`, `option<borrow>`")
def what_was_lent_is_the_lenders_still(things: Things) -> None:
    with things.new("a") as one:
        assert [things.ask("look", one) for _ in range(3)] == ["a"] * 3
        assert things.ask("look-maybe", one) == "a"
        assert things.ask("look-maybe", None) is None
        assert things.text(one) == "a"


@rule("`own` in lists, options, tuples, records, variants, results; among 17 and more core values")
def handles_come_back_out_of_every_place(things: Things) -> None:
    """A list, an option, a tuple, a record, each case of a variant, a result; alone, and among parameters that travel in memory."""
    name = iter(range(1000))

    def new() -> Any:
        return things.new(f"thing {next(name)}")

    def back(thing: Any) -> None:
        texts.append(things.ask("consume", thing))

    texts: list[str] = []
    back(things.ask("echo-thing", new()))
    for one in things.ask("echo-list", [new(), new(), new()]):
        back(one)
    assert things.ask("echo-list", []) == []
    assert things.ask("echo-option", None) is None
    back(things.ask("echo-option", new()))
    number, first, second = things.ask("echo-tuple", (7, new(), new()))
    assert number == 7
    back(first)
    back(second)
    holder = things.ask("echo-holder", {"name": "holder", "held": new()})
    assert holder.name == "holder"
    back(holder.held)
    assert things.ask("echo-things", Case("none")) == Case("none")
    back(things.ask("echo-things", Case("one", new())).value)
    for one in things.ask("echo-things", Case("two", (new(), new()))).value:
        back(one)
    for one in things.ask("echo-things", Case("several", [new(), new()])).value:
        back(one)
    assert things.ask("echo-things", Case("several", [])) == Case("several", [])
    back(things.ask("echo-result", Ok(new())))
    with pytest.raises(GuestError) as error:
        things.ask("echo-result", Err("none of them"))
    assert error.value.value == "none of them"
    first, second, text = things.ask("echo-spilled", new(), *"abcdefg", new())
    assert text == "abcdefg"
    back(first)
    back(second)
    assert texts == [f"thing {number}" for number in range(len(texts))]
    assert len(texts) == 16


@rule("300 of them, in a list")
def many_are_made_and_dropped(things: Things) -> None:
    before, many = things.living(), [f"thing {number}" for number in range(300)]
    made = things.ask("make-many", many)
    assert things.living() == before + 300
    assert [things.text(one) for one in made[::50]] == many[::50]
    for one in things.ask("echo-list", made):
        one.close()
    assert things.ask("make-many", []) == []


@rule("made, lent and dropped by the guest that asks", applies=lambda way: way.pair)
def a_guest_uses_what_another_made_for_it(things: Things) -> None:
    """It lends handles of its own, one and many, and drops them before it answers."""
    for text in TEXTS:
        assert things.ask("briefly", text) == text
    assert things.ask("lend-all", TEXTS) == TEXTS
    assert things.ask("lend-all", []) == []


@rule("`list<borrow>`")
def a_list_of_what_is_lent(things: Things) -> None:
    """Where the language of the one in the middle can pass that on."""
    with things.new("a") as one, things.new("b") as other:
        assert things.look_at_all([one, other, one]) == ["a", "b", "a"]
        assert things.look_at_all([]) == []


@rule("refused arguments: nothing moves")
def arguments_that_do_not_fit_take_nothing_away(things: Things) -> None:
    """Half of a list is not given away when the other half is wrong, and nothing can be given and lent in one call."""
    with things.new("kept") as one, things.new("gone") as gone:
        things.ask("consume", gone)
        for wrong in ([one, gone], [one, one], [one, None], [one, "text"]):
            with pytest.raises(ShapeError):
                things.ask("echo-list", wrong)
        with pytest.raises(ShapeError):
            things.join(one, one)
        assert things.text(one) == "kept"


@rule(FREED)
def what_is_dropped_is_freed(things: Things) -> None:
    before = things.living()
    things.new("x").close()
    assert things.living() == before
