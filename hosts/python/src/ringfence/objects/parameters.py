"""What a library is told of a function that it is given: its parameters, so that it can tell how to call it, and its docstring.

Libraries ask for both: they try a callback with fewer and fewer arguments until it takes them, or make a command's options of its
parameters. Defaults and annotations stay here.
"""

from __future__ import annotations

import keyword
import types
from collections.abc import Iterator
from typing import Any, TypeAlias

Parameter: TypeAlias = "tuple[str, int, bool]"
"""A name, its kind (0 to 4, as `inspect` counts them), and whether it may be left out."""

_VARARGS, _VARKEYWORDS = 4, 8
_DOC = 10_000
"""Characters of a docstring that cross."""


def told(value: Any) -> dict[str, Any]:
    """What crosses of a callable beside its name: nothing where it is none that is written in Python."""
    function, bound = _function(value)
    if function is None:
        return {}
    found = [*_parameters(function)]
    if bound:
        if not found or found[0][1] > 1:
            return {}
        del found[0]
    if not all(name.isidentifier() and not keyword.iskeyword(name) for name, _, _ in found):
        return {}
    doc = function.__doc__ if function in (value, getattr(value, "__func__", None)) else None
    return {"p": found, **({"d": doc[:_DOC]} if isinstance(doc, str) else {})}


def _function(value: Any) -> tuple[types.FunctionType | None, bool]:
    """The function that a call of this runs, and whether it gets an argument besides: the object, or the class."""
    if isinstance(value, types.FunctionType):
        return value, False
    found: Any = None
    if isinstance(value, types.MethodType):
        found = value.__func__
    elif not isinstance(value, type):
        found = getattr(type(value), "__call__", None)  # noqa: B004 -- which function it is, is asked
    elif type(value) is type:  # else its metaclass may have a way of its own
        makes, begins = getattr(value, "__new__", None), getattr(value, "__init__", None)
        found = begins if makes is object.__new__ else makes if begins is object.__init__ else None
    return (found, True) if isinstance(found, types.FunctionType) else (None, True)


def _parameters(function: types.FunctionType) -> Iterator[Parameter]:
    code = function.__code__
    names = iter(code.co_varnames)
    required = code.co_argcount - len(function.__defaults__ or ())
    for index in range(code.co_argcount):
        yield next(names), int(index >= code.co_posonlyargcount), index >= required
    named = [next(names) for _ in range(code.co_kwonlyargcount)]
    if code.co_flags & _VARARGS:
        yield next(names), 2, True
    defaults = function.__kwdefaults__ or {}
    yield from ((name, 3, name in defaults) for name in named)
    if code.co_flags & _VARKEYWORDS:
        yield next(names), 4, True
