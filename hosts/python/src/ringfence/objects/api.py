"""api.json: what a wrapped library offers, written when it was wrapped, by itself and in its fence. Read as data.

The shapes of records are checked where they are used (`building`), each when its class or function is first asked for: a start reads the
names of modules and no more.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ringfence.contract.errors import IntegrityError
from ringfence.contract.files import read_regular, why

VERSION = 1
_MOST = 64 << 20
MODULE = b"""\
from ringfence.objects.shim import load
load(__name__, __file__, "%s")
"""
"""All that stands in a file of a wrapped library's modules; the name is that of the folder with its data."""


class Api:
    """A library's API: its modules, functions and classes by name and key."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.modules: dict[str, Any] = content["modules"]
        self.functions: dict[str, Any] = content["functions"]
        self.classes: dict[str, Any] = content["classes"]

    @classmethod
    def read(cls, path: Path) -> Api:
        """The API in a file.

        Raises:
            IntegrityError: it is missing, or not of this form.
        """
        try:
            content = json.loads(read_regular(path, _MOST))
        except OSError as error:
            raise IntegrityError(f"{path}: cannot be read: {why(error)}", hint="install the package again") from error
        except (ValueError, RecursionError) as error:
            raise IntegrityError(f"{path}: no JSON", hint="install the package again") from error
        return cls(checked(content, str(path)))


def checked(content: Any, where: str) -> dict[str, Any]:
    """The content, if it is an API of a version that is known.

    Raises:
        IntegrityError: it is none.
    """
    version = content.get("ringfence_api") if isinstance(content, dict) else None
    if version != VERSION or type(version) is not int:
        raise IntegrityError(f"{where}: expected an API of version {VERSION}", hint="wrap the library again, or update ringfence")
    if unknown := content.keys() - {"ringfence_api", "modules", "functions", "classes", "wrap"}:
        raise IntegrityError(f"{where}: the unknown key {ascii(min(unknown))[:60]}", hint="update ringfence")
    for part in ("modules", "functions", "classes"):
        if not isinstance(content.get(part), dict) or not all(isinstance(one, dict) for one in content[part].values()):
            raise IntegrityError(f"{where}: {part} is no mapping of records", hint="install the package again")
    known: dict[str, Any] = content
    return known
