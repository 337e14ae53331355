"""How a command ends: its work's result, or an expected error as a message and an exit code."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from ringfence.contract.errors import (
    CapabilityDenied,
    Denial,
    GuestError,
    GuestTrap,
    ManifestError,
    RingfenceError,
    ShapeError,
    StaleLock,
    UsageError,
)
from ringfence.contract.layout import user_cache
from ringfence.contract.lock import Lane
from ringfence.contract.types import FunctionType

from ringfence_composer.compose import Workshop
from ringfence_composer.errors import BuildsFailed, ComposerError, PlanRefused
from ringfence_composer.groups import EdgeMode
from ringfence_composer.reports import data
from ringfence_composer.reports.terminal import Terminal

OWN_ANSWER = "this is what the component itself answered; the fence refused it nothing"


def workshop_of(terminal: Terminal, cache: Path | None, lane: Lane | None = None, edges: EdgeMode | None = None) -> Workshop:
    """What the stages work with, as the options say."""
    folder = cache.absolute() if cache else user_cache()
    return Workshop(cache=folder, report=terminal.step, note=terminal.note, lane=lane, edges=edges)


def guarded(
    terminal: Terminal,
    work: Callable[[], Any],
    *,
    as_json: bool = False,
    function: FunctionType | None = None,
    denials: Collection[Denial] = (),
) -> Any:
    """What the work returns; an expected error is reported and ends the program with its exit code.

    `denials` holds, by then, what was refused meanwhile.
    """
    try:
        return work()
    except RingfenceError as error:
        report_error(terminal, error, function, refused=bool(denials))
        if as_json:
            terminal.line(data.text_of(data.error_data(error, function, denials)))
        raise SystemExit(exit_code(error)) from error
    finally:
        terminal.done()


def report_error(terminal: Terminal, error: RingfenceError, function: FunctionType | None = None, *, refused: bool = False) -> None:
    """An expected error on stderr. `refused`: whether anything was denied before it."""
    if isinstance(error, BuildsFailed):
        for one in error.failures:
            report_error(terminal, one, function)
    elif isinstance(error, ManifestError | PlanRefused):
        terminal.problems(error.problems)
    else:
        told = data.error_data(error, function)["error"]
        trap = error.__cause__ if isinstance(error, CapabilityDenied) else error
        detail = trap.last_words if isinstance(trap, GuestTrap) else getattr(error, "output", "")
        place = f"{error.path}: " if isinstance(error, ShapeError) and error.path else ""
        hint = error.hint or (OWN_ANSWER if isinstance(error, GuestError) and not refused else None)
        where = f"\n  in {trap.source} of {trap.node}" if isinstance(trap, GuestTrap) and trap.source else ""
        terminal.error(f"{place}{told['message']} [{error.code}]{where}", hint, detail)


def exit_code(error: RingfenceError) -> int:
    """The exit code of an expected error."""
    match error:
        case ComposerError():
            return error.exit_code
        case ManifestError() | StaleLock():
            return 3
        case UsageError() | ShapeError():
            return 2
        case _:
            return 1
