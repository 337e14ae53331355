"""Additions to YAML text that leave everything else in it as it is: comments, quotes, line ends, order.

Whoever edits reads the result again and compares: what an odd layout would make of an addition is found there, not here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from ringfence_composer.manifest.source import PathSteps

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_/.-]*")
_WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))


def flow(value: Any) -> str:
    """The value as YAML that fits into one line, in ASCII."""
    match value:
        case str():
            return value if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else _quoted(value)
        case Mapping():
            inner = ", ".join(f"{flow(key)}: {flow(one)}" for key, one in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case list() | tuple():
            return f"[{', '.join(map(flow, value))}]"
        case _:
            return json.dumps(value)


def _quoted(text: str) -> str:
    """The text in double quotes and ASCII. Unlike JSON, YAML has no pairs of surrogates."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\x7f").encode("ascii", "backslashreplace").decode()


def with_item(text: str, path: PathSteps, item: Any) -> str:
    """The text with one more item at the end of the list at `path`; an empty value becomes a list."""
    return _added(text, _at(text, path), flow(item), "[]", "- ")


def with_key(text: str, path: PathSteps, key: str, value: Any) -> str:
    """The text with one more key at the end of the mapping at `path`; an empty value becomes a mapping."""
    return _added(text, _at(text, path), f"{flow(key)}: {flow(value)}", "{}", "")


def _at(text: str, path: PathSteps) -> yaml.ScalarNode | yaml.CollectionNode:
    """The node at a path, which exists. No text comes here that nests too deeply: whoever edits has read it."""
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    for step in path:
        node = node.value[step] if isinstance(step, int) else next(value for key, value in node.value if key.value == step)
    found: yaml.ScalarNode | yaml.CollectionNode = node
    return found


def _added(text: str, node: yaml.ScalarNode | yaml.CollectionNode, entry: str, brackets: str, dash: str) -> str:
    whole = f"{{ {entry} }}" if brackets == "{}" else f"[{entry}]"
    if isinstance(node, yaml.ScalarNode):  # nothing is written there
        return _with(text, node.start_mark.index, node.end_mark.index, f" {whole}")
    children = [pair[1] if isinstance(pair, tuple) else pair for pair in node.value]
    starts = [pair[0] if isinstance(pair, tuple) else pair for pair in node.value]
    if not children:
        return _with(text, node.start_mark.index, node.end_mark.index, whole)
    at = _end(children[-1], text)
    newline = "\r\n" if "\r\n" in text else "\n"
    if node.flow_style:
        own_line = not _before(text, starts[-1].start_mark.index).strip()
        gap = newline + " " * starts[-1].start_mark.column if own_line else " "
        return _with(text, at, at, f",{gap}{entry}")
    line_end = _line_end(text, at)
    return _with(text, line_end, line_end, f"{newline}{' ' * node.start_mark.column}{dash}{entry}")


def _with(text: str, start: int, end: int, new: str) -> str:
    return text[:start] + new + text[end:]


def _end(node: yaml.Node, text: str) -> int:
    """Where the last character of a node is, and no comment after it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last, text)
    return len(text[: node.end_mark.index].rstrip("\r\n"))


def _before(text: str, at: int) -> str:
    """What is written in the same line before."""
    return text[max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1 : at]


def _line_end(text: str, at: int) -> int:
    found = re.compile(r"\r\n|[\r\n]").search(text, at)
    return found.start() if found else len(text)
