"""`ringfence:objects/application`, as this host serves it: what a wrapped library may ask of the application that is calling it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from ringfence.call import Call, Root
from ringfence.contract.errors import UsageError
from ringfence.contract.grants.application import UseValue
from ringfence.contract.names import parse_interface, track
from ringfence.contract.types import InterfaceType
from ringfence.gate import Refused, permit
from ringfence.last_words import plain
from ringfence.objects.agreed.terms import Malformed
from ringfence.objects.bounds import Bounds
from ringfence.wasi.tables import HostFunction, Table

TRACK = "0.1"
_LEVELS = range(-1, 101)
_PRINTED = -1
"""The level of what a library prints, by the name of the stream."""
_STREAMS = ("stdout", "stderr")
_RECORD = Bounds(size=1 << 20, values=8, depth=2)
"""How much a record may hold: it is parsed in the host's own stack."""
_TEXT = 10_000
"""Characters of a record that are logged."""


class Conversation(Root):
    """The application's call of a wrapped library: a root that answers what the library asks. `library` is the logger's name."""

    __slots__ = ("answer", "library")

    def __init__(self, library: str, answer: Callable[[Call, str], str]) -> None:
        super().__init__()
        self.library, self.answer = library, answer


def refusal(kind: str, message: str) -> str:
    """The answer that raises a built-in exception in the guest."""
    return json.dumps([1, {"$": "X", "i": 0, "n": kind, "c": {"$": "E", "v": kind}, "a": [message]}])


def ask(call: Call, request: str) -> str:
    """What the application answers; an exception in the guest where it may not be asked."""
    root = call.root
    if not isinstance(root, Conversation):
        return refusal("PermissionError", "nobody is there to be asked: the library was not called through its package")
    try:
        permit(call, UseValue())
    except Refused as refused:
        return refusal("PermissionError", refused.denial.brief)
    return root.answer(call, request)


def log(call: Call, record: str) -> None:
    """A record of the library's to the logger `ringfence.LIBRARY`, as text: escaped, never formatted.

    Of what it prints it tells the first, which is logged where nobody granted the stream: it would vanish without a word.
    """
    root = call.root
    library = root.library if isinstance(root, Conversation) else call.node
    call.spend(len(record))
    level, name, message = _read(record)
    if name in _STREAMS and level == _PRINTED:
        if call.state.policy.of(name):
            return
        told = f"{library} printed to {name}, which leads nowhere unless that is granted ({name}: inherit)"
        level, name, message = logging.WARNING, "", f"{told}: {message.strip()}"
    text = plain(message[:_TEXT].encode(errors="backslashreplace"))
    source = plain(name[:200].encode(errors="backslashreplace"))
    logging.getLogger(f"ringfence.{library}").log(level, "%s", f"{source}: {text}" if source else text)


def _read(record: str) -> tuple[int, str, str]:
    """Level, name and message of a record; one that is none is an error with all of its text."""
    try:
        _RECORD.check(record)
        level, name, message = json.loads(record)
    except (Malformed, ValueError, TypeError, RecursionError):
        return logging.ERROR, "", record
    if type(level) is not int or level not in _LEVELS or not isinstance(name, str) or not isinstance(message, str):
        return logging.ERROR, "", record
    return level, name, message


INTERFACES: dict[str, Table] = {"ringfence:objects/application": {"ask": ask, "log": log}}


def imports(names: Mapping[str, InterfaceType]) -> dict[tuple[str, str], HostFunction]:
    """The functions behind those of a component's imports that are served here.

    Raises:
        UsageError: there is one that this version does not serve.
    """
    found: dict[tuple[str, str], Any] = {}
    for name, kind in names.items():
        parsed = parse_interface(name)
        table = INTERFACES.get(parsed.base) if parsed is not None and track(parsed.version) == TRACK else None
        if table is None or not kind.functions.keys() <= table.keys():
            raise UsageError(f"this version does not serve {name}", hint="update ringfence")
        found.update({(name, function): table[function] for function in kind.functions})
    return found
