"""A guest that calls the functions of WASI as it is told, by their own names, and tells what each answered.

A survey is a list of cases, in JSON, a case a list of steps, and a step `[this, function, *arguments]`: `this` is an interface
(`monotonic-clock`), or the name under which an earlier step of the case kept a resource (`root`; `name=root` keeps what the function gives
as `name`). What type an argument has is read from the generated bindings.
"""

import json
import typing
from dataclasses import fields, is_dataclass
from enum import Enum, Flag

from componentize_py_types import Err, Ok, Result
from wit_world import exports
from wit_world.imports import (
    environment,
    insecure,
    insecure_seed,
    monotonic_clock,
    poll,
    preopens,
    random,
    stderr,
    stdin,
    stdout,
    streams,
    terminal_stderr,
    terminal_stdin,
    terminal_stdout,
    types,
    wall_clock,
)
from wit_world.imports import exit as leaving

_INTERFACES = (
    *(environment, insecure, insecure_seed, monotonic_clock, poll, preopens, random, types, wall_clock, leaving),
    *(stdin, stdout, stderr, terminal_stdin, terminal_stdout, terminal_stderr),
)
_NAMED = {module.__name__.rpartition(".")[2].replace("_", "-"): module for module in _INTERFACES}


class Survey(exports.Survey):
    def take(self, cases):
        return json.dumps([_case(steps) for steps in json.loads(cases)])


def _case(steps):
    kept = {}
    try:
        return [_take(kept, *step) for step in steps]
    finally:
        while kept:  # streams before what they were made of
            kept.popitem()[1].__exit__(None, None, None)


def _take(kept, this, function, *arguments):
    name, _, this = this.rpartition("=")
    if not (kept.keys() | _NAMED.keys() >= {this}):
        return "there is no such resource"
    owner = kept[this] if this in kept else _NAMED[this]
    if function == "drop":
        kept.pop(this).__exit__(None, None, None)
        return None
    try:
        if function == "entries":  # in no order that a specification tells
            return sorted(_entries(owner))
        call = getattr(owner, function.replace("-", "_"))
        hints = [kind for what, kind in typing.get_type_hints(call).items() if what != "return"]
        return _answer(kept, name, call(*[_argument(kept, kind, one) for kind, one in zip(hints, arguments, strict=True)]))
    except Err as error:
        return {"error": _error(error.value)}


def _entries(stream):
    while (entry := stream.read_directory_entry()) is not None:
        yield f"{entry.name}: {_label(entry.type)}"


# Arguments


def _argument(kept, kind, given):
    if isinstance(kind, type) and issubclass(kind, Flag):
        return kind(sum(kind[_constant(one)].value for one in given))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind[_constant(given)]
    if kind is bytes:
        return given.encode("latin-1")
    if kind == types.NewTimestamp:
        return _timestamp(given)
    if typing.get_origin(kind) is list:
        return [kept[one] for one in given]
    if typing.get_origin(kind) in (Result, typing.Union):
        return Ok(None) if given == "ok" else Err(None)
    return given if kind in (int, str, bool) else kept[given]


def _timestamp(given):
    if isinstance(given, str):
        return types.NewTimestamp_Now() if given == "now" else types.NewTimestamp_NoChange()
    return types.NewTimestamp_Timestamp(wall_clock.Datetime(*given))


def _constant(label):
    return label.replace("-", "_").upper()


# Answers


def _answer(kept, name, value):
    if isinstance(value, Flag):
        return sorted(_label(one) for one in type(value) if one in value)
    if isinstance(value, Enum):
        return _label(value)
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if is_dataclass(value):
        return {one.name.replace("_", "-"): _answer(kept, name, getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, list | tuple):
        return [_answer(kept, name, one) for one in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if name in kept:  # it would be let go unseen
        kept.pop(name).__exit__(None, None, None)
    kept[name] = value
    return f"a {type(value).__name__}"


def _error(value):
    if isinstance(value, streams.StreamError_LastOperationFailed):
        code = types.filesystem_error_code(value.value)
        return f"last-operation-failed: {_label(code) if code else 'of no file system'}"
    return "closed" if isinstance(value, streams.StreamError_Closed) else _label(value)


def _label(one):
    return one.name.lower().replace("_", "-")
