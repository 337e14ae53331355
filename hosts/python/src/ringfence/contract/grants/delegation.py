"""Authority that an edge between nodes passes on: joined to what the callee has, and held against what the caller has.

A caller can pass on what its own edge to the host grants it, whole or in part. What it gets itself through the edge it was called by is not
its own: it has that in some of its instances only, and the next in line would have it in all calls. The needs of a language runtime are
nobody's to pass on either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from ringfence.contract.grants import KINDS, Policy
from ringfence.contract.grants.base import GrantSyntaxError, syntax_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A field of a grant in which it goes beyond another; of a field that has several items, those which do."""

    field: str
    items: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """A grant that nothing held covers. Where it is (a part of) one but wider in some fields, that is `nearest`, and `parts` are those."""

    kind: str
    grant: Any
    nearest: Any = None
    parts: tuple[Part, ...] = ()


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
        if parts := _parts(covers, grant, one):
            return Excess(kind=kind, grant=grant, nearest=one, parts=parts)
    return Excess(kind=kind, grant=grant)


def _parts(covers: Callable[[Any, Any], bool], grant: Any, bound: Any) -> tuple[Part, ...]:
    """The fields by which a grant would be covered if they were those of `bound`, which they are wider than; none where that is not so."""
    if type(grant) is not type(bound):
        return ()
    wider: dict[str, tuple[Any, ...]] = {}
    for name in (field.name for field in fields(grant)):
        value, alone = getattr(grant, name), replace(bound, **{name: getattr(grant, name)})
        if not covers(bound, alone):
            wider[name] = _beyond(covers, bound, name, value)
            if not wider[name] and not covers(alone, bound):  # not wider: something else
                return ()
    narrowed = replace(grant, **{name: getattr(bound, name) for name in wider})
    return tuple(Part(field=name, items=items) for name, items in wider.items()) if covers(bound, narrowed) else ()


def _beyond(covers: Callable[[Any, Any], bool], bound: Any, name: str, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, tuple | frozenset):
        return ()
    return tuple(item for item in value if not covers(bound, replace(bound, **{name: type(value)((item,))})))


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
