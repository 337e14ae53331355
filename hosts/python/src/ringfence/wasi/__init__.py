"""WASI 0.2 as this host serves it, and `ringfence:files` with it: plain typed Python functions `f(call, *arguments)`.

They know nothing of how values cross the border. Whatever acts on the world takes a `Permit`, and only the gate makes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ringfence.contract.errors import UsageError
from ringfence.contract.names import parse_interface, track
from ringfence.contract.types import InterfaceType
from ringfence.wasi import cli, clocks, filesystem, io, random, sockets
from ringfence.wasi.tables import HostFunction, Table

TRACKS: Mapping[str, str] = MappingProxyType({"wasi": "0.2", "ringfence": "0.1"})
"""The compatibility track that is served of each namespace: of WASI every 0.2.x is."""

INTERFACES: Mapping[str, Table] = MappingProxyType(
    {**io.FUNCTIONS, **clocks.FUNCTIONS, **random.FUNCTIONS, **cli.FUNCTIONS, **filesystem.FUNCTIONS, **sockets.FUNCTIONS}
)
"""Every interface served, by its name without version: WIT function name to function."""


def imports(names: Mapping[str, InterfaceType]) -> dict[tuple[str, str], HostFunction]:
    """The functions for what a component imports of the host, keyed by the interface as it spells that, and the function's WIT name.

    Raises:
        UsageError: there is an interface or function that this version does not serve; names them all.
    """
    found: dict[tuple[str, str], HostFunction] = {}
    unknown: list[str] = []
    for name, kind in names.items():
        table = _table(name)
        if table is None:
            unknown.append(name)
            continue
        unknown.extend(f"{name} {function}" for function in kind.functions if function not in table)
        found.update({(name, function): table[function] for function in kind.functions if function in table})
    if unknown:
        raise UsageError(f"this version does not serve {', '.join(sorted(unknown))}", hint="remove what imports it, or update ringfence")
    return found


def concerns(name: str) -> bool:
    """Whether an interface is the host's to serve, in this version of it or another."""
    parsed = parse_interface(name)
    return parsed is not None and (parsed.package.startswith("wasi:") or parsed.base in INTERFACES)


def serves(name: str) -> bool:
    """Whether an interface, named as a component spells it, is one of those served."""
    return _table(name) is not None


def _table(name: str) -> Table | None:
    parsed = parse_interface(name)
    served = parsed is not None and track(parsed.version) == TRACKS.get(parsed.base.partition(":")[0])
    return INTERFACES.get(parsed.base) if parsed is not None and served else None
