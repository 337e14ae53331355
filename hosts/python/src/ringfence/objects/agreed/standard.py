"""What both sides have of the standard library beyond plain values: exceptions, by name, small values, and trees of XML.

Of the standard library this imports little before it is needed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

_EXCEPTIONS = {
    "argparse": "ArgumentError ArgumentTypeError",
    "binascii": "Error Incomplete",
    "configparser": "DuplicateOptionError DuplicateSectionError Error InterpolationDepthError InterpolationError "
    "InterpolationMissingOptionError InterpolationSyntaxError MissingSectionHeaderError NoOptionError NoSectionError ParsingError",
    "copy": "Error",
    "csv": "Error",
    "dataclasses": "FrozenInstanceError",
    "decimal": "DecimalException DivisionByZero FloatOperation Inexact InvalidOperation Overflow Rounded Subnormal Underflow",
    "email.errors": "BoundaryError CharsetError HeaderParseError MessageError MessageParseError MultipartConversionError",
    "graphlib": "CycleError",
    "gzip": "BadGzipFile",
    "http.client": "BadStatusLine CannotSendRequest HTTPException ImproperConnectionState IncompleteRead InvalidURL LineTooLong "
    "NotConnected RemoteDisconnected UnknownProtocol",
    "http.cookies": "CookieError",
    "importlib.metadata": "PackageNotFoundError",
    "io": "UnsupportedOperation",
    "ipaddress": "AddressValueError NetmaskValueError",
    "json": "JSONDecodeError",
    "pickle": "PickleError PicklingError UnpicklingError",
    "plistlib": "InvalidFileException",
    "queue": "Empty Full",
    "re": "error",
    "socket": "gaierror herror",
    "statistics": "StatisticsError",
    "struct": "error",
    "subprocess": "CalledProcessError SubprocessError TimeoutExpired",
    "tarfile": "CompressionError ExtractError HeaderError ReadError StreamError TarError",
    "tokenize": "TokenError",
    "tomllib": "TOMLDecodeError",
    "urllib.error": "ContentTooShortError URLError",
    "xml.dom": "DOMException HierarchyRequestErr IndexSizeErr InvalidAccessErr InvalidCharacterErr InvalidModificationErr InvalidStateErr "
    "NamespaceErr NoModificationAllowedErr NotFoundErr NotSupportedErr SyntaxErr ValidationErr WrongDocumentErr",
    "xml.etree.ElementTree": "ParseError",
    "xml.parsers.expat": "ExpatError",
    "xml.sax": "SAXException SAXNotRecognizedException SAXNotSupportedException SAXParseException",
    "zipfile": "BadZipFile LargeZipFile",
    "zlib": "error",
    "zoneinfo": "ZoneInfoNotFoundError",
}
"""By module, as programs name them in `except` clauses."""


def _keys(listed: dict[str, str]) -> frozenset[str]:
    return frozenset(f"{module}:{name}" for module, names in listed.items() for name in names.split())


_KEYS = _keys(_EXCEPTIONS)
_names: dict[type, str | None] = {}


def exception_key(cls: type) -> str | None:
    """The name of an exception of the standard library that both sides have, as `module:name`; None for other classes."""
    if cls not in _names:
        _names[cls] = next((key for key in _KEYS if _loaded(key) is cls), None) if _standard(cls) else None
    return _names[cls]


def _standard(cls: type) -> bool:
    return str(cls.__module__).partition(".")[0] in sys.stdlib_module_names


def _loaded(key: str) -> Any:
    module, _, name = key.partition(":")
    return getattr(sys.modules.get(module), name, None)


def exception_of(key: str) -> Any:
    """The exception of a key.

    Raises:
        LookupError: both sides have none of that name.
    """
    if key not in _KEYS:
        raise LookupError(f"no exception {ascii(key)[:80]}")
    return _imported(key)


def _imported(key: str) -> Any:
    module, _, name = key.partition(":")
    return getattr(importlib.import_module(module), name)


_VALUES = {
    "ipaddress": "IPv4Address IPv4Interface IPv4Network IPv6Address IPv6Interface IPv6Network",
    "time": "struct_time",
    "urllib.parse": "DefragResult DefragResultBytes ParseResult ParseResultBytes SplitResult SplitResultBytes",
}
"""Classes of values that never change, by module."""
_VALUE_KEYS = _keys(_VALUES)
_PARTS: dict[str, tuple[type, ...]] = {"ipaddress": (str,), "time": (int, str, type(None)), "urllib.parse": (str, bytes, type(None))}
"""What such values are made of."""


def write_value(value: Any, write: Callable[[Any, int], Any], depth: int) -> Any:
    """JSON for a value of one of these classes; None for all others."""
    module = type(value).__module__
    key = f"{module}:{type(value).__name__}" if type(module) is str and module in _VALUES else ""
    if key not in _VALUE_KEYS or _loaded(key) is not type(value):
        return None
    parts = [*tuple.__iter__(value)] if isinstance(value, tuple) else [str(value)]
    if module == "time":
        parts += [value.tm_zone, value.tm_gmtoff]
    if not all(type(one) in _PARTS[module] for one in parts):
        return None
    return {"$": "V", "n": key, "v": write(parts, depth)}


def read_value(found: dict[str, Any]) -> Any:
    """The value that JSON stands for.

    Raises:
        ValueError, TypeError: it stands for none.
    """
    key, parts = found["n"], found["v"]
    if type(key) is not str or key not in _VALUE_KEYS:
        raise ValueError("a class that is not listed")
    module = key.partition(":")[0]
    if type(parts) is not list or not all(type(one) in _PARTS[module] for one in parts):
        raise ValueError("a value that does not fit its class")
    cls = _imported(key)
    return cls(parts) if module == "time" else cls(*parts)


def is_tree(value: Any) -> bool:
    """Whether a value is an element of `xml.etree.ElementTree`, or a tree of them."""
    module: Any = sys.modules.get("xml.etree.ElementTree")
    return module is not None and type(value) in (module.Element, module.ElementTree)


def write_tree(value: Any, write: Callable[[Any, int], Any], depth: int) -> Any:
    """JSON for a tree; None where it is not made of text alone, or has an element in it twice."""
    from xml.etree import ElementTree as ET

    whole = type(value) is ET.ElementTree
    found = _rows(ET, value.getroot() if whole else value)
    return None if found is None else {"$": "G", "v": write(found, depth), "w": whole}


def _rows(ET: Any, root: Any) -> list[list[Any]] | None:  # noqa: N803 -- a module's name
    """The elements, parents first: tag, text, tail, attributes and how many children follow."""
    special = {ET.Comment: 0, ET.ProcessingInstruction: 1}
    found: list[list[Any]] = []
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if type(one) is not ET.Element or id(one) in seen:
            return None
        seen.add(id(one))
        tag = one.tag if type(one.tag) is str else special.get(one.tag) if callable(one.tag) else None
        texts = (one.text, one.tail, *one.attrib, *one.attrib.values())
        if tag is None or not all(text is None or type(text) is str for text in texts):
            return None
        found.append([tag, one.text, one.tail, dict(one.attrib), len(one)])
        waiting += reversed(one)
    return found


def read_tree(found: dict[str, Any]) -> Any:
    """The element or tree that JSON stands for.

    Raises:
        ValueError, TypeError: it stands for none.
    """
    from xml.etree import ElementTree as ET

    root = _grown(ET, found["v"])
    return ET.ElementTree(root) if found["w"] is True else root


def _is_row(_: Any, text: Any, tail: Any, attributes: Any, children: Any) -> bool:
    texts = (text, tail, *attributes, *attributes.values()) if type(attributes) is dict else (0,)
    return type(children) is int and children >= 0 and all(one is None or type(one) is str for one in texts)


def _grown(ET: Any, found: Any) -> Any:  # noqa: N803 -- a module's name
    special = (ET.Comment, ET.ProcessingInstruction)
    top = ET.Element("top")
    open_: list[list[Any]] = [[top, 1]]
    if type(found) is not list:  # what else can be iterated may be a library's, and never end
        raise ValueError("a tree that is none")
    for row in found:
        while open_ and not open_[-1][1]:
            open_.pop()
        if not open_ or type(row) is not list or not _is_row(*row):
            raise ValueError("a tree that is none")
        tag, text, tail, attributes, children = row
        made = ET.Element(tag if type(tag) is str else "", attributes)
        if type(tag) is int and tag in (0, 1):
            made.tag = special[tag]
        elif type(tag) is not str:
            raise ValueError("a tag that is none")
        made.text, made.tail = text, tail
        open_[-1][0].append(made)
        open_[-1][1] -= 1
        open_.append([made, children])
    if len(top) != 1 or any(left for _, left in open_):
        raise ValueError("a tree that is none")
    return top[0]
