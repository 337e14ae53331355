"""Where scripts are played: a world's component, loaded by both engines; and a script that fails made as small as it goes."""

from __future__ import annotations

import copy
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import wasmtime
from host.engine.core.hostile.play import Side, same
from host.engine.core.hostile.script import GUESTS, Script, Told
from host.engine.core.hostile.world import World
from ringfence.contract.names import digest_of
from ringfence.engine.component import ComponentEngine, configuration
from ringfence.engine.core import CoreEngine
from ringfence.engine.seam import Artifacts
from ringfence_composer.decompose import Decomposed, decompose
from ringfence_composer.toolchain import Toolchain

_folder = tempfile.TemporaryDirectory(prefix="hostile-")


def with_exceptions() -> None:
    """The reference engine with exceptions on, which it has off as part of the product. For processes that run nothing else."""
    configuration._OFF = tuple([name for name in configuration._OFF if name not in ("wasm_exceptions", "gc_support")])


def artifacts(text: str) -> Artifacts:
    """A component from its text, and what the core engine needs of it."""
    binary = bytes(wasmtime.wat2wasm(text))
    digest, folder = digest_of(binary), Path(_folder.name)
    component, module, plan = (folder / f"{digest[7:]}.{kind}" for kind in ("wasm", "module", "plan"))
    component.write_bytes(binary)
    made = decompose(Toolchain(), component)
    assert isinstance(made, Decomposed), made
    module.write_bytes(made.module)
    plan.write_bytes(made.plan)
    digests = {"module_digest": digest_of(made.module), "plan_digest": digest_of(made.plan)}
    return Artifacts(component=component, digest=digest, module=module, plan=plan, **digests)


class Stage:
    """A world on both engines."""

    def __init__(self, world: World) -> None:
        self.world, made = world, artifacts(world.text)
        self.sides = Side(ComponentEngine(), made, world), Side(CoreEngine(), made, world)

    def play(self, script: Script) -> Counter[str]:
        """How often each outcome came; AssertionError (Difference) where something is wrong."""
        try:
            return same(self.world, script, self.sides)
        finally:
            for side in self.sides:
                side.away()

    def fails(self, script: Script) -> str:
        """What is wrong with the script; nothing where nothing is."""
        try:
            self.play(script)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return ""


def shrunk(stage: Stage, script: Script) -> Script:
    """A script that fails still, with nothing in it that could be left out."""
    again = True
    while again:
        again = False
        for smaller in _smaller(script):
            if stage.fails(smaller):
                script, again = smaller, True
                break
    return script


def _smaller(script: Script) -> Iterator[Script]:
    for index in range(len(script.steps)):
        yield _changed(script, lambda made, index=index: made.steps.pop(index))
    for index, step in enumerate(script.steps):
        if step.host:
            yield _changed(script, lambda made, index=index: made.steps[index].host.clear())
            yield _changed(script, lambda made, index=index: made.steps[index].host.pop())
        for which in GUESTS:
            told: Told = getattr(step, which)
            for event, actions in told.events.items():
                at = index, which, event
                yield _changed(script, lambda made, at=at: getattr(made.steps[at[0]], at[1]).events.pop(at[2]))
                for number in range(len(actions)):
                    yield _changed(script, lambda made, at=at, n=number: getattr(made.steps[at[0]], at[1]).events[at[2]].pop(n))
    if any(script.begin):
        yield _changed(script, lambda made: made.begin.__setitem__(slice(None), [0, 0]))


def _changed(script: Script, change: object) -> Script:
    made = copy.deepcopy(script)
    change(made)
    return made
