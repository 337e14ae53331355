"""A component to one core module and a plan, for the core lane; or the reasons why that lane can't carry it.

The toolchain does it, ring-fenced like the rest; `docs/core-plan.md` says what the plan is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from ringfence_composer.errors import InputInvalid, ToolFailed
from ringfence_composer.toolchain import Desk, Toolchain

FORMAT = 1
"""The version of the plan's format; part of what says who made an artifact."""

Hazard: TypeAlias = Literal["async", "threads", "core-modules", "memory64", "gc", "world", "translator", "features", "limits"]
"""Why a component can't be carried. `world`: an import or export that WIT can't express. `translator`: the Decomposer's own limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason: its stable name, and a sentence about the component ("it …"), which may quote the component's own names."""

    hazard: Hazard
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decomposed:
    """The merged core module, and the plan as canonical JSON. Equal components give equal bytes."""

    module: bytes
    plan: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The component is valid, but not for this lane; at least one reason, in a fixed order."""

    reasons: tuple[Reason, ...]


def decompose(toolchain: Toolchain, component: Path) -> Decomposed | Refused:
    """What the core engine runs in place of the component.

    Raises:
        InputInvalid: it can't be read, or is no valid component.
        ToolMissing: the toolchain can't be had.
        ToolFailed: the toolchain breaks on it.
    """
    with Desk(toolchain) as desk:
        answer = desk.ask_json("decompose", desk.put("component.wasm", component), "module.wasm", "plan.json", invalid=InputInvalid)
        if answer["format"] != FORMAT:
            raise ToolFailed("toolchain decompose", f"it writes plans of format {answer['format']}, where {FORMAT} is known")
        if "refused" in answer:
            return Refused(reasons=tuple(_reason(reason) for reason in answer["refused"]))
        return Decomposed(module=desk.take("module.wasm"), plan=desk.take("plan.json"))


def _reason(reason: dict[str, str]) -> Reason:
    for hazard in get_args(Hazard):
        if hazard == reason["reason"]:
            return Reason(hazard=hazard, message=reason["message"])
    raise ToolFailed("toolchain decompose", f"it gives the reason `{reason['reason']}`, which is unknown")
