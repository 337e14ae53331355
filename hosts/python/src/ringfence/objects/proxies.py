"""What stands for a library's objects that are of no class of its own: functions, iterators, generators, foreign modules."""

from __future__ import annotations

from collections.abc import Iterator
from types import GeneratorType
from typing import Any

from ringfence.objects.references import Held, perform

_BATCH = 64


class RemoteFunction(Held):
    """A function, bound method or other callable of a library's."""

    __slots__ = ("__name__",)
    __name__: str

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        return perform(self, "call", list(arguments), named)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in (
            "__doc__",
            "__module__",
            "__qualname__",
            "__wrapped__",
            "__self__",
            "__func__",
            "__defaults__",
        ):
            raise AttributeError(name)
        return perform(self, "get", name)

    def __get__(self, instance: Any, _: Any = None) -> Any:
        if instance is None:
            return self
        from functools import partial

        return partial(self, instance)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, RemoteFunction) and bool(perform(self, "operator", "__eq__", [other])))

    def __hash__(self) -> int:
        found = perform(self, "operator", "__hash__", [])
        if type(found) is not int:
            raise TypeError("__hash__ of a wrapped library gave no integer")
        return hash(found)

    def __repr__(self) -> str:
        return f"<function {self.__name__} of a wrapped library>"


class RemoteIterator(Held):
    """An iterator of a library's: pulled from it as it is needed, several items at once where that changes nothing."""

    __slots__ = ("_ended", "_ready")

    def __init__(self) -> None:
        self._ready: list[Any] = []
        self._ended = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if not self._ready:
            if self._ended:
                raise StopIteration
            items, self._ended, value = _step(perform(self, "next", _BATCH))
            if not items:
                raise StopIteration(*([] if value is None else [value]))
            self._ready = items[::-1]
        return self._ready.pop()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__length_hint__":
            raise AttributeError(name)
        return perform(self, "get", name)

    def __repr__(self) -> str:
        return "<iterator of a wrapped library>"


class RemoteGenerator(RemoteIterator):
    """A generator of a library's."""

    __slots__ = ()

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # programs ask whether it is one
        return GeneratorType

    def send(self, value: Any) -> Any:
        return self._resumed("send", [value])

    def throw(self, *error: Any) -> Any:
        return self._resumed("throw", list(error[:1] if len(error) < 2 or error[1] is None else error[1:2]))

    def close(self) -> None:
        perform(self, "method", "close", [], {})

    def _resumed(self, name: str, arguments: list[Any]) -> Any:
        items, self._ended, value = _step(perform(self, "generator", name, arguments))
        if not items:
            raise StopIteration(*([] if value is None else [value]))
        return items[0]

    def __repr__(self) -> str:
        return "<generator of a wrapped library>"


def _step(found: Any) -> tuple[list[Any], bool, Any]:
    """The items that came, whether there are no more, and what a generator returned."""
    from ringfence.objects.errors import BorderViolated

    if not (type(found) is list and len(found) == 3 and type(found[0]) is list and type(found[1]) is bool and (found[0] or found[1])):
        raise BorderViolated("the library's iterator gave what no iterator gives")
    items, ended, value = found
    return items, ended, value


class RemoteModule:
    """A module inside the component that is not the library's own."""

    def __init__(self, name: str, performer: Any) -> None:
        self.__dict__.update(__name__=name, _performer=performer)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        return self.__dict__["_performer"].perform("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__["_performer"].perform("set", self, name, value)

    def __delattr__(self, name: str) -> None:
        self.__dict__["_performer"].perform("delete", self, name)

    def __repr__(self) -> str:
        return f"<module {self.__dict__['__name__']!r} inside a wrapped library>"
