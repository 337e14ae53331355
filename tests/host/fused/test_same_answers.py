"""The same graph answers alike however its nodes are joined: numbers, text, bytes, records, resources, errors."""

import math

import pytest
from ringfence import GuestError, ShapeError

TEXTS = ["", "plain", "héllo €", "\U0001f600 and \U0010ffff", "\x00 and \x7f", "x" * 70_000, "ä" * 9_999]


@pytest.fixture
def front(bank):
    return bank()["front"]


def test_numbers_pass_at_their_limits(front):
    assert front.add(1, 2**64 - 2) == (2**64 - 1, 2**64 - 1)
    assert front.add(2**32 - 1, 1) == (2**32, 2**32)
    assert (front.negate(0.1), math.copysign(1, front.negate(0.0)), front.negate(math.inf)) == (-0.1, -1, -math.inf)
    assert math.isnan(front.negate(math.nan))


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: f"{len(text)}-{text[:4]!a}")
def test_text_passes_one_node_and_two(front, text):
    assert front.twice(text) == (text * 2, text * 2)


@pytest.mark.parametrize("size", [0, 1, 7, 4096, 300_001])
def test_bytes_pass_one_node_and_two(front, size):
    data = bytes(number % 251 for number in range(size))
    assert front.reversed(data) == (data[::-1], data[::-1])


def test_a_resource_passes_through_three_nodes_and_comes_back(bank):
    """The vault owns it, the desk hands it out, the front hands it on, the application holds it; and all the way back."""
    graph = bank()
    account = graph.call("front.open", "Ada", {"note": "first", "amount": 5, "tags": ["gift", "€"]})
    assert repr(account) == "<resource account of vault>"
    assert graph.call("front.book", account, {"note": "second", "amount": 2, "tags": []}) == 7
    assert graph.call("front.owner-of", account) == ("Ada", "Ada")
    with pytest.raises(AttributeError):
        account.entries  # noqa: B018 -- the application may not call the vault
    entries = graph.call("front.settle", account)
    assert [(one.note, one.amount, one.tags) for one in entries] == [("first", 5, ["gift", "€"]), ("second", 2, [])]
    with pytest.raises(ShapeError):
        graph.call("front.owner-of", account)


def test_resources_in_lists_and_optional_ones_cross(bank):
    assert bank().call("front.round", ["Ada", "Bob", "Cäcilie"]) == (["Ada:Ada", "Bob:Bob", "Cäcilie:Cäcilie"], 6, 0)


def test_an_error_keeps_its_case_and_its_value(bank):
    graph = bank()
    with pytest.raises(GuestError) as little:
        graph.call("front.open", "Ada", {"note": "out", "amount": -1, "tags": []})
    assert (little.value.value.name, little.value.value.value) == ("too-little", 0)
    account = graph.call("front.open", "Bob", None)
    with pytest.raises(GuestError) as unread:
        graph.call("front.book", account, {"note": "", "amount": 1, "tags": []})
    assert (unread.value.value.name, unread.value.value.value) == ("unreadable", "Bob writes nothing")
    assert graph.call("front.book", account, {"note": "in", "amount": 1, "tags": []}) == 1


def test_a_dropped_resource_is_destroyed_where_it_lives(bank):
    """Of each account made, the vault's destructor ran: none is open afterwards."""
    graph = bank()
    for owner in ("Ada", "Bob"):
        graph.call("front.open", owner, None).close()
    assert graph.call("front.round", [])[2] == 0


def test_two_nodes_of_one_component_are_two(bank):
    """Each has its own memory: what one counts, the other does not."""
    graph = bank()
    assert [graph.call("front.counters") for _ in range(2)] == [(0, 0, 0), (1, 1, 1)]


def test_fresh_instances_know_nothing_of_the_call_before(bank):
    graph = bank(instances="fresh")
    assert [graph.call("front.counters") for _ in range(2)] == [(0, 0, 0), (0, 0, 0)]


def test_nodes_in_a_group_can_be_exposed_besides(bank):
    """By their own names, and what they export alone."""
    graph = bank(expose="[front, vault, right]")
    with graph["vault"].account("Eve") as account:
        assert account.owner() == "Eve"
        assert account.book({"note": "n", "amount": 3, "tags": []}) == 3
        assert graph.call("vault.sum", [account]) == 3
        assert repr(account) == "<resource account of vault>"
    assert graph.call("right.twice", "a") == "aa"
    assert graph.call("front.twice", "a") == ("aa", "aa")
