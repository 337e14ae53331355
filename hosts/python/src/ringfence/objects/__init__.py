"""Wrapped libraries, beyond `import yaml`: how they run, with which grants, and what of the application's objects they may use.

    objects.configure("yaml", grants={}, instances="thread")      before its first use
    with objects.connect("yaml", grants={}): ...                  an instance of its own
    objects.register(User, attributes=["name"])                   what templates may read of a User

The border itself is the other files of this package: `agreed` and `bounds` (values), `crossing` (objects), `connection` and `talk` (calls),
`classes`, `containers`, `proxies` and `raised` (what stands here for the library's objects), `given`, `answering`, `adapters` and `files`
(what the library may do with the application's), `library`, `api`, `building` and `shim` (the package).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ringfence.objects.adapters import register
from ringfence.objects.errors import BorderViolated, ForeignObject, NotCarried, StaleObject, SubclassRefused

if TYPE_CHECKING:
    from ringfence.contract.errors import Denial
    from ringfence.objects.connection import Connection
    from ringfence.objects.library import Instances

__all__ = [
    "BorderViolated",
    "ForeignObject",
    "NotCarried",
    "StaleObject",
    "SubclassRefused",
    "configure",
    "connect",
    "denials",
    "register",
]


def connect(
    name: str,
    *,
    grants: Mapping[str, Any] | None = None,
    parameters: Mapping[str, object] | None = None,
    substitutes: Mapping[str, Any] | None = None,
) -> Connection:
    """An instance of a wrapped library of one's own; inside its `with` block, the package uses that one.

    `name` is the library's import name. `grants` is all that it may do, a part of what the package gives; `parameters` are those that its
    grants ask for. `substitutes` are test doubles by module name, which stand for the library:
    `{"yaml": FakeYaml()}`.

    Raises:
        UsageError: no wrapped library has that name.
        ManifestError: the grants are wrong, or more than the package gives. This, too, is raised at once.
    """
    from ringfence.objects.library import library_of

    connection = library_of(name).connect(grants=grants, parameters=parameters, substitutes=substitutes)
    if not substitutes:
        connection.load()
    return connection


def configure(
    name: str,
    *,
    instances: Instances | None = None,
    grants: Mapping[str, Any] | None = None,
    parameters: Mapping[str, object] | None = None,
) -> None:
    """How a wrapped library runs in this process, wherever nobody connects: before its first use.

    `instances`: one for the process (the default; callers of all threads share the library's state, and queue), or one for each thread.

    Raises:
        UsageError: no wrapped library has that name, or it is in use already.
        ManifestError: the grants are wrong, or more than the package gives.
    """
    from ringfence.objects.library import library_of

    library_of(name).configure(instances, grants=grants, parameters=parameters)


def denials(name: str) -> list[Denial]:
    """What a wrapped library was refused so far, in the instance that is in use here.

    Raises:
        UsageError: no wrapped library has that name.
    """
    from ringfence.objects.library import library_of

    return library_of(name).connection().denials
