"""Parameters: one graph, many places. Their types, the ranges they must stay within, and substitution.

Substitution is one pass over the strings of parsed forms: `${name}` becomes the value, `$$` a dollar sign. Never text into YAML, and a
value is checked against its type first, so that it can't bring separators into a place that has a syntax of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any

from ringfence.contract import grants
from ringfence.contract.errors import ManifestError, Problem
from ringfence.contract.lock import LockedParameter

TYPES = ("endpoint", "host", "port", "int", "path", "text")

SAMPLES: Mapping[str, str] = {
    "endpoint": "127.0.0.1:1",
    "host": "localhost",
    "port": "1",
    "int": "1",
    "path": "x",
    "text": "x",
}
"""A value of each parameter type, to check a grant's syntax where a parameter has no default."""

_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[^{}]*)\}|(?P<broken>.?))", re.DOTALL)
_LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,17})")
_RANGE = re.compile(r"(-?[0-9]{1,18})\.\.(-?[0-9]{1,18})")


def _host(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        last = text.rsplit(".", 1)[-1]
        if len(text) > 253 or not _HOST.fullmatch(text) or last.isdigit() or last.lower().startswith("0x"):
            raise ValueError(f"expected a host name or an IP address, found {text!r}") from None
        return text.lower()
    return str(address)


def _port(text: str) -> str:
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= 65535:
        raise ValueError(f"expected a port from 1 to 65535, found {text!r}")
    return text


def _endpoint(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon:
        raise ValueError(f"expected host:port, such as 127.0.0.1:8017, found {text!r}")
    if host.startswith("[") and host.endswith("]"):
        return f"[{IPv6Address(host[1:-1])}]:{_port(port)}"
    return f"{_host(host) if ':' not in host else _refuse(text)}:{_port(port)}"


def _refuse(text: str) -> str:
    raise ValueError(f"expected host:port with an IPv6 address in brackets, found {text!r}")


def _int(text: str) -> str:
    if not re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", text):
        raise ValueError(f"expected a whole number, found {text!r}")
    return text


def _path(text: str) -> str:
    parts = text.split("/")
    if not text or text.startswith(("/", "~")) or "\\" in text or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"expected a relative path without '.' and '..' parts, found {text!r}")
    return _text(text)


def _text(text: str) -> str:
    if found := next((char for char in text if ord(char) < 32 or ord(char) == 127), None):
        raise ValueError(f"expected text without control characters, found U+{ord(found):04X}")  # not the text: it may be a secret
    return text


_CHECKS: Mapping[str, Callable[[str], str]] = {
    "endpoint": _endpoint,
    "host": _host,
    "port": _port,
    "int": _int,
    "path": _path,
    "text": _text,
}


def checked(kind: str, value: object) -> str:
    """The value of a parameter of type `kind`, in its canonical spelling.

    Raises:
        ValueError: it is not of that type; the message says what was expected.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"expected text, found {type(value).__name__}")
    return _CHECKS[kind](str(value))


def is_within(kind: str, value: str, ranges: tuple[str, ...]) -> bool:
    """Whether the (checked) value lies in one of the ranges, evaluated in its type; no ranges: everywhere.

    endpoint: a tcp grant (`127.0.0.1:*`, `*.db.internal:5432`, `10.0.0.0/8:443`). host: the same without a port. port, int: `1024..65535`
    or a number. path: a folder that holds it. text: one of the listed texts.

    Raises:
        ValueError, ExceptionGroup: a range is not of this type's form.
    """
    return not ranges or any(_in_range(kind, value, one) for one in ranges)


def _in_range(kind: str, value: str, one: str) -> bool:
    match kind:
        case "endpoint":
            return _covers_endpoint(one, value)
        case "host":
            wrap = f"[{value}]" if ":" in value else value
            return _covers_endpoint(f"{one}:*", f"{wrap}:1")
        case "port" | "int":
            found = _RANGE.fullmatch(one)
            low, high = (int(found[1]), int(found[2])) if found else (int(_int(one)), int(_int(one)))
            return low <= int(value) <= high
        case "path":
            return value == one or value.startswith(one.rstrip("/") + "/")
        case _:
            return value == one


def _covers_endpoint(wide: str, narrow: str) -> bool:
    tcp = grants.KINDS["tcp"]
    (outer,), (inner,) = tcp.parse([wide]), tcp.parse([narrow])
    return tcp.covers(outer, inner)


def settle(parameters: tuple[LockedParameter, ...], given: Mapping[str, object]) -> dict[str, str]:
    """Every parameter's value: what was given, else its default.

    Raises:
        ManifestError: unknown names, missing values, values of the wrong type or outside `within`; all of them.
    """
    problems: list[Problem] = []
    values: dict[str, str] = {}
    known = {one.name: one for one in parameters}
    for name in given.keys() - known.keys():
        listed = ", ".join(sorted(known)) or "none"
        problems.append(Problem(path=f"parameters.{name}", message=f"no such parameter; the graph has {listed}"))
    for one in parameters:
        value = given.get(one.name, one.default)
        if value is None:
            problems.append(Problem(path=f"parameters.{one.name}", message="no value given, and it has no default"))
            continue
        try:
            values[one.name] = checked(one.type, value)
            if not is_within(one.type, values[one.name], one.within):
                found = "" if one.type == "text" else f", found {value!r}"
                raise ValueError(f"expected a value within {' or '.join(one.within)}{found}")
        except (ValueError, ExceptionGroup) as error:
            reasons = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
            problems.append(Problem(path=f"parameters.{one.name}", message="; ".join(map(str, reasons))))
    if problems:
        raise ManifestError(problems)
    return values


def references(form: Any) -> list[str]:
    """The names of the parameters that a form refers to, in order.

    Raises:
        ValueError: a dollar sign that starts no reference.
    """
    names: list[str] = []

    def note(name: str) -> str:
        names.append(name)
        return ""

    _rewrite(form, note)
    return names


def substitute(form: Any, values: Mapping[str, str]) -> Any:
    """The form with every `${name}` replaced by its value.

    Raises:
        KeyError: no such parameter.
        ValueError: a dollar sign that starts no reference.
    """
    return _rewrite(form, values.__getitem__)


def _rewrite(form: Any, value_of: Callable[[str], str]) -> Any:
    if isinstance(form, str):
        return _REFERENCE.sub(lambda found: _replacement(found, value_of), form)
    if isinstance(form, Mapping):
        return {key: _rewrite(one, value_of) for key, one in form.items()}
    if isinstance(form, list | tuple):
        return [_rewrite(one, value_of) for one in form]
    return form


def _replacement(found: re.Match[str], value_of: Callable[[str], str]) -> str:
    if found["dollar"]:
        return "$"
    if found["name"] is None:
        raise ValueError("expected ${name}, or $$ for a dollar sign")
    return value_of(found["name"])
