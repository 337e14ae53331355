"""SQL text as far as a client has to read it, and the prepared statements that a connection keeps."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import Any

from ringfence.dbapi.exceptions import ProgrammingError
from ringfence.dbapi.sqlite.errors import asked

_BLANK = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_CHANGES = ("INSERT", "UPDATE", "DELETE", "REPLACE")
_TOKEN = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|/\*.*?(?:\*/|$)|[A-Za-z_\x80-\U0010ffff][\w$]*"""
    r"""|(?P<parameter>\?(?P<number>\d*)|[:@#$](?P<name>\w[\w$]*(?:::[\w$]+)*(?:\([^)]*\))?))""",
    re.DOTALL,
)


class Sql:
    """One command's text."""

    def __init__(self, text: str) -> None:
        text.encode()  # lone surrogates are told as Python tells them
        if "\0" in text:
            raise ProgrammingError("the query contains a null character")
        self.text = text
        self.first_word = _after_blank(text)[:7].upper()
        self.changes = self.first_word.startswith(_CHANGES)
        """Whether it changes rows: what begins a transaction, has a row count, and may be run many times."""

    @cached_property
    def parameters(self) -> tuple[str | None, ...]:
        """The parameters in the order of their numbers: the names of `:name`, `@name`, `$name`; None for others."""
        found: list[str | None] = []
        for token in _TOKEN.finditer(self.text):
            if token["name"] is not None:
                if token["name"] not in found:
                    found.append(token["name"])
            elif token["number"]:
                found += [None] * min(int(token["number"]) - len(found), 1 << 15)
            elif token["parameter"]:
                found.append(None)
        return tuple(found)

    @cached_property
    def mixed(self) -> bool:
        """Whether some parameters have names and others none."""
        return len({name is None for name in self.parameters}) > 1

    @cached_property
    def numbered(self) -> str:
        """The same command with `?1` in the place of its first name, and so on."""
        names = list(self.parameters)
        return _TOKEN.sub(lambda found: found[0] if found["name"] is None else f"?{names.index(found['name']) + 1}", self.text)


def _after_blank(text: str) -> str:
    found = _BLANK.match(text)
    return text[found.end() :] if found else text


class Statement:
    """A prepared statement and the columns of its result, as they were told last."""

    def __init__(self, sql: Sql, resource: Any) -> None:
        self.sql, self.resource = sql, resource
        self.columns: tuple[str, ...] = ()
        self.declared: tuple[str | None, ...] | None = None


class Statements:
    """The statements of one connection: those at rest are kept for the next who wants the same text, the last used longest."""

    def __init__(self, prepare: Callable[[str], Any], most: int) -> None:
        self._prepare, self._most = prepare, most
        self._resting: OrderedDict[str, Statement] = OrderedDict()

    def take(self, text: str) -> Statement:
        """A statement of this text that nobody else uses."""
        found = self._resting.pop(text, None)
        if found is not None:
            return found
        sql = Sql(text)
        return Statement(sql, asked(self._prepare, text))

    def give_back(self, statement: Statement) -> None:
        """For another use; it is at its end."""
        text = statement.sql.text
        if self._most <= 0 or text in self._resting:
            statement.resource.close()
            return
        self._resting[text] = statement
        if len(self._resting) > self._most:
            self._resting.popitem(last=False)[1].resource.close()

    def close(self) -> None:
        """Drop them."""
        while self._resting:
            self._resting.popitem()[1].resource.close()
