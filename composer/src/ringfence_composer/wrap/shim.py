"""A library's API into the files that an application imports: constant text under checked names, and stubs for type checkers.

No text of the library stands in any of them (design §7.8): docstrings, defaults and constants are data, which the runtime reads.
"""

from __future__ import annotations

import keyword
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from packaging.utils import canonicalize_name
from ringfence.objects.api import MODULE

from ringfence_composer.builders.preload import RESERVED
from ringfence_composer.errors import InputInvalid

_TAKEN = sys.stdlib_module_names | RESERVED | {"sitecustomize", "usercustomize"}


def data_folder(name: str) -> str:
    """The folder with a wrapped library's data, beside its packages: `pyyaml_ringfence`."""
    return f"{canonicalize_name(name).replace('-', '_')}_ringfence"


def is_name(text: object) -> bool:
    """Whether this may stand as a name in a file of ours: a plain ASCII identifier that is no keyword."""
    return isinstance(text, str) and text.isascii() and text.isidentifier() and not keyword.iskeyword(text) and len(text) <= 200


def not_ours(tops: Iterable[str]) -> list[str]:
    """Those of these import names that no wheel of a library may own: Python's, the runtime's, and what Python imports by itself."""
    return sorted(one for one in tops if one in _TAKEN or one.startswith("ringfence") or one.endswith("_ringfence"))


def module_names(api: Mapping[str, Any], tops: tuple[str, ...]) -> list[str]:
    """The modules of an API that an application may import: those below the library's own import names.

    Raises:
        InputInvalid: one of them has a name that none of ours may have.
    """
    found = sorted(name for name in api["modules"] if isinstance(name, str) and name.partition(".")[0] in tops)
    for name in found:
        if not all(is_name(part) for part in name.split(".")):
            raise InputInvalid(f"the library has a module called {name!a}", hint="no file of a wheel can be so called")
    return found


def module_path(name: str, api: Mapping[str, Any], end: str = ".py") -> str:
    """Where a module's file lies in site-packages."""
    path = name.replace(".", "/")
    has_children = any(other.startswith(f"{name}.") for other in api["modules"])
    return f"{path}/__init__{end}" if api["modules"][name].get("package") or has_children else f"{path}{end}"


def shim_files(api: Mapping[str, Any], tops: tuple[str, ...], data: str) -> dict[str, bytes]:
    """The modules that an application imports, by their paths in site-packages; `data` is the folder with the library's data."""
    content = MODULE % data.encode("ascii")
    return {module_path(name, api): content for name in module_names(api, tops)}
