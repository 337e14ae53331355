"""A built graph with a lane for every node, and what that lane needs: for core a merged core module and its plan, made once per component.

Core is every node's lane unless its component is something that lane can't carry, or the manifest or the command line asks otherwise.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from ringfence.contract.errors import Problem
from ringfence.contract.lock import Lane
from ringfence.contract.names import Digest, digest_of

from ringfence_composer.build import BuiltGraph, BuiltNode, CoreForm
from ringfence_composer.builders.base import BuildContext
from ringfence_composer.builders.cache import BuildCache, Stored
from ringfence_composer.decompose import FORMAT, Decomposed, decompose
from ringfence_composer.errors import PlanRefused
from ringfence_composer.manifest.graph import NodeManifest
from ringfence_composer.manifest.source import Problems
from ringfence_composer.toolchain import Toolchain
from ringfence_composer.trial import fault

BY_DEFAULT = "the default"
BY_MANIFEST = "asked for in the manifest"
BY_COMMAND = "asked for on the command line"


def with_lanes(built: BuiltGraph, toolchain: Toolchain, context: BuildContext, lane: Lane | None = None) -> BuiltGraph:
    """The same graph, each node with its lane and the reason, and on core with its core form. `lane` overrides what the nodes ask for.

    A component that core can't carry runs on the component lane, which its reason then says.

    Raises:
        PlanRefused: components that core can't carry, of nodes for which it is asked, with all reasons; components that the other lane
            can't load either.
    """
    problems, units = Problems(), built.units
    for name, made in units.items():
        node = _speaker(built, name)
        asked, why = _asked(node, lane)
        if asked == "component":
            units[name] = replace(made, lane="component", lane_reason=why)
            continue
        context.report(f"{name}: taking the component apart for the core lane")
        parts = _Decomposing(toolchain, made.path, made.digest, BuildCache(context.cache, context.report))
        if not parts.reasons:
            units[name] = replace(made, lane="core", lane_reason=why, core=parts.form())
        elif asked is None:
            reason = "the core lane can't carry it: " + "; ".join(parts.reasons)
            units[name] = replace(made, lane="component", lane_reason=reason)
        else:
            for reason in parts.reasons:
                path, hint = ((*node.path, "lane"), "leave lane out") if why == BY_MANIFEST else (node.path, "leave --lane out")
                message = f"the core lane can't carry this component: {reason}"
                problems.extend([built.resolved.manifest.document.problem(path, message, hint=hint)])
    for name, made in units.items():
        if made.lane == "component":
            problems.extend(_misfits(name, made, built, context))
    if problems:
        raise PlanRefused(problems.in_order())
    nodes = {name: units.get(name, node) for name, node in built.nodes.items()}
    return replace(built, nodes=nodes, groups=tuple(replace(one, node=units[one.group.name]) for one in built.groups))


def _misfits(name: str, made: BuiltNode, built: BuiltGraph, context: BuildContext) -> list[Problem]:
    """What keeps a node or group off the component lane, which is the last there is."""
    context.report(f"{name}: loading the component on the component lane, to see that it can be")
    found = fault(Path(made.path), made.digest, context)
    message = f"the component lane can't load this component: {found} (it has this lane because: {made.lane_reason})"
    return [built.resolved.manifest.document.problem(_speaker(built, name).path, message)] if found else []


def _speaker(built: BuiltGraph, name: str) -> NodeManifest:
    """The node of this name; of a group, the first that asks for a lane, or else the one that calls the others."""
    members = next((one.group.nodes for one in built.groups if one.group.name == name), (name,))
    nodes = [built.resolved.manifest.node(one) for one in reversed(members)]
    return next((node for node in nodes if node.lane is not None), nodes[0])


def _asked(node: NodeManifest, lane: Lane | None) -> tuple[Lane | None, str]:
    """The lane somebody asks for, and who."""
    if lane is not None:
        return lane, BY_COMMAND
    return (node.lane, BY_MANIFEST) if node.lane else (None, BY_DEFAULT)


def refusals(toolchain: Toolchain, component: Path, digest: Digest, context: BuildContext) -> tuple[str, ...]:
    """Why the core lane can't carry a component, each a sentence about it; none where it can.

    Raises:
        InputInvalid: it is no valid component.
    """
    return _Decomposing(toolchain, component, digest, BuildCache(context.cache, context.report)).reasons


class _Decomposing:
    """Takes one component apart, at most once; what comes of it is kept in the cache, a refusal, too."""

    def __init__(self, toolchain: Toolchain, component: Path, digest: Digest, cache: BuildCache) -> None:
        self._toolchain, self._component, self._digest, self._cache = toolchain, component, digest, cache
        self._made: dict[str, bytes] = {}
        self.reasons: tuple[str, ...] = tuple(json.loads(self._part("refusal").path.read_bytes()))

    def form(self) -> CoreForm:
        """The two halves of a component that the lane can carry."""
        module, plan = self._part("module"), self._part("plan")
        return CoreForm(module=module.path, module_digest=module.digest, plan=plan.path, plan_digest=plan.digest, by=f"decompose {FORMAT}")

    def _part(self, part: str) -> Stored:
        inputs = digest_of(f"decompose {FORMAT} {part} {self._toolchain.digest} {self._digest}".encode())
        return self._cache.fetch(inputs, lambda _: self._bytes(part))

    def _bytes(self, part: str) -> bytes:
        if not self._made:
            made = decompose(self._toolchain, self._component)
            if isinstance(made, Decomposed):
                self._made = {"refusal": b"[]", "module": made.module, "plan": made.plan}
            else:
                self._made = {"refusal": json.dumps([reason.message for reason in made.reasons]).encode()}
        return self._made[part]
