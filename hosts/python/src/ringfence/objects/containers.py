"""Containers that live in a library: what is read from one of its objects stays there, so that changing it changes the library's own.

    env.filters["shout"] = str.upper        sets an item of the library's dict

They are of the classes `list`, `dict`, `set` and `deque`. What a function *returns* is no such thing but a copy.

Code in C that takes an object of such a class may look into it without asking. What asks is right by the methods here; of what does not,
`LiveDict` and `LiveSet` say how they keep it from finding nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ringfence.objects.references import perform, unpicklable


class Live:
    """What all of them have: forwarding, and a copy for whatever looks at the whole."""

    def _whole(self) -> Any:
        """A copy of it, as deep as plain values go."""
        return perform(self, "copy")

    def __len__(self) -> int:
        found: int = perform(self, "operator", "__len__", [])
        return found

    def __bool__(self) -> bool:
        return len(self) > 0

    def __contains__(self, item: object) -> bool:
        return bool(perform(self, "operator", "__contains__", [item]))

    def __iter__(self) -> Iterator[Any]:
        return iter(_held(self))

    def __eq__(self, other: object) -> Any:
        return self is other or self._whole() == _whole(other)

    def __ne__(self, other: object) -> Any:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def __lt__(self, other: Any) -> Any:
        return self._whole() < _whole(other)

    def __le__(self, other: Any) -> Any:
        return self._whole() <= _whole(other)

    def __gt__(self, other: Any) -> Any:
        return self._whole() > _whole(other)

    def __ge__(self, other: Any) -> Any:
        return self._whole() >= _whole(other)

    def __repr__(self) -> str:
        return repr(self._whole())

    def __copy__(self) -> Any:
        return self._whole()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        import copy

        return copy.deepcopy(self._whole(), memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        found = self._whole()
        if isinstance(found, Live):
            raise unpicklable(self)
        return found.__reduce_ex__(protocol) if type(found) not in (list, dict, set) else (type(found), (_plain(found),))


def _held(container: Any) -> list[Any]:
    """What a container holds, which is a list, and so has an end."""
    from ringfence.objects.errors import BorderViolated

    found = perform(container, "items")
    if type(found) is not list:
        raise BorderViolated("the library's container gave what no container holds")
    return found


def _plain(found: Any) -> Any:
    return list(found.items()) if isinstance(found, dict) else list(found)


def _whole(value: Any) -> Any:
    return value._whole() if isinstance(value, Live) else value  # noqa: SLF001 -- its own class


def _forwarded(name: str, operation: str = "method") -> Callable[..., Any]:
    """A method that the library's container performs."""

    def method(self: Any, *arguments: Any, **named: Any) -> Any:
        return perform(self, operation, name, list(arguments), named)

    method.__name__ = method.__qualname__ = name
    return method


def _changed(name: str) -> Callable[..., Any]:
    """`+=` and its like: the container stays the same one."""

    def method(self: Any, other: Any) -> Any:
        perform(self, "method", name, [other], {})
        return self

    method.__name__ = method.__qualname__ = name
    return method


def _on_copy(name: str) -> Callable[..., Any]:
    """An operator that makes something new: of a copy."""

    def method(self: Any, other: Any) -> Any:
        return getattr(self._whole(), name)(_whole(other))

    method.__name__ = method.__qualname__ = name
    return method


_HELD = object()


class LiveList(Live, list):  # type: ignore[type-arg]
    """A list of a library's."""

    __getitem__ = _forwarded("__getitem__", "read")
    pop = _forwarded("pop", "read")

    def __reversed__(self) -> Iterator[Any]:
        yield from reversed(list(self))

    def __radd__(self, other: Any) -> Any:
        return other + self._whole()


class LiveDict(Live, dict):  # type: ignore[type-arg]
    """A dict of a library's, of whatever class.

    It holds a key of its own, which is never seen: `json` writes `{}` of what holds none, and of all others what `items` gives.
    """

    def __new__(cls, *_: Any, **__: Any) -> Any:
        made = dict.__new__(cls)
        dict.__setitem__(made, _HELD, None)
        return made

    get = _forwarded("get", "read")
    setdefault = _forwarded("setdefault", "read")
    __getitem__ = _forwarded("__getitem__", "read")
    pop = _forwarded("pop", "read")

    def _items(self) -> dict[Any, Any]:
        return dict(_held(self))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items())

    def __reversed__(self) -> Iterator[Any]:
        yield from reversed(self._items())

    def keys(self) -> Any:
        return self._items().keys()

    def values(self) -> Any:
        return self._items().values()

    def items(self) -> Any:
        return self._items().items()


class LiveSet(Live):
    """A set of a library's.

    It says that it is one, and derives from none: of what does, `set(found)` copies what it holds itself, and never iterates.
    """

    if not TYPE_CHECKING:

        @property
        def __class__(self) -> type:
            return set if type(self) is LiveSet else type(self)


class LiveDeque(Live, deque):  # type: ignore[type-arg]
    """A deque of a library's."""

    __getitem__ = _forwarded("__getitem__", "read")
    pop = _forwarded("pop", "read")
    popleft = _forwarded("popleft", "read")


_FORWARDED: dict[type, str] = {
    LiveList: "append clear copy count extend index insert remove reverse sort __setitem__ __delitem__",
    LiveDict: "clear copy popitem update __setitem__ __delitem__",
    LiveSet: "add clear copy difference difference_update discard intersection intersection_update isdisjoint issubset issuperset pop "
    "remove symmetric_difference symmetric_difference_update union update",
    LiveDeque: "append appendleft clear copy count extend extendleft index insert remove reverse rotate __setitem__ __delitem__",
}
_CHANGING: dict[type, str] = {
    LiveList: "__iadd__ __imul__",
    LiveDict: "__ior__",
    LiveSet: "__ior__ __iand__ __isub__ __ixor__",
    LiveDeque: "__iadd__ __imul__",
}
_MAKING: dict[type, str] = {
    LiveList: "__add__ __mul__ __rmul__",
    LiveDict: "__or__ __ror__",
    LiveSet: "__or__ __and__ __sub__ __xor__ __ror__ __rand__ __rsub__ __rxor__",
    LiveDeque: "__add__ __mul__ __rmul__",
}
for _names, _make in ((_FORWARDED, _forwarded), (_CHANGING, _changed), (_MAKING, _on_copy)):
    for _cls, _text in _names.items():
        for _name in _text.split():
            setattr(_cls, _name, _make(_name))

LIVE: dict[str, type] = {
    "list": LiveList,
    "set": LiveSet,
    "deque": LiveDeque,
    **dict.fromkeys(("dict", "OrderedDict", "defaultdict", "Counter"), LiveDict),
}
"""By the name of the library's own class."""
