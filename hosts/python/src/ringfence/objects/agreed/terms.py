"""What both sides have of Python, and how deep, what crosses may be."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

DEPTH = 200
"""How deep containers may be nested."""

TYPES: dict[str, type] = {
    one.__name__: one
    for one in (
        *(
            type(None),
            bool,
            int,
            float,
            complex,
            str,
            bytes,
            bytearray,
            memoryview,
            list,
            tuple,
            dict,
            set,
            frozenset,
            range,
            slice,
            object,
            type,
        ),
        *(property, staticmethod, classmethod, super, enumerate, zip, map, filter, reversed, type(NotImplemented), type(Ellipsis)),
        *(OrderedDict, defaultdict, deque, Counter, Decimal, Fraction, uuid.UUID, PurePosixPath),
        *(dt.datetime, dt.date, dt.time, dt.timedelta, dt.timezone, dt.tzinfo),
    )
}
"""The classes that both sides have, which cross by their names."""
COMMON = frozenset(
    (
        *("abc", "array", "ast", "base64", "binascii", "bisect", "builtins", "calendar", "cmath", "codecs", "collections"),
        *("collections.abc", "colorsys", "contextlib", "copy", "csv", "dataclasses", "datetime", "decimal", "difflib", "enum"),
        *("fnmatch", "fractions", "functools", "graphlib", "hashlib", "heapq", "html", "html.parser", "io", "itertools", "json"),
        *("ipaddress", "json.decoder", "json.encoder", "keyword", "math", "numbers", "operator", "pprint", "re", "reprlib", "statistics"),
        *("string", "struct", "textwrap", "types", "typing", "unicodedata", "urllib.parse", "uuid"),
    )
)
"""Modules of the standard library that both sides have and that do nothing outside of their own process: what the application gives of
them is the library's own copy, so that the library knows it, and nobody is asked to run it."""
_UNICODE = ("encoding", "object", "start", "end", "reason")
FIELDS: dict[type[BaseException], tuple[str, ...]] = {
    AttributeError: ("name",),
    ImportError: ("msg", "name", "path"),
    NameError: ("name",),
    SyntaxError: ("msg", "filename", "lineno", "offset", "text", "end_lineno", "end_offset"),
    UnicodeDecodeError: _UNICODE,
    UnicodeEncodeError: _UNICODE,
    UnicodeTranslateError: _UNICODE[1:],
}
"""What built-in exceptions keep beside their arguments, of which their message is made."""
NOT_COMMON = frozenset({"builtins:print", "builtins:input", "builtins:open", "builtins:breakpoint", "io:open", "_io:open", "io:open_code"})
"""What acts on the application's own process: given as the callable that it is."""
TYPE_NAMES = {one: name for name, one in TYPES.items()}
CONTAINERS = frozenset({list, dict, tuple, set, frozenset, deque, OrderedDict, Counter, defaultdict})
CONSTANTS = {"NotImplemented": NotImplemented, "Ellipsis": Ellipsis}


_UNARY = (
    *("init", "call", "enter", "exit", "iter", "next", "reversed", "len", "length_hint", "bool", "contains", "getitem", "setitem"),
    *("delitem", "missing", "hash", "eq", "ne", "lt", "le", "gt", "ge", "repr", "str", "format", "bytes", "int", "float", "complex"),
    *("index", "round", "trunc", "floor", "ceil", "neg", "pos", "abs", "invert", "copy", "deepcopy", "html", "html_format"),
)
_BINARY = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift", "rshift", "and", "xor", "or")
OPERATORS = frozenset(f"__{name}__" for name in (*_UNARY, *(prefix + name for name in _BINARY for prefix in ("", "r", "i"))))
"""The special methods that cross. All others are the interpreter's own business, on each side."""


FROZEN: dict[type, Callable[[Any], Any]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    complex: complex.__complex__,
    bytes: bytes.__bytes__,
    tuple: lambda value: tuple(tuple.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
}
"""Classes whose objects never change, and what an object of a subclass holds of them, whatever that says of itself."""


class Malformed(Exception):
    """A text that is none of this form, or stands for what nobody may be made to build."""


class Uncrossable(TypeError):
    """A value that cannot cross."""
