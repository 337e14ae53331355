"""Python objects behind handles that a guest holds: own moves, borrow lends, a drop closes, and no type passes for another."""

import gc
import weakref

import pytest
from host.engine.relay import THING, relay_text
from ringfence.contract.errors import GuestTrap, ShapeError
from ringfence.contract.types import Borrow, ListOf, Own


class Conn:
    def __init__(self, size=5, fails=False):
        self.size, self.closed, self.fails = size, 0, fails

    def close(self):
        self.closed += 1
        if self.fails:
            raise OSError("cannot close")


class Guest:
    """The component above, with the host functions as a test needs them."""

    def __init__(self, start, text, new_call):
        self.opened, self.consumed = [], []
        self.answer = lambda: Conn(9)
        self.new_call = new_call
        self.instance = start(
            text("store"),
            {
                ("acme:db/store", "[method]conn.size"): lambda _, conn: conn.size,
                ("acme:db/store", "[method]other.size"): lambda _, other: 1,
                ("acme:db/store", "open"): self._open,
                ("acme:db/store", "consume"): lambda _, conn: self.consumed.append(conn),
                ("acme:db/use", "total"): lambda _, one, two: one.size + two.size,
            },
        )

    def _open(self, _context):
        self.opened.append(self.answer())
        return self.opened[-1]

    def __call__(self, name, *arguments):
        return self.instance.call(("", name), arguments, self.new_call())


@pytest.fixture
def guest(start, text, new_call):
    return Guest(start, text, new_call)


def test_own_moves_in_and_a_drop_closes_once(guest):
    conn = Conn()
    guest("hold", conn)
    assert guest("held-size") == 5
    assert conn.closed == 0
    guest("drop-it")
    assert conn.closed == 1
    guest.instance.close()
    assert conn.closed == 1


def test_own_moves_out_again(guest):
    """What the guest gives back is the very object, and no longer the guest's to close."""
    conn = Conn()
    guest("hold", conn)
    assert guest("give-back") is conn
    guest.instance.close()
    assert conn.closed == 0


def test_own_moves_to_a_host_function(guest):
    conn = Conn()
    guest("hold", conn)
    guest("consume-it")
    assert guest.consumed == [conn]
    guest.instance.close()
    assert conn.closed == 0


def test_a_host_function_gives_own(guest):
    guest("open-it")
    assert guest("held-size") == 9
    guest("drop-it")
    assert guest.opened[0].closed == 1


def test_a_borrow_is_lent_until_the_call_returns(guest):
    conn = Conn(11)
    for _ in range(3):
        assert guest("size-of", conn) == 11
    guest.instance.close()
    assert conn.closed == 0
    kept = weakref.ref(conn)
    del conn
    gc.collect()
    assert kept() is None, "nothing is left of it in the instance"


def test_one_resource_known_in_two_interfaces_is_one_type(guest):
    guest("hold", Conn(4))
    assert guest("twice") == 8


def test_a_borrow_that_the_guest_keeps_traps(guest):
    with pytest.raises(GuestTrap, match="borrow handles still remain"):
        guest("keep", Conn())


@pytest.mark.parametrize("name", ["forged", "wrong-type"])
def test_a_handle_cannot_be_forged_nor_its_type_confused(guest, name):
    guest("hold", Conn())
    with pytest.raises(GuestTrap, match="handle index"):
        guest(name)


def test_what_the_guest_still_holds_is_closed_with_the_instance_trapped_or_not(guest):
    conn = Conn()
    guest("hold", conn)
    with pytest.raises(GuestTrap):
        guest("stop")
    assert conn.closed == 0
    guest.instance.close()
    guest.instance.close()
    assert conn.closed == 1


def test_closing_goes_on_when_one_object_fails(guest):
    conns = [Conn(), Conn(fails=True), Conn()]
    for conn in conns:
        guest("hold", conn)
    with pytest.raises(OSError, match="cannot close"):
        guest.instance.close()
    assert [conn.closed for conn in conns] == [1, 1, 1]


def test_an_object_that_fails_to_close_on_drop_traps_and_its_error_comes_out(guest):
    guest("hold", Conn(fails=True))
    with pytest.raises(OSError, match="cannot close"):
        guest("drop-it")
    assert guest.instance.trapped


def test_only_something_with_close_is_a_resource(guest):
    with pytest.raises(ShapeError, match=r"^c: expected a host resource for conn, an object with close\(\), found 5"):
        guest("hold", 5)
    guest.answer = lambda: None
    with pytest.raises(
        ShapeError, match=r"host function acme:db/store.open: func\(\) -> conn returned what does not fit: expected a host resource"
    ):
        guest("open-it")


def test_what_a_guest_gives_away_in_a_call_that_then_traps_is_closed_with_its_instance(start, new_call):
    """It is no longer the guest's, and never became the caller's: without the instance's own account nobody would close it."""
    given, lent = Conn(), Conn()
    text = relay_text([("lent", ListOf(Borrow(THING)))], Own(THING))
    instance = start(text, {("", "host"): lambda _, lent: given})
    with pytest.raises(GuestTrap, match="borrow handles still remain"):
        instance.call(("", "echo"), ([lent],), new_call())
    instance.close()
    assert (given.closed, lent.closed) == (1, 0)


def test_what_a_guest_gives_away_is_its_callers(start, new_call):
    """The positive control: the same component, which has nothing to give back."""
    given = Conn()
    instance = start(relay_text([("lent", ListOf(Borrow(THING)))], Own(THING)), {("", "host"): lambda _, lent: given})
    assert instance.call(("", "echo"), ([],), new_call()) is given
    instance.close()
    assert given.closed == 0
