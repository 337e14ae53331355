"""YAML text into plain data with the line and column of every key and value; what is ambiguous in YAML is refused.

Scalars are typed by the core schema of YAML 1.2 (§10.3.2): `no` and `22:22` are text. Built on the events of PyYAML's parser rather than
on its composer: events still tell anchors and tags, and a stack of our own keeps deep nesting from exhausting Python's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import yaml
from ringfence.contract.errors import ManifestError, Problem
from ringfence.contract.files import read_regular, why
from ringfence.contract.names import Digest, digest_of

Step: TypeAlias = "str | int"
PathSteps: TypeAlias = tuple[Step, ...]

MAX_BYTES = 1 << 20
MAX_DEPTH = 32

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE, _FALSE = frozenset(("true", "True", "TRUE")), frozenset(("false", "False", "FALSE"))
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL, _HEX = re.compile(r"0o[0-7]+"), re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


class Mark(NamedTuple):
    """A place in a file, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML file: its data, and where everything in it stands.

    `file` is the name to show, `marks` the place of each value, `keys` that of each mapping's key, `texts` each scalar as it was written.
    `problems` are those that leave the rest readable (duplicate keys, tags, numbers out of range): whoever reads on must report them.
    """

    file: str
    digest: Digest
    data: Any
    marks: Mapping[PathSteps, Mark]
    keys: Mapping[PathSteps, Mark]
    texts: Mapping[PathSteps, str]
    problems: tuple[Problem, ...] = ()

    def mark(self, path: PathSteps) -> Mark:
        """The place of the value at `path`, or of the nearest thing around it that exists."""
        while path and path not in self.marks:
            path = path[:-1]
        return self.marks.get(path, Mark(1, 1))

    def problem(self, path: PathSteps, message: str, *, hint: str | None = None, at_key: bool = False) -> Problem:
        """A problem with the value (or with the key) at `path`."""
        mark = self.keys.get(path) if at_key else None
        line, column = mark or self.mark(path)
        return Problem(message=message, file=self.file, line=line, column=column, path=show_path(path), hint=hint)

    def where(self, path: PathSteps) -> str:
        """`graph.yaml:12` of the value at `path`; never with a folder, since it stands in locks."""
        return f"{Path(self.file).name}:{self.mark(path).line}"


class Problems:
    """Collects what is wrong in several documents; told at once, documents in the order they came, each in reading order."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}
        self._files: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, problem: Problem) -> None:
        """Note a problem; a second, equal one is dropped."""
        self._files.setdefault(problem.file, len(self._files))
        self._found[problem] = None

    def add_unless_known(self, problem: Problem) -> None:
        """Note a problem where nothing wrong is known yet at this very place."""
        place = (problem.file, problem.line, problem.column, problem.path)
        if not any((one.file, one.line, one.column, one.path) == place for one in self._found):
            self.add(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add(problem)

    def in_order(self) -> tuple[Problem, ...]:
        """All of them, in reading order."""
        return tuple(sorted(self._found, key=lambda one: (self._files[one.file], one.line, one.column)))

    def raise_any(self) -> None:
        """Raise ManifestError if there are any."""
        if self._found:
            raise ManifestError(self.in_order())


def show_path(path: PathSteps) -> str:
    """`edges[1].grant.tcp[0]`. A key that is no plain word is quoted, so that nothing in it can pass for structure."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[A-Za-z0-9_.-]{1,80}", step):
            text += f".{step}" if text else step
        else:
            text += f"[{quoted(step)}]"
    return text


def quoted(value: object, limit: int = 60) -> str:
    """The value in quotes for a message: control characters escaped, long text cut."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 4]}…{text[-1]}"


def read_document(path: Path, *, show_as: str | None = None) -> Document:
    """The YAML document in a file.

    Raises:
        ManifestError: it cannot be read, or is not one plain YAML document; holds all that the parser could still find.
    """
    file = show_as or str(path)
    try:
        raw = read_regular(path, MAX_BYTES)
    except (OSError, ValueError) as error:  # ValueError: no path at all, such as one with a zero character
        reason = why(error) if isinstance(error, OSError) else str(error)
        raise ManifestError([Problem(file=file, message=f"cannot read it: {reason}")]) from error
    return parse_document(raw, file)


def parse_document(raw: bytes, file: str) -> Document:
    """The YAML document in these bytes; `file` is its name in messages. Raises ManifestError like `read_document`."""
    text = _decode(raw, file)
    reader = _Reader(text, file)
    data = reader.read()
    problems = tuple(_with_paths(reader.problems.in_order(), reader.marks))
    if reader.fatal:
        raise ManifestError(problems)
    return Document(
        file=file,
        digest=digest_of(raw),
        data=data,
        marks=reader.marks,
        keys=reader.keys,
        texts=reader.texts,
        problems=problems,
    )


def _with_paths(problems: Iterable[Problem], marks: Mapping[PathSteps, Mark]) -> Iterator[Problem]:
    """The parser's problems, those at the place of a value with the path that it has now."""
    paths: dict[tuple[int, int], PathSteps] = {}
    for path, mark in marks.items():
        paths.setdefault(mark, path)
    for one in problems:
        found = paths.get((one.line, one.column), ()) if not one.path else ()
        yield one._replace(path=show_path(found)) if found else one


def _decode(raw: bytes, file: str) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ManifestError([Problem(file=file, message="expected UTF-8, found UTF-16", hint="save the file as UTF-8")])
    if raw.startswith(b"\xef\xbb\xbf"):
        message = "begins with a byte order mark"
        hint = "save the file as UTF-8 without BOM"
        raise ManifestError([Problem(file=file, line=1, column=1, message=message, hint=hint)])
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        mark = _place(raw[: error.start].decode("utf-8"))
        message = f"expected UTF-8, found the byte 0x{raw[error.start]:02x}"
        raise ManifestError([Problem(file=file, line=mark.line, column=mark.column, message=message)]) from None
    if found := _FORBIDDEN.search(text):
        mark = _place(text[: found.start()])
        message = f"found the control or invisible character U+{ord(found[0]):04X}"
        hint = 'write it as an escape in double quotes, such as "\\u00e9", if it is meant'
        raise ManifestError([Problem(file=file, line=mark.line, column=mark.column, message=message, hint=hint)])
    return text


def _place(before: str) -> Mark:
    lines = re.split(r"\r\n|[\r\n\x85\u2028\u2029]", before)  # YAML's line breaks as PyYAML counts them
    return Mark(len(lines), len(lines[-1]) + 1)


@dataclass(slots=True)
class _Open:
    """A collection that is being read."""

    path: PathSteps
    value: dict[str, Any] | list[Any]
    key: str | None = None


class _Reader:
    """Builds data from parser events, noting places and problems."""

    def __init__(self, text: str, file: str) -> None:
        self._text, self._file = text, file
        self.problems = Problems()
        self.marks: dict[PathSteps, Mark] = {}
        self.keys: dict[PathSteps, Mark] = {}
        self.texts: dict[PathSteps, str] = {}
        self._root: Any = None
        self._stack: list[_Open] = []
        self._skip = 0  # depth inside a value that is being left out (a duplicate's, a complex key's)
        self._skip_next = False
        self._documents = 0
        self._stop = False
        self.fatal = False

    def read(self) -> Any:
        loader = yaml.SafeLoader(self._text)
        try:
            while not self._stop and loader.check_event():
                self._event(loader.get_event())  # type: ignore[no-untyped-call]
        except yaml.MarkedYAMLError as error:
            self._syntax(error)
        except yaml.YAMLError as error:
            self._note(Mark(1, 1), f"not YAML: {error}")
        finally:
            loader.dispose()
        if not self._documents and not self.problems:
            self._note(Mark(1, 1), "the file is empty")
        return self._root

    def _note(self, mark: Mark, message: str, hint: str | None = None, path: PathSteps = (), *, fatal: bool = True) -> None:
        """Note a problem; after a `fatal` one the data is not what was meant, and nothing more can be said about it."""
        self.fatal = self.fatal or fatal
        self.problems.add(Problem(message=message, file=self._file, line=mark.line, column=mark.column, path=show_path(path), hint=hint))

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        place = error.problem_mark or error.context_mark
        mark = Mark(place.line + 1, place.column + 1) if place else Mark(1, 1)
        if place and self._text[place.index : place.index + 1] == "\t":
            return self._note(mark, "found a tab where YAML wants spaces", "indent with spaces")
        problem = (error.problem or "it cannot be parsed").removeprefix("found ")
        hint, context = None, error.context or ""
        begun = Mark(error.context_mark.line + 1, error.context_mark.column + 1) if error.context_mark else mark
        if "quoted scalar" in context and "end of stream" in problem:
            return self._note(begun, "not YAML: this quote is never closed")
        if "flow mapping" in context or "flow sequence" in context:
            hint = f"it belongs to the {'{' if 'mapping' in context else '['} of line {begun.line}: is that closed?"
        elif "mapping values are not allowed" in problem:
            hint = "a value that contains ': ' needs quotes; or the line is indented more than its neighbours"
        elif "could not find expected ':'" in problem or "expected <block end>" in problem:
            hint = "a ':' is missing, or a line is indented differently from its neighbours"
        return self._note(mark, f"not YAML: {problem}", hint)

    def _event(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents == 2:
                    self._note(_mark(event), "found a second document ('---'), expected one")
                self._skip_next = self._documents > 1
            case yaml.AliasEvent():
                self._note(_mark(event), f"aliases are not allowed, found *{event.anchor}", "write the value out")
                self._place(event, None)
            case yaml.ScalarEvent():
                self._refuse_properties(event)
                if _SURROGATE.search(event.value):
                    self._note(_mark(event), "half of a surrogate pair is no character", 'write "\\U0001f600" as one')
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._refuse_properties(event)
                self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                if self._skip:
                    self._skip -= 1
                else:
                    self._stack.pop()

    def _refuse_properties(self, event: Any) -> None:
        if event.anchor is not None:
            self._note(_mark(event), f"anchors are not allowed, found &{event.anchor}", "write the value out", fatal=False)
        if event.tag is not None and event.tag != "!":
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._note(_mark(event), f"tags are not allowed, found {quoted(tag)}", "leave the tag out", fatal=False)

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        if self._skip:
            self._skip += 1
            return
        if self._wants_key():
            self._note(_mark(event), "a key must be plain text", path=self._stack[-1].path)
            self._skip, self._skip_next = 1, True
            return
        value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        path = self._place(event, value)
        if path is None:
            self._skip = 1
        elif len(path) >= MAX_DEPTH:
            self._note(_mark(event), f"nested deeper than {MAX_DEPTH}", path=path[:1])
            self._stop = True
        else:
            self._stack.append(_Open(path, value))

    def _wants_key(self) -> bool:
        top = self._stack[-1] if self._stack else None
        return top is not None and isinstance(top.value, dict) and top.key is None and not self._skip_next

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if self._skip:
            return
        if self._wants_key():
            self._key(event)
            return
        path = self._place(event, self._typed(event))
        if path is not None:
            self.texts[path] = event.value

    def _key(self, event: yaml.ScalarEvent) -> None:
        top = self._stack[-1]
        key, path = event.value, (*top.path, event.value)
        if event.implicit[0] and key == "<<":
            self._note(_mark(event), "merge keys are not allowed, found '<<'", "write the keys out", top.path)
            self._skip_next = True
        elif not isinstance(self._typed(event), str):
            shown = _cut(key)
            hint = f'write it in quotes: "{shown}"'
            self._note(_mark(event), f"a key must be text, found {shown or 'nothing'}", hint, top.path, fatal=False)
            self._skip_next = True
        elif path in self.keys:
            first = self.keys[path].line
            self._note(_mark(event), f"duplicate key, first written in line {first}", "keep one of the two", path, fatal=False)
            self._skip_next = True
        else:
            self.keys[path] = _mark(event)
            top.key = key

    def _place(self, event: yaml.Event, value: Any) -> PathSteps | None:
        """Put a value where it belongs; its path, or None where it is left out."""
        if self._skip:
            return None
        if self._skip_next:
            self._skip_next = False
            return None
        if not self._stack:
            path: PathSteps = ()
            self._root = value
        else:
            top = self._stack[-1]
            if isinstance(top.value, list):
                path = (*top.path, len(top.value))
                top.value.append(value)
            elif top.key is None:  # an alias as a key; noted already
                self._skip_next = True
                return None
            else:
                path = (*top.path, top.key)
                top.value[top.key], top.key = value, None
        self.marks[path] = _mark(event)
        return path

    def _typed(self, event: yaml.ScalarEvent) -> Any:
        text = event.value
        if event.style is not None or event.tag == "!":
            return text
        if text in _NULL:
            return None
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        if _NOT_FINITE.fullmatch(text):
            self._note(_mark(event), f"expected a finite number, found {text}", f'for text, write "{text}"', fatal=False)
            return text
        return self._number(event, text)

    def _number(self, event: yaml.ScalarEvent, text: str) -> Any:
        if re.fullmatch(r"[-+]?0[0-9]+", text):
            hint = "for text, write it in quotes; for a number, leave out the zero"
            self._note(_mark(event), f"{_cut(text)} is read as different numbers by different programs", hint, fatal=False)
            return text
        base = 10 if _INT.fullmatch(text) else 8 if _OCTAL.fullmatch(text) else 16 if _HEX.fullmatch(text) else 0
        if base and len(text) <= 64:
            number = int(text, base)
            if abs(number) < 1 << 63:
                return number
        elif not base and _FLOAT.fullmatch(text):
            if len(text) <= 64 and math.isfinite(float(text)):
                return float(text)
        elif not base:
            return text
        self._note(_mark(event), "the number is too large", "for text, write it in quotes", fatal=False)
        return text


def _cut(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _mark(event: yaml.Event) -> Mark:
    place = event.start_mark
    return Mark(place.line + 1, place.column + 1) if place else Mark(1, 1)
