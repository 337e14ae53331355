"""A document against its JSON Schema: every difference as a problem with its place and, where it helps, a "did you mean".

Annotations of ours in the schemas make the messages: `x-expected` says what should stand there, `x-noun` what a key of an object is,
`x-elsewhere` where a key that people write here belongs.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

import jsonschema
import yaml
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from ringfence.contract.errors import Problem
from ringfence.contract.schemas import schema

from ringfence_composer.manifest.source import Document, PathSteps, quoted

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping (key: value)",
    "array": "a list",
    "boolean": "true or false",
    "null": "nothing",
}
VERSION = 1

_Error: TypeAlias = Any
"""A jsonschema.ValidationError; its fields are typed "or unset" there, which those of a validator's errors never are."""


def shape_problems(document: Document, name: str) -> list[Problem]:
    """What the reader found, and everything in which the document differs from the schema of this name.

    A wrong version is told alone: all else would be guesses.
    """
    if wrong := _version_problem(document):
        return [*document.problems, wrong]
    errors = _validator(name).iter_errors(document.data)
    return [*document.problems] + [problem for error in errors for problem in _translate(document, error)]


def closest(word: str, known: Iterable[str], *, listed: Iterable[str] | None = None) -> str | None:
    """A hint: "did you mean …?" where one is near, else the choices (or those `listed`) if they are few."""
    known = sorted(known)
    if near := nearest(word, [one for one in known if one.isprintable()]):
        return f"did you mean {near}?"
    names = [one if one.isprintable() else quoted(one) for one in (known if listed is None else sorted(listed))]
    return f"there {'is' if len(names) == 1 else 'are'}: {', '.join(names)}" if 0 < len(names) <= 16 else None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of these words that is spelled nearly so; upper and lower case do not count."""
    folded = {one.lower(): one for one in sorted(known, reverse=True)}
    near = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def describe(document: Document, path: PathSteps, value: Any) -> str:
    """What stands there, in a few words; numbers as they were written."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return document.texts.get(path, str(value))
        case str():
            return quoted(value)
        case list():
            return "a list"
        case _:
            return "a mapping"


def _version_problem(document: Document) -> Problem | None:
    data = document.data
    if not isinstance(data, Mapping):
        return document.problem((), f"expected a mapping that begins with 'ringfence: {VERSION}'")
    found = data.get("ringfence")
    if found == VERSION and not isinstance(found, bool | float):
        return None
    if "ringfence" not in data:
        return document.problem((), "missing key 'ringfence'", hint=f"begin the file with 'ringfence: {VERSION}'")
    if isinstance(found, int) and not isinstance(found, bool) and found > VERSION:
        message = f"version {found} is newer than this program knows ({VERSION})"
        return document.problem(("ringfence",), message, hint="upgrade ringfence-composer")
    shown = describe(document, ("ringfence",), found)
    return document.problem(("ringfence",), f"expected the format's version, {VERSION}, found {shown}")


@cache
def _validator(name: str) -> Validator:
    strict = extend(jsonschema.Draft202012Validator, {"pattern": _whole_pattern})  # type: ignore[no-untyped-call]
    validator: Validator = strict(schema(name, "ringfence_composer"))
    return validator


def _whole_pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[_Error]:
    """`pattern`, with ECMA 262's `$`: unlike Python's, it does not match before a final line break."""
    if isinstance(instance, str) and not re.search(re.sub(r"(?<!\\)\$$", r"\\Z", pattern), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


def _translate(document: Document, error: _Error) -> Iterator[Problem]:
    path: PathSteps = tuple(error.absolute_path)
    rule, value = error.validator, error.instance
    if "propertyNames" in error.absolute_schema_path:
        expected = _annotation(error, "x-expected") or "another key"
        yield document.problem((*path, str(value)), f"expected {expected}, found {quoted(value)}", at_key=True)
    elif rule == "additionalProperties":
        yield from _unknown_keys(document, path, error)
    elif rule == "required":
        for key in error.validator_value:
            if key not in value:
                if difflib.get_close_matches(key, value.keys() - error.schema["properties"].keys(), n=1):
                    continue  # a slip of the pen, reported as an unknown key
                hint = _explain(error.schema["properties"].get(key))
                yield document.problem(path, f"missing key {key!r}", hint=hint)
    elif rule in ("anyOf", "oneOf") and (branch := _branch_of(error)):
        for inner in branch:
            yield from _translate(document, inner)
    else:
        yield _wrong_value(document, path, error)


def _unknown_keys(document: Document, path: PathSteps, error: _Error) -> Iterator[Problem]:
    properties, elsewhere = error.schema["properties"], error.schema.get("x-elsewhere", {})
    noun = _annotation(error, "x-noun") or "key"
    for key in error.instance:
        if key not in properties:
            hint = elsewhere.get(key) or closest(key, properties, listed=properties.keys() - error.instance.keys())
            yield document.problem((*path, key), f"unknown {noun} {quoted(key)}", hint=hint, at_key=True)


def _wrong_value(document: Document, path: PathSteps, error: _Error) -> Problem:
    shown, hint = describe(document, path, error.instance), None
    choices = [str(one) for one in error.validator_value] if error.validator == "enum" else []
    expected = _annotation(error, "x-expected")
    if choices:
        expected = f"one of {', '.join(choices)}"
        near = difflib.get_close_matches(str(error.instance), choices, n=1)
        hint = f"did you mean {near[0]}?" if near else None
    elif not expected and error.validator == "type":
        kinds = [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
        expected = " or ".join(_TYPES[kind] for kind in kinds)
    elif not expected:
        expected = f"{error.validator} {error.validator_value}"
    if error.validator == "type" and isinstance(error.instance, bool | int | float):
        text = document.texts.get(path, shown)
        hint = f'for text, write it in quotes: "{text}"' if re.search(error.schema.get("pattern", ""), text) else None
    if error.validator == "type" and error.validator_value in ("array", "object") and (samples := error.schema.get("examples")):
        hint = f"such as {_flow(samples[0])}"
    if error.validator in ("minItems", "minProperties", "uniqueItems") and error.instance is not None:
        shown = "none" if not error.instance else "one twice"
    return document.problem(path, f"expected {expected}, found {shown}", hint=hint)


def _flow(sample: Any) -> str:
    """An example as it would be written in YAML, in one line."""
    return yaml.safe_dump(sample, default_flow_style=True, width=math.inf, sort_keys=False).strip().removesuffix("\n...")


def _branch_of(error: _Error) -> list[_Error]:
    """The errors of the one branch of an anyOf whose type the value has, so that the message can be about its inside."""
    branches: dict[Any, list[_Error]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.schema_path[0], []).append(inner)
    fitting = [
        found
        for found in branches.values()
        if not any(one.validator == "type" and one.absolute_path == error.absolute_path for one in found)
    ]
    return fitting[0] if len(fitting) == 1 else []


def _annotation(error: jsonschema.ValidationError, name: str) -> str | None:
    found = error.schema.get(name) if isinstance(error.schema, Mapping) else None
    return str(found) if found else None


def _explain(property_schema: Any) -> str | None:
    return property_schema.get("description") if isinstance(property_schema, Mapping) else None
