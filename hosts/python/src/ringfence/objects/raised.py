"""Exceptions of the library: raised here as its own classes, or the built-in ones, with the guest's traceback as a note.

What ends a program (`SystemExit`, `KeyboardInterrupt`, `GeneratorExit`) is never raised on a library's word.
"""

from __future__ import annotations

import builtins
import errno
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ringfence.last_words import harmless, plain
from ringfence.objects.agreed.standard import exception_key
from ringfence.objects.agreed.terms import FIELDS, Malformed
from ringfence.objects.classes import Remote, RemoteMeta
from ringfence.objects.references import Guest, Reference, bind

if TYPE_CHECKING:
    from ringfence.objects.crossing import Crossing

_NUMBERS = 1 << 31
"""Of objects."""
_SHOWING = (UnicodeError, SyntaxError, ExceptionGroup)
"""Exceptions whose text is made of arguments as they stand, though they have several."""
_REASON = 4
"""The place of a UnicodeError's reason among its arguments; the text that it is about is data, and not shown."""
_PRINTED = ("msg", "text", "filename", "reason")
"""Fields of built-in exceptions that tracebacks print."""
_NOTES = 20
"""Of an exception, at most."""
_ARGUMENTS: Any = BaseException.__dict__["args"]


def arriving(codec: Crossing, guest: Guest, found: dict[str, Any], cls: type[BaseException]) -> BaseException:
    """The exception that an object of the library's is here."""
    if not isinstance(cls, RemoteMeta):
        arguments = _numbered(found["o"]) if issubclass(cls, OSError) and "o" in found else _arguments(found)
        made = _builtin(cls, arguments) if cls.__module__ == "builtins" else _standard(cls, arguments, found["v"])
        bind(made, Reference(guest, number_of(found)))
        _attach(made, found)
        return made
    own: BaseException = codec.known(found, lambda: _own(cls, found))
    return own


def _own(cls: Any, found: dict[str, Any]) -> BaseException:
    made = _made(cls, _arguments(found))
    _attach(made, found)
    return made


def _arguments(found: dict[str, Any]) -> list[Any]:
    arguments = found["a"]
    if type(arguments) is not list:
        raise Malformed("arguments that are none")
    cls = found["c"]
    if issubclass(cls, KeyError) or (len(arguments) != 1 and not issubclass(cls, _SHOWING)):
        return arguments  # which tracebacks show by their `repr`
    return [_harmless(one) if index == _REASON or not issubclass(cls, UnicodeError) else one for index, one in enumerate(arguments)]


def _harmless(argument: Any) -> Any:
    """What tracebacks print as it stands, so that it leads no terminal; of a SyntaxError the line of source in a tuple, too."""
    if type(argument) is tuple:
        return tuple(_harmless(one) if type(one) is str else one for one in argument)
    return harmless(argument) if type(argument) is str else argument


def _numbered(found: Any) -> list[Any]:
    """An OSError's arguments: a library's system has other numbers for errors, so that they come by name."""
    if type(found) is not list or len(found) != 3 or not all(one is None or type(one) is str for one in found):
        raise Malformed("an OSError that is none")
    name, message, file = found
    number = getattr(errno, name) if name in errno.errorcode.values() else errno.EIO
    message = None if message is None else harmless(message)
    return [number, message] if file is None else [number, message, file]


def number_of(found: dict[str, Any]) -> int:
    """The number of an object: small, so that no two of them have one hash."""
    number: int = found["i"]
    if type(number) is not int or not 0 <= number < _NUMBERS:
        raise Malformed("a number that is none")
    return number


def _builtin(cls: type[BaseException], arguments: list[Any]) -> BaseException:
    if not issubclass(cls, Exception):
        told = f"the library raised {cls.__name__}({', '.join(map(_brief, arguments))})"
        return RuntimeError(f"{told}, which is the application's to raise: no library ends its process")
    try:
        return cls(*arguments)
    except TypeError:  # one whose constructor asks for more, made by a library in another way
        return _made(cls, arguments)


def _made(cls: type[BaseException], arguments: list[Any]) -> BaseException:
    """An exception, without running a constructor but the built-in class's own.

    That must run: C code takes for granted what it sets, and `yield from` an iterator that raises a StopIteration without a value ends the
    process.
    """
    made = cls.__new__(cls, *arguments)
    base: Any = next(one for one in cls.__mro__ if not isinstance(one, RemoteMeta) and one.__module__ == "builtins")
    with suppress(TypeError, ValueError):
        base.__init__(made, *arguments)
    _ARGUMENTS.__set__(made, tuple(arguments))  # whatever the library's class has of that name
    return made


def _standard(cls: type[BaseException], arguments: list[Any], attributes: Any) -> BaseException:
    """One of the standard library's, with the attributes that it has in the library: its constructor may ask for anything."""
    made = _made(cls, arguments)
    if type(attributes) is not dict:
        raise Malformed("attributes that are none")
    made.__dict__.update((name, value) for name, value in attributes.items() if name.isidentifier() and not name.startswith("__"))
    return made


def _brief(value: Any) -> str:
    """What is shown of an argument: text and plain numbers only, since others may be endless to look at."""
    return ascii(value[:200]) if type(value) is str else ascii(value) if type(value) in (bool, float, type(None)) else _whole(value)


def _whole(value: Any) -> str:
    return str(value) if type(value) is int and value.bit_length() < 64 else f"<{type(value).__name__}>"


def _attach(made: BaseException, found: dict[str, Any]) -> None:
    """Cause, notes and the guest's traceback."""
    cause, trace, notes = found["e"], found["t"], found["n"]
    if isinstance(cause, BaseException):
        if found["d"] is True:
            made.__cause__ = cause
        else:
            made.__context__ = cause
    if type(notes) is list:
        for note in notes[:_NOTES]:
            if type(note) is not str:
                raise Malformed("a note that is no text")
            made.add_note(plain(note.encode(errors="backslashreplace")))
    if type(trace) is str and trace:
        made.add_note("in the library:\n" + plain(trace.encode(errors="backslashreplace")))
    for base, names in FIELDS.items():
        if isinstance(made, base):
            _set_fields(made, base, names, found.get("f"))
    said = found["s"]
    if isinstance(made, Remote):
        object.__setattr__(made, "_ringfence_said_", said if type(said) is str else "")


def _set_fields(made: BaseException, base: Any, names: tuple[str, ...], found: Any) -> None:
    """What the built-in class of an exception keeps beside its arguments."""
    for name in names if type(found) is dict else ():
        if type(found.get(name)) in (str, bytes, int):
            with suppress(TypeError, ValueError, OverflowError):  # not every class has its field of every type
                base.__dict__[name].__set__(made, _harmless(found[name]) if name in _PRINTED else found[name])


def nearest(cls: type[BaseException]) -> Any:
    """The class that both sides have which is nearest to an exception's own."""
    for one in cls.__mro__:
        if (
            vars(builtins).get(one.__name__) is one
            or exception_key(one)
            or (isinstance(one, RemoteMeta) and "_ringfence_class_" in one.__dict__)
        ):
            return one
    return Exception
