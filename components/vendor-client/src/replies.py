"""The vendor's replies, from a JSON tree to orders; whatever is not exactly as the protocol says is a `BadReply`.

The tree comes through an import and is not trusted either: the two rules of `wit/json` (each node is referred to once, and by an earlier
one) are checked, so that a careless decoder can cause neither loops nor blow-up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from componentize_py_types import Err
from errors import BadReply
from wit_world.exports.orders import Customer, Line, Order, Status
from wit_world.imports import calculator
from wit_world.imports.calculator import Line as PricedLine
from wit_world.imports.calculator import Traits
from wit_world.imports.decoder import Document, Node, Node_Array, Node_Integer, Node_Null, Node_Object, Node_Text

_U32 = range(2**32)
_S64 = range(-(2**63), 2**63)
_STATUSES = {status.name.lower(): status for status in Status}

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One reply to a list request; `following` is what to ask for after it, None at the end."""

    orders: list[Order]
    following: str | None


class _Value:
    """One value of a document, knowing where it stands for messages."""

    def __init__(self, nodes: list[Node], index: int, path: str) -> None:
        self._nodes = nodes
        self._node = nodes[index]
        self._path = path

    def member(self, name: str) -> "_Value":
        """The member `name`, which must be there."""
        if not isinstance(self._node, Node_Object):
            raise self._wrong("an object")
        for member in self._node.value:
            if member.name == name:
                return _Value(self._nodes, member.value, f"{self._path}.{name}")
        raise BadReply(f"{self._path}: no member {name!r}")

    def items(self, read: "Callable[[_Value], _T]") -> list[_T]:
        """`read` of each element."""
        if not isinstance(self._node, Node_Array):
            raise self._wrong("an array")
        return [read(_Value(self._nodes, index, f"{self._path}[{place}]")) for place, index in enumerate(self._node.value)]

    def text(self) -> str:
        """The string it is."""
        if not isinstance(self._node, Node_Text):
            raise self._wrong("a string")
        return self._node.value

    def optional_text(self) -> str | None:
        """The string it is, None for null."""
        return None if isinstance(self._node, Node_Null) else self.text()

    def integer(self, allowed: range) -> int:
        """The integer it is. `3.0` and integers outside `allowed` are refused."""
        if not isinstance(self._node, Node_Integer) or self._node.value not in allowed:
            raise self._wrong(f"an integer from {allowed[0]} to {allowed[-1]}")
        return self._node.value

    def status(self) -> Status:
        """The status it names."""
        status = _STATUSES.get(self.text())
        if status is None:
            raise self._wrong(f"one of {', '.join(_STATUSES)}")
        return status

    def _wrong(self, expected: str) -> BadReply:
        return BadReply(f"{self._path}: expected {expected}")


def order(document: Document) -> Order:
    """The order that the reply to `GET /v1/orders/{id}` holds."""
    return _order(_root(document, "order"))


def page(document: Document) -> Page:
    """The page that the reply to `GET /v1/orders` holds."""
    root = _root(document, "reply")
    return Page(orders=root.member("orders").items(_order), following=root.member("next").optional_text())


def _root(document: Document, name: str) -> _Value:
    _check_tree(document)
    return _Value(document.nodes, 0, name)


def _check_tree(document: Document) -> None:
    """Refuses what is not a tree in pre-order; raises BadReply."""
    count = len(document.nodes)
    seen = bytearray(count)
    if document.root != 0 or not count:
        raise BadReply("the JSON decoder returned no tree")
    for index, node in enumerate(document.nodes):
        for child in _children(node):
            if not index < child < count or seen[child]:
                raise BadReply("the JSON decoder returned no tree")
            seen[child] = 1


def _children(node: Node) -> list[int]:
    if isinstance(node, Node_Array):
        return node.value
    if isinstance(node, Node_Object):
        return [member.value for member in node.value]
    return []


def _order(value: _Value) -> Order:
    lines = value.member("lines").items(_line)
    return Order(
        id=value.member("id").text(),
        status=value.member("status").status(),
        currency=value.member("currency").text(),
        customer=_customer(value.member("customer")),
        lines=lines,
        total=total(lines),
    )


def _customer(value: _Value) -> Customer:
    return Customer(name=value.member("name").text(), email=value.member("email").optional_text())


def _line(value: _Value) -> Line:
    return Line(
        sku=value.member("sku").text(),
        quantity=value.member("quantity").integer(_U32),
        unit_price=value.member("unit_price").integer(_S64),
    )


def total(lines: list[Line]) -> int:
    """What the calculator makes of these lines.

    Raises:
        BadReply: It does not fit in 64 bits.
    """
    priced = [PricedLine(quantity=line.quantity, unit_price=line.unit_price, traits=Traits(0)) for line in lines]
    try:
        return calculator.total(priced, []).total
    except Err:  # without discounts there is no other
        raise BadReply("order: a total of more than 64 bits") from None
