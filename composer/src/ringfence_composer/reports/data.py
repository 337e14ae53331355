"""Reports for programs: the records of each stage as JSON data. Names and nesting are stable; new keys may come."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any

from ringfence.contract.errors import (
    CapabilityDenied,
    Denial,
    GuestError,
    GuestTrap,
    LimitExceeded,
    ManifestError,
    Problem,
    RingfenceError,
    ShapeError,
)
from ringfence.contract.types import FunctionType, ResultOf
from ringfence.contract.wire import to_json

from ringfence_composer.errors import BuildsFailed, ComposerError, PlanRefused
from ringfence_composer.groups import entry_limits
from ringfence_composer.plan import Plan, world_name
from ringfence_composer.resolve import ResolvedGraph


def text_of(data: Any) -> str:
    """The data as JSON text in one line of ASCII: safe for any terminal or pipe."""
    return json.dumps(data, ensure_ascii=True, allow_nan=False)


def problems_data(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Problems, each with its place."""
    return [{key: value for key, value in one._asdict().items() if value not in (None, "", 0)} for one in problems]


def checked_data(graph: ResolvedGraph) -> dict[str, Any]:
    """A graph that holds: its worlds, links and reach."""
    return {
        "graph": graph.manifest.name,
        "problems": [],
        "nodes": {
            name: {
                "world": world_name(world),
                "imports": [item.name for item in world.imports],
                "exports": [item.name for item in world.exports],
                "reaches": list(graph.reach[name]),
            }
            for name, world in graph.worlds.items()
        },
        "links": [
            {"from": link.edge.consumer, "to": link.edge.provider, "import": link.wanted, "export": link.given} for link in graph.links
        ],
        "order": list(graph.order),
    }


def plan_data(plan: Plan) -> dict[str, Any]:
    """Every decision of a plan."""
    return {
        "graph": plan.manifest.name,
        "nodes": {
            node.name: {
                "world": node.world,
                "lane": node.lane,
                "instances": plan.manifest.node(node.name).instances,
                "shared": plan.manifest.node(node.name).shared,
                "grants": [asdict(grant) for grant in node.grants],
                "idle": list(node.idle),
                "runtime": dict(node.runtime),
                "imports": [one._asdict() for one in node.imports],
            }
            for node in plan.nodes
        },
    } | _groups_data(plan)


def _groups_data(plan: Plan) -> dict[str, Any]:
    """The groups of fused nodes, where there are any: their nodes, lane, and the limits of calls by the node by which they come in."""
    found = {
        one.group.name: {
            "nodes": list(one.group.nodes),
            "lane": one.node.lane,
            "reason": one.node.lane_reason,
            "entries": {name: entry_limits(plan.manifest, one.group, name) for name in sorted(one.group.entries)},
        }
        for one in plan.built.groups
    }
    return {"groups": found} if found else {}


def error_data(error: Exception, function: FunctionType | None = None, denials: Collection[Denial] = ()) -> dict[str, Any]:
    """`{"error": {code, message, …}}`; with a function's type, the err value it answered with by its WIT names.

    `denials` are those met on the way, where the error itself knows of none.
    """
    known = isinstance(error, RingfenceError | ComposerError)
    data: dict[str, Any] = {"code": getattr(error, "code", "error"), "message": error.message if known else str(error)}  # type: ignore[attr-defined]
    if hint := getattr(error, "hint", None):
        data["hint"] = hint
    match error:
        case ManifestError() | PlanRefused():
            data["problems"] = problems_data(error.problems)
        case BuildsFailed():
            data["failures"] = [error_data(one)["error"] for one in error.failures]
        case CapabilityDenied():
            data["denials"] = denials_data(error.denials)
            if isinstance(error.__cause__, GuestError | GuestTrap):
                data["cause"] = error_data(error.__cause__, function)["error"]
        case LimitExceeded():
            data |= {"node": error.node, "limit": error.limit, "allowed": error.allowed}
        case GuestError():
            data |= {"function": error.function, "value": err_value(error, function)}
            data["message"] = f"{error.function} answered {text_of(data['value'])}"
        case ShapeError():
            data["path"] = error.path
        case GuestTrap():
            data |= {"node": error.node} | ({"source": error.source} if error.source else {})
        case _:
            pass
    if denials and "denials" not in data:
        data["denials"] = denials_data(denials)
    return {"error": data}


def err_value(error: GuestError, function: FunctionType | None) -> Any:
    """The err value of a failed call by its WIT names; its printed form where the type is not known."""
    if function is not None and isinstance(function.result, ResultOf):
        return to_json(function.result.err, error.value)
    return repr(error.value)


def denials_data(denials: Iterable[Denial]) -> list[dict[str, Any]]:
    """Denials, in order."""
    return [one._asdict() for one in denials]


def pretty(data: Any) -> str:
    """The data as JSON text for people. Escape it before a terminal sees it: strings stand as they are."""
    return json.dumps(data, indent=2, ensure_ascii=False)
