"""A built graph with what its nodes' lanes need: for the core lane a merged core module and its plan, made once per component."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ringfence.contract.names import digest_of

from ringfence_composer.build import BuiltGraph, BuiltNode, CoreForm
from ringfence_composer.builders.base import BuildContext
from ringfence_composer.builders.cache import BuildCache, Stored
from ringfence_composer.decompose import FORMAT, Decomposed, decompose
from ringfence_composer.errors import PlanRefused
from ringfence_composer.manifest.source import Problems
from ringfence_composer.toolchain import Toolchain


def with_lanes(built: BuiltGraph, toolchain: Toolchain, context: BuildContext) -> BuiltGraph:
    """The same graph, each node that asks for the core lane with its core form.

    Raises:
        PlanRefused: components that the core lane can't carry, with all reasons; their nodes have to leave `lane: core` out.
    """
    problems, nodes = Problems(), dict(built.nodes)
    for node in built.resolved.manifest.nodes:
        if node.lane == "core":
            context.report(f"{node.name}: taking the component apart for the core lane")
            made = _Decomposing(toolchain, nodes[node.name])
            form = made.form(BuildCache(context.cache, context.report))
            nodes[node.name] = replace(nodes[node.name], core=form)
            for reason in made.reasons:
                message = f"the core lane can't carry this component: it {reason}"
                problems.extend([built.resolved.manifest.document.problem((*node.path, "lane"), message, hint="leave lane out")])
    if problems:
        raise PlanRefused(problems.in_order())
    return replace(built, nodes=nodes)


class _Decomposing:
    """Takes one component apart, at most once; both halves come from the cache where they are there."""

    def __init__(self, toolchain: Toolchain, node: BuiltNode) -> None:
        self._toolchain, self._node = toolchain, node
        self._made: Decomposed | None = None
        self.reasons: tuple[str, ...] = ()

    def form(self, cache: BuildCache) -> CoreForm | None:
        """The two halves; None where the lane can't carry the component, and then `reasons` says why."""
        try:
            module, plan = self._half(cache, "module"), self._half(cache, "plan")
        except _RefusedError:
            return None
        return CoreForm(module=module.path, module_digest=module.digest, plan=plan.path, plan_digest=plan.digest, by=f"decompose {FORMAT}")

    def _half(self, cache: BuildCache, half: str) -> Stored:
        inputs = digest_of(f"decompose {FORMAT} {half} {self._toolchain.digest} {self._node.digest}".encode())
        return cache.fetch(inputs, lambda _: self._bytes(half))

    def _bytes(self, half: str) -> bytes:
        if self._made is None:
            made = decompose(self._toolchain, Path(self._node.path))
            if not isinstance(made, Decomposed):
                self.reasons = tuple(reason.message for reason in made.reasons)
                raise _RefusedError
            self._made = made
        return self._made.module if half == "module" else self._made.plan


class _RefusedError(Exception):
    """The lane can't carry it."""
