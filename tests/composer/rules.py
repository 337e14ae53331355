"""The rules of whatever reads what people write: every place in it that refuses something, and which of them a run came by."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from places import ROOT

COMPOSER, HOST = ROOT / "composer/src/ringfence_composer", ROOT / "hosts/python/src/ringfence"
READERS = [
    *(COMPOSER / "manifest").glob("*.py"),
    *(COMPOSER / name for name in ("resolve.py", "delegation.py")),
    *(COMPOSER / name for name in ("build.py", "wit_files.py", "builders/snapshot.py", "cli/calls.py", "cli/options.py")),
    *(HOST / "contract/grants").glob("*.py"),
    *(HOST / "contract" / f"{name}.py" for name in ("files", "limits", "lock", "mismatch", "parameters", "records", "wire", "words")),
    *(HOST / name for name in ("authorities.py", "directory.py", "loading.py")),
]
SAYING = {"_say", "_note", "problem", "Problem", "add", "add_unless_known"}

WITHOUT_CASE = {
    "compose=True needs the build tool": "where the composer is not installed",
    "the file changed while composing": "a race",
    "a file cannot be called": "what makes the names refuses them before; test_hostile_archives has the function alone",
    "cannot be compared": "a race: both worlds were read before",
    "more than {MAX_ENTRIES} files": "20,000 files; test_wit_files has a smaller bound",
    "more than {MAX_FILES} files": "20,000 files; test_python_builder has a smaller bound",
    'InputInvalid(f"{folder}: cannot read it': "a folder that root can't list does not exist",
    "the folder'} cannot be read": "likewise",
    "{path} cannot be read: {error.strerror}": "likewise",
    "not YAML: {error}": "what the parser refuses without a mark is refused before",
    "unknown limit {name!r}": "the schemas of graph and lock know the limits",
    "raise error": "what nobody expects goes on as it is",
    "raise one": "what nobody expects goes on as it is",
    "raise ValueError(data)": "ends in the message of the line above it",
}
"""Rules by a part of their text, each with the reason why no case breaks it."""


def rules() -> Iterator[tuple[str, range, str]]:
    """File, lines and text of each place that refuses something."""
    for file in READERS:
        text = file.read_text()
        for node in ast.walk(ast.parse(text)):
            if (isinstance(node, ast.Raise) and node.exc is not None) or (isinstance(node, ast.Expr) and _says(node.value)):
                yield str(file), range(node.lineno, (node.end_lineno or node.lineno) + 1), ast.get_source_segment(text, node) or ""


def _says(value: ast.AST) -> bool:
    call = value.value if isinstance(value, ast.Yield) else value
    function = call.func if isinstance(call, ast.Call) else None
    name = function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    refuses = name in SAYING and any(isinstance(one, ast.JoinedStr | ast.Constant | ast.Name) for one in getattr(call, "args", ()))
    return refuses and (name != "add" or "problem" in ast.dump(call).lower())


class Watch:
    """Which lines of the readers ran while it watched."""

    def __init__(self) -> None:
        self.seen: dict[str, set[int]] = {str(file): set() for file in READERS}

    @contextmanager
    def watching(self) -> Iterator[None]:
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)

    def _enter(self, frame: FrameType, _event: str, _arg: Any) -> Any:
        seen = self.seen.get(frame.f_code.co_filename)
        if seen is None:
            return None

        def line(frame: FrameType, event: str, _arg: Any) -> Any:
            if event == "line":
                seen.add(frame.f_lineno)
            return line

        return line

    def missed(self) -> list[str]:
        """The rules that no line of was seen, without those that need no case."""
        return [
            f"{file}:{lines[0]}: {text}"
            for file, lines, text in rules()
            if not self.seen[file].intersection(lines) and not any(part in text for part in WITHOUT_CASE)
        ]
