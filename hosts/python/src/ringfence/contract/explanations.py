"""What each error of this distribution means, what mostly causes it, and what to do: the table behind `compose explain CODE`.

One entry for each class in `errors.py`; a test holds the two together, for the composer's table too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.contract.errors import (
    CapabilityDenied,
    DeadlineExceeded,
    Failure,
    GuestError,
    GuestExit,
    GuestTrap,
    IntegrityError,
    Interrupted,
    LimitExceeded,
    ManifestError,
    RingfenceError,
    ShapeError,
    StaleLock,
    SubstituteError,
    UsageError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One error: what it means, its usual cause, and the remedy; a sentence or two each."""

    meaning: str
    cause: str
    remedy: str


EXPLANATIONS: Mapping[type[RingfenceError], Explanation] = {
    RingfenceError: Explanation(
        meaning="Something was asked of this installation that it cannot do.",
        cause="A graph was loaded with compose=True, but ringfence-composer is not installed.",
        remedy="Do what the hint says, or load a lock that was composed elsewhere.",
    ),
    ManifestError: Explanation(
        meaning="A file or a parameter that a person wrote is wrong. Everything wrong is told at once, each with its place.",
        cause="A misspelt key or name, a value of the wrong form, an import that no edge satisfies, a parameter outside its range.",
        remedy="Correct what the problems name; most come with a hint. In Python they are error.problems.",
    ),
    StaleLock: Explanation(
        meaning="There is no lock beside graph.yaml, or it was made from another graph.yaml. What nobody composed is not run.",
        cause="Somebody edited graph.yaml, or never composed it.",
        remedy="Run compose graph.yaml, and review what changed. In development, load with compose=True or run compose dev.",
    ),
    IntegrityError: Explanation(
        meaning="A lock or an artifact is not what its digest says. Nothing of it was run.",
        cause="It was edited by hand, damaged or cut off in copying, or exchanged; or it is of another version of this program.",
        remedy="Compose again. Where nobody touched the files, find out who did before you run anything.",
    ),
    SubstituteError: Explanation(
        meaning="A test double does not fit the node it stands for. Nothing was loaded; all that does not fit is told.",
        cause="A function that is missing, or has other parameters than the node's WIT; or a name that is no node.",
        remedy="Correct what the problems name; in Python they are error.problems.",
    ),
    UsageError: Explanation(
        meaning="The graph has no such node or function for an application, or several that are called so.",
        cause="A misspelt name, a node that is not exposed, or a short name that two interfaces share.",
        remedy="Choose one of the names in the hint, or expose the node in graph.yaml.",
    ),
    ShapeError: Explanation(
        meaning="A value does not fit its WIT type. Nothing ran.",
        cause="A missing or unknown field, a number out of range, text where bytes are wanted; error.path leads to the place in the value.",
        remedy="Correct the value. compose inspect shows the types of a component, print(graph) its functions.",
    ),
    CapabilityDenied: Explanation(
        meaning="A call failed after the guest was refused something that no grant names. It is a PermissionError, too.",
        cause="A grant is missing or too narrow, or the library does something that it has no business doing.",
        remedy="Read error.denials: each says who asked for what, and what would allow it. Where that is wanted, compose fix writes it; "
        "where the library merely tries, list it under expected.",
    ),
    LimitExceeded: Explanation(
        meaning="A guest passed one of its limits (memory, output, stack, fuel, calls at once). Its instance is gone; the next call works.",
        cause="An input larger than expected, a leak, or a limit that is too low for honest work.",
        remedy="Raise the limit on the node, the edge or under expose, where the work is honest; else give it less to do.",
    ),
    DeadlineExceeded: Explanation(
        meaning="A call took longer than its deadline: time in host functions, queues and callees included. It is a TimeoutError, too.",
        cause="A slow or silent server, a loop, many callers before a single instance, or a deadline that is too short.",
        remedy="Look at what the call waits for; raise limits.deadline only where the wait is honest.",
    ),
    Interrupted: Explanation(
        meaning="The call was ended from outside, not by the guest.",
        cause="Its task was cancelled, its graph was closed, or a call was made on a closed graph.",
        remedy="Keep the graph open as long as calls run.",
    ),
    GuestError: Explanation(
        meaning="The guest answered with the err case of its WIT result. The fence has nothing to do with it.",
        cause="What the component's interface says: not found, a bad reply, and so on; error.value is the WIT value.",
        remedy="Handle it like any answer of that library.",
    ),
    Failure: Explanation(
        meaning="The library answered with an error of its own, and bindings that were generated for the graph gave it their class.",
        cause="What that error's docstring says: it has the words of the WIT.",
        remedy="Catch the class of the case, or of all its cases; the value is error.value.",
    ),
    GuestTrap: Explanation(
        meaning="The guest's code trapped; its instance was thrown away, and other instances live on.",
        cause="An uncaught exception of the library, a clock or random number that was withdrawn, memory used up, or a defect.",
        remedy="Read error.source (the line in the guest), error.last_words (what it wrote to stderr) and error.backtrace.",
    ),
    GuestExit: Explanation(
        meaning="The guest called exit, which ends its instance and no more.",
        cause="A library written for a program of its own, such as a command-line parser that found a wrong option.",
        remedy="Have the component's adapter catch SystemExit, or call a function that does not exit.",
    ),
}
