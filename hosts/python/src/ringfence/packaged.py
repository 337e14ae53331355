"""A graph that was packed into a wheel, loaded: with the application's parameters, and no more authority than the application leaves it.

An application narrows what the wheel's builder granted where it connects (`grants=`), or for code that never does, in a policy file that
the variable RINGFENCE_POLICY names (TOML; a table for each wheel, in it the grants of its library, or a table for each node):

    [pyyaml]                # nothing at all
    [acme-vendor.vendor]
    tcp = ["127.0.0.1:8017"]

Both only take away; a wheel that is not in the file keeps what it has. A table of what is not installed is an error: it is misspelled.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ringfence.contract.errors import ManifestError, Problem
from ringfence.contract.files import read_regular, why
from ringfence.graph import Graph

LOCK = "graph.lock.json"
LIBRARY = "library"
"""The one node of a wrapped library's graph."""
VARIABLE = "RINGFENCE_POLICY"
_MOST = 1 << 20
"""Bytes of a policy file that are read at most."""


def load(
    folder: str | Path,
    name: str,
    *,
    parameters: Mapping[str, object] | None = None,
    grants: Mapping[str, Any] | None = None,
    substitutes: Mapping[str, object] | None = None,
    base: str | Path | None = None,
) -> Graph:
    """The graph whose lock lies in a wheel's `folder`; `name` is the wheel's, normalised, by which the policy file knows it.

    `grants` maps nodes to all that they may do from now on: a part of what the lock says. Relative paths in grants start at `base`, by
    default the folder in which the application runs.

    Raises:
        ManifestError: parameters or grants are wrong, or more than the lock's; the policy file can't be read.
        IntegrityError: the wheel's files were changed.
    """
    narrowings = [(grants, "grants")] if grants is not None else []
    if (policy := _policy(name)) is not None:
        narrowings.insert(0, policy)
    return Graph.load(
        Path(folder) / LOCK,
        parameters=parameters,
        substitutes=substitutes,
        narrowings=narrowings,
        base=Path.cwd() if base is None else base,
    )


def _normal(name: str) -> str:
    """A distribution's name as all its spellings are compared: PyYAML is pyyaml, acme_vendor is acme-vendor."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _known(written: str, data: Mapping[str, Any], name: str) -> None:
    """Refuses a table of what is not installed: it is a wheel's that is misspelled, which then keeps all that it has."""
    problems = [
        Problem(file=written, path=ascii(one)[1:-1][:80], message="no package of that name is installed", hint=_nearest(_normal(one), name))
        for one in data
        if _normal(one) != name and not _installed(one)
    ]
    if problems:
        raise ManifestError(problems)


def _installed(name: str) -> bool:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        return bool(distribution(name))
    except (PackageNotFoundError, ValueError):
        return False


def _nearest(name: str, own: str) -> str:
    from difflib import get_close_matches
    from importlib.metadata import distributions

    near = get_close_matches(name, [own, *sorted({own, *(_normal(str(one.metadata["Name"])) for one in distributions())})], n=1)
    return f"did you mean {near[0]}?" if near else "a table is called as a wheel is; take out what is not installed"


def _policy(name: str) -> tuple[Mapping[str, Any], str] | None:
    """What the policy file says of a wheel, by node, and the file; None where there is no file, or nothing in it of this wheel."""
    written = os.environ.get(VARIABLE)
    if not written:
        return None
    import tomllib  # -- only where there is a policy file

    try:
        data = tomllib.loads(read_regular(Path(written), _MOST).decode())
    except OSError as error:
        told = f"cannot read the policy, which {VARIABLE} names: {why(error)}"
        raise ManifestError([Problem(file=written, message=told)]) from error
    except ValueError as error:
        raise ManifestError([Problem(file=written, message=f"not a policy in TOML: {error}")]) from error
    _known(written, data, name)
    named = [one for one in data if _normal(one) == name]
    if not named:
        return None
    if len(named) > 1:
        raise ManifestError([Problem(file=written, path=name, message=f"two tables of one wheel: {' and '.join(map(ascii, named))}")])
    found = data[named[0]]
    if not isinstance(found, Mapping):
        raise ManifestError([Problem(file=written, path=name, message="expected a table of grants")])
    nodes = found if found and all(isinstance(one, Mapping) for one in found.values()) else {LIBRARY: found}
    return nodes, f"{written}: {name}"
