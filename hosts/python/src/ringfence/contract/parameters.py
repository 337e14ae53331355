"""Parameters: one graph, many places. Their types, the ranges they must stay within, and substitution.

Substitution is one pass over the strings of parsed forms: `${name}` becomes the value, `$$` a dollar sign. Never text into YAML, and a
value is checked against its type first, so that it can't bring separators into a place that has a syntax of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from ipaddress import AddressValueError, IPv6Address, ip_address
from typing import Any

from ringfence.contract import grants
from ringfence.contract.errors import ManifestError, Problem
from ringfence.contract.grants.base import GrantSyntaxError, quoted, shown
from ringfence.contract.lock import LockedParameter

TYPES = ("endpoint", "host", "port", "int", "path", "text")
EXPECTED: Mapping[str, str] = {
    "endpoint": "host:port (as 127.0.0.1:8017)",
    "host": "a host name or an IP address",
    "port": "a port from 1 to 65535",
    "int": "a whole number",
    "path": "a relative path without '.' and '..' parts",
    "text": "text",
}
"""What a value of each type is, in words."""

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
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,63}")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_RANGE = re.compile(r"(-?[0-9]{1,18})\.\.(-?[0-9]{1,18})")


def _host(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        last = text.rsplit(".", 1)[-1]
        if len(text) > 253 or not _HOST.fullmatch(text) or last.isdigit() or last.lower().startswith("0x"):
            raise _unfit("host", text) from None
        return text.lower()
    if "%" in text:
        raise ValueError(f"expected an address without a zone, found {quoted(text, 60)}")
    return str(address)


def _port(text: str) -> str:
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= 65535:
        raise _unfit("port", text)
    return text


def _endpoint(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not host:
        raise _unfit("endpoint", text)
    if ":" not in host:
        return f"{_host(host)}:{_port(port)}"
    with suppress(AddressValueError):
        if host.startswith("[") and host.endswith("]") and "%" not in host:
            return f"[{IPv6Address(host[1:-1])}]:{_port(port)}"
    raise ValueError(f"expected host:port with an IPv6 address in brackets, such as [::1]:80, found {quoted(text, 60)}")


def _unfit(kind: str, value: object) -> ValueError:
    return ValueError(f"expected {EXPECTED[kind]}, found {shown(value)}")


def _int(text: str) -> str:
    if not _WHOLE.fullmatch(text):
        raise _unfit("int", text)
    return str(int(text))


def _path(text: str) -> str:
    parts = text.split("/")
    if not text or text.startswith(("/", "~")) or "\\" in text or any(part in ("", ".", "..") for part in parts):
        raise _unfit("path", text)
    return _text(text)


def _text(text: str) -> str:
    """Only the character that is wrong is shown: the text may be a secret."""
    for char in text:
        if (category := unicodedata.category(char)) in ("Cc", "Cs"):
            what = "control characters" if category == "Cc" else "halves of surrogate pairs"
            raise ValueError(f"expected text without {what}, found U+{ord(char):04X}")
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
        raise _unfit(kind, value)
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
            if not found and not _WHOLE.fullmatch(one):
                raise ValueError(f"expected a range such as 1024..65535, or a whole number, found {quoted(one, 60)}")
            low, high = (int(found[1]), int(found[2])) if found else (int(one), int(one))
            if low > high:
                raise ValueError(f"expected the smaller number first, found {quoted(one, 60)}")
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
    if not isinstance(given, Mapping):
        hint = 'such as {"vendor": "127.0.0.1:8017"}'
        raise ManifestError([Problem(path="parameters", message=f"expected a mapping of names to values, found {shown(given)}", hint=hint)])
    known = {one.name: one for one in parameters}
    problems = [_unknown(name, known) for name in given if name not in known]
    values: dict[str, str] = {}
    for one in parameters:
        try:
            values[one.name] = _settled(one, given)
        except (ValueError, ExceptionGroup) as error:
            leaf = next(iter(error.exceptions)) if isinstance(error, ExceptionGroup) else error
            missing = one.name not in given and one.default is None
            hint = _remedy(one.name) if missing else leaf.hint if isinstance(leaf, GrantSyntaxError) else None
            problems.append(Problem(path=f"parameters.{one.name}", message=str(leaf), hint=hint))
    if problems:
        raise ManifestError(problems)
    return values


def _settled(parameter: LockedParameter, given: Mapping[str, object]) -> str:
    value = given.get(parameter.name, parameter.default)
    within = f" within {' or '.join(parameter.within)}" if parameter.within else ""
    if value is None and parameter.name not in given:
        raise ValueError(f"expected {EXPECTED[parameter.type]}{within}, found no value, and it has no default")
    settled = checked(parameter.type, value)
    if not is_within(parameter.type, settled, parameter.within):
        found = "" if parameter.type == "text" else f", found {shown(value)}"  # a text may be a secret
        raise ValueError(f"expected a value{within}{found}")
    return settled


def _remedy(name: str) -> str:
    return f'give it with --param {name}=VALUE, in Python with parameters={{"{name}": VALUE}}, or write a default in the graph'


def _unknown(name: object, known: Mapping[str, LockedParameter]) -> Problem:
    from difflib import get_close_matches  # needed only where something is wrong

    near = get_close_matches(str(name), known, n=1)
    there = f"it has {', '.join(sorted(known))}" if known else "it has none"
    path = f"parameters.{name}" if isinstance(name, str) and _PLAIN.fullmatch(name) else f"parameters[{shown(name)}]"
    return Problem(path=path, message="the graph has no such parameter", hint=f"did you mean {near[0]}?" if near else there)


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
