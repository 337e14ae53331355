"""Objects of a library in pickles: by class and state, as the library would have it, and made anew in an instance when they are read.

A pickle runs what it names, so that a library may name nothing here but its own classes and functions.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from ringfence.objects.references import perform, reference_of, unpicklable


def reduced(value: Any) -> tuple[Any, ...]:
    """What `pickle` makes of an object of a library.

    Raises:
        NotCarried: it is none that can be made anew.
    """
    match perform(value, "reduce"):
        case [bool() as plainly, made, tuple() as arguments, state, items, pairs] if _of_library(made) and _nameable(value, made):
            listed = None if items is None else iter(_list(items, value))
            paired = None if pairs is None else iter([(key, one) for key, one in _list(pairs, value)])
            return _made, (plainly, made, arguments), state, listed, paired, _set_state
    raise unpicklable(value)


def _of_library(made: Any) -> bool:
    """Whether it is a class or function of a library."""
    from ringfence.objects.classes import RemoteMeta

    return isinstance(made, RemoteMeta) or (type(made) is FunctionType and hasattr(made, "__ringfence_key__"))


def _nameable(value: Any, made: Any) -> bool:
    """Whether a pickle can name it: whoever pickles a function imports its module, and a class sees to that itself."""
    connection: Any = reference_of(value).guest.connection
    return isinstance(made, type) or bool(connection.library.names(made))


def _list(found: Any, value: Any) -> list[Any]:
    if type(found) is not list:
        raise unpicklable(value)
    return found


def _made(plainly: bool, made: Any, arguments: tuple[Any, ...]) -> Any:  # noqa: FBT001 -- a pickle's arguments
    """The object anew: by calling what makes it, or `plainly`, without its constructor."""
    if not _of_library(made):
        raise TypeError("a pickle of a wrapped library's object that names something else")
    from ringfence.objects.classes import RemoteMeta, info_of

    if plainly and isinstance(made, RemoteMeta):
        return info_of(made).home.perform("make", made, list(arguments))
    return made(*arguments)


def _set_state(value: Any, state: Any) -> None:
    perform(value, "state", state)
