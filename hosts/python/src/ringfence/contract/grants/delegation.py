"""Authority that an edge between nodes passes on: joined to what the callee has, and held against what the caller has.

A caller can pass on what its own edge to the host grants it, whole or in part. What it gets itself through the edge it was called by is not
its own: it has that in some of its instances only, and the next in line would have it in all calls. The needs of a language runtime are
nobody's to pass on either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from ringfence.contract.grants import KINDS, Policy
from ringfence.contract.grants.base import GrantSyntaxError, syntax_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """A grant that nothing held covers.

    Where it is a held grant but for one field that is wider, that grant is `nearest`, and `field` the field's name; where the field has
    several items, `items` are those that exceed.
    """

    kind: str
    grant: Any
    nearest: Any = None
    field: str = ""
    items: tuple[Any, ...] = ()


def excess(held: Policy, wanted: Policy) -> Iterator[Excess]:
    """Every grant of `wanted` that no grant of `held` covers: nothing, where whoever holds the one may pass on the other."""
    for kind, grants in wanted.grants.items():
        for grant in grants:
            if found := exceeding(kind, grant, held.of(kind)):
                yield found


def exceeding(kind: str, grant: Any, held: Sequence[Any]) -> Excess | None:
    """In what the grant goes beyond all that is held; None where one of that covers it."""
    covers = KINDS[kind].covers
    if any(covers(one, grant) for one in held):
        return None
    for one in held:
        for name in (field.name for field in fields(grant) if type(one) is type(grant)):
            value, bound = getattr(grant, name), getattr(one, name)
            if covers(one, replace(grant, **{name: bound})) and covers(replace(one, **{name: value}), one):
                several = value if isinstance(value, tuple | frozenset) else ()
                alone = {item: replace(grant, **{name: type(value)((item,))}) for item in several}
                items = tuple(item for item in several if not covers(one, alone[item]))
                return Excess(kind=kind, grant=grant, nearest=one, field=name, items=items)
    return Excess(kind=kind, grant=grant)


def joined(own: Mapping[str, Any], delegated: Mapping[str, Any], runtime: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The grant forms of a node that is called through an edge: its own and those delegated, parameters in their places.

    `runtime` holds what the node's language runtime needs; it gives way to a grant that it cannot stand beside, as it does to own ones.

    Raises:
        ExceptionGroup: of a GrantSyntaxError for each kind of which both give something that excludes the other.
    """
    forms, errors = {**(runtime or {}), **own}, []
    for name, form in delegated.items():
        both = _both(name, forms[name], form) if name in forms else form
        if both is not None or name not in own:
            forms[name] = form if both is None else both
        else:
            hint = "leave it out of one of the two"
            errors.append(GrantSyntaxError("it cannot stand beside what the node is granted itself", path=f".{name}", hint=hint))
    if errors:
        raise syntax_errors(*errors)
    return forms


def _both(name: str, one: Any, other: Any) -> Any:
    """One form that gives exactly what both do; None where there is none."""
    if one == other:
        return one
    if not (isinstance(one, list | tuple) and isinstance(other, list | tuple)):
        return None
    parse = KINDS[name].parse
    form = [*one, *(item for item in other if item not in one)]
    try:
        exact = set(parse(form)) == {*parse(one), *parse(other)}
    except ExceptionGroup:
        return None
    return form if exact else None
