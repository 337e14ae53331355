"""The words of a command line as the arguments of a call: JSON, or plain text where a string or a label is expected."""

from __future__ import annotations

import json
import math
from typing import Any

from ringfence.contract.errors import ShapeError
from ringfence.contract.types import (
    Borrow,
    EnumOf,
    FlagsOf,
    FunctionType,
    ListOf,
    OptionOf,
    Own,
    Primitive,
    RecordOf,
    ResultOf,
    TupleOf,
    Type,
    VariantOf,
    show,
    show_params,
)
from ringfence.contract.wire import from_json, may_be_none

_LONGEST = 120
_STRING = Primitive("string")


def from_words(function: FunctionType, words: list[str]) -> list[Any]:
    """The arguments that the words stand for, in the form a call takes; deeper checks are the engine's.

    Raises:
        ShapeError: too few or many, or one that can't be read; `path` names the parameter.
    """
    if len(words) != len(function.params):
        one_text = len(words) > 1 and [kind for _, kind in function.params] == [_STRING]
        raise ShapeError(
            f"expected {show_params(function)}, found {len(words)}", hint="put text with spaces in quotes" if one_text else None
        )
    return [_named(name, kind, word) for (name, kind), word in zip(function.params, words, strict=True)]


def example(kind: Type) -> Any:
    """A value of the type as JSON data, to show how one is written."""
    match kind:
        case Primitive("bool"):
            return True
        case Primitive("string"):
            return "text"
        case Primitive("char"):
            return "x"
        case Primitive("f32" | "f64"):
            return 1.5
        case Primitive():
            return 1
        case ListOf(Primitive("u8")):
            return {"base64": "AAEC"}
        case ListOf(element):
            return [example(element)]
        case RecordOf(fields):
            return {name: example(inner) for name, inner in fields}
        case TupleOf(elements):
            return [example(inner) for inner in elements]
        case VariantOf(cases):
            name, payload = cases[0]
            return name if payload is None else {name: example(payload)}
        case EnumOf(labels):
            return labels[0]
        case FlagsOf(labels):
            return list(labels[:1])
        case OptionOf(some):
            return {"some": example(some)} if may_be_none(some) else example(some)
        case ResultOf(ok, _):
            return {"ok": None if ok is None else example(ok)}
        case Own(resource) | Borrow(resource):
            return {"resource": resource.name}


def _named(name: str, kind: Type, word: str) -> Any:
    try:
        return from_json(kind, _data(kind, word))
    except ShapeError as error:
        sample = json.dumps(example(kind))
        hint = error.hint or (f"such as {sample}" if len(sample) <= _LONGEST else None)
        raise ShapeError(error.message, path=error.path, hint=hint).within(name) from error


def _data(kind: Type, word: str) -> Any:
    """The JSON data that a word is, or the word itself where it may be plain text."""
    textual = isinstance(kind, EnumOf | VariantOf) or kind in (_STRING, Primitive("char"))
    if textual and not word.startswith(('"', "{")):
        return word
    try:
        data = json.loads(word, object_pairs_hook=_once, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        if kind == _STRING:
            return word
        as_json = "" if isinstance(kind, Primitive) else " as JSON"
        raise ShapeError(f"expected {_cut(show(kind))}{as_json}, found {_cut(repr(word))}{_reason(word, error)}") from error
    return data if isinstance(data, str) or kind != _STRING else word


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is given twice")
    return data


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{_cut(text)} is too large")
    return number


def _reason(word: str, error: Exception) -> str:
    """Why it is no JSON, where it looks as if it was meant to be."""
    if not word.startswith(("[", "{", '"', "-", *"0123456789")):
        return ""
    if isinstance(error, json.JSONDecodeError):
        return f": {error.msg[:1].lower()}{error.msg[1:]} at character {error.pos + 1}"
    return ": nested too deeply" if isinstance(error, RecursionError) else f": {_cut(str(error))}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
