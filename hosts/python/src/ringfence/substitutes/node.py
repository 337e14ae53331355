"""A test double in a node's place: what goes in and out of it is checked as a component's values are.

A double is the application's own code. It runs with the application's authority and under no limits; the nodes around it keep theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from ringfence.call import Call, Root
from ringfence.contract import fit
from ringfence.contract.canonical import canonical
from ringfence.contract.errors import DOUBLE, CapabilityDenied, Denial, GuestError, GuestTrap, LimitExceeded, ShapeError
from ringfence.contract.fit import Path
from ringfence.contract.limits import Limits
from ringfence.contract.members import member
from ringfence.contract.mismatch import describe
from ringfence.contract.types import Borrow, InterfaceType, Own, ResourceName, ResultOf, show_function
from ringfence.contract.values import Handle, WitError, case_of
from ringfence.engine.seam import FunctionName, Parts
from ringfence.gate import Refused
from ringfence.instance import Callee, Inbound, short_name
from ringfence.resources import Resource, resource_of
from ringfence.signals import defer, undefer
from ringfence.substitutes.offer import Offer, resource_problems


class Held:
    """The double's own object behind a resource, in the place of an engine's handle."""

    __slots__ = ("alive", "object")

    def __init__(self, held: object) -> None:
        self.object, self.alive = held, True

    def close(self, _context: Any = None) -> None:
        """Close the object, if it can be closed. Twice is harmless."""
        if self.alive:
            self.alive = False
            close = getattr(self.object, "close", None)
            if callable(close):
                close()


class _NoLease:
    """Where a double's resources live: nowhere that would have to be tidied. One that is forgotten is not closed."""

    def later(self, handle: Handle) -> None:
        """Nothing."""


_NO_LEASE = _NoLease()


class _AtOnce:
    """What Ctrl-C raises is raised where it strikes: a double is plain Python, and may hang like any."""

    def interrupt(self, reason: BaseException) -> None:
        raise reason


_AT_ONCE = _AtOnce()


class Substitute(Callee):
    """`instance.Callee` by a double."""

    def __init__(self, name: str, double: object, exports: Mapping[str, InterfaceType], limits: Limits) -> None:
        self.name, self._exports, self.limits = name, exports, limits
        self.application: Callable[..., Any] | None = None
        self.offer = Offer(double, exports)

    @property
    def exports(self) -> Mapping[str, InterfaceType]:
        """The types of what the node exports, by interface."""
        return self._exports

    def invoke(self, caller: Call | Root, inbound: Inbound, name: FunctionName, arguments: Sequence[Any] | Parts) -> Any:
        """Call the double.

        Raises:
            ShapeError: an argument does not fit (nothing ran), or what the double answered.
            WitError: the err case, which a double gives by raising WitError or a GuestError.
            Exception: whatever else it raised.
        """
        if isinstance(arguments, Parts):
            raise TypeError("parts pass between guests only")
        _ensure_wanted(caller)
        crossing = _Crossing(self, name)
        given = crossing.arguments(arguments)
        at_once = defer(_AT_ONCE)
        try:
            answer = self._target(name, given)
        except (WitError, GuestError) as error:
            raise WitError(crossing.err(error)) from error
        except CapabilityDenied as denied:
            if not denied.denials:
                raise
            raise self._refused(caller, inbound, denied.denials) from denied
        except LimitExceeded as error:
            if error.node != DOUBLE:
                raise
            raise type(error)(self.name, error.limit, error.allowed) from error
        except GuestTrap as trap:
            trap.node = self.name if trap.node in ("", DOUBLE) else trap.node
            raise
        finally:
            if at_once:
                undefer()
        return crossing.ok(answer)

    def _target(self, name: FunctionName, given: list[Any]) -> Any:
        interface, function = name
        if member(function).kind == "method":
            return self.offer.method(given[0], interface, function)(*given[1:])
        return self.offer.function(interface, function)(*given)

    def _refused(self, caller: Call | Root, inbound: Inbound, denials: Sequence[Denial]) -> Refused:
        """The refusals that the double tells of, recorded with the call as the gate does it."""
        root = caller.root if isinstance(caller, Call) else caller
        named = [one._replace(node=self.name, edge=inbound.name) if one.node == DOUBLE else one for one in denials]
        for denial in named:
            root.deny(denial)
        return Refused(named[-1])

    def drop(self, resource: Resource) -> None:
        """Close the object behind a resource."""
        resource.handle.close()

    def close(self) -> None:
        """Nothing: the double is the application's."""


def _ensure_wanted(caller: Call | Root) -> None:
    """Raise where the call must have ended already."""
    if isinstance(caller, Call):
        caller.check()
    elif caller.reason is not None:
        raise caller.reason


class _Crossing:
    """The values of one call: what fits, in canonical form, and the resources in them exchanged for the double's own objects."""

    def __init__(self, node: Substitute, name: FunctionName) -> None:
        self._node, self._called, self._kind = node, short_name(name[1]), node.function(name)
        self._used: list[tuple[Held, bool]] = []

    def arguments(self, values: Sequence[Any]) -> list[Any]:
        """What the double is called with. Raises ShapeError; then nothing has moved."""
        params = self._kind.params
        if len(values) != len(params):
            wanted = f"{len(params)} argument" + ("" if len(params) == 1 else "s")
            raise ShapeError(f"{show_function(self._called, self._kind)} takes {wanted}, found {len(values)}")
        fitted = [canonical(kind, self._inward)(value, (name,)) for (name, kind), value in zip(params, values, strict=True)]
        for held, moves in self._used:
            held.alive = held.alive and not moves
        return fitted

    def ok(self, answer: Any) -> Any:
        """What its caller gets."""
        result = self._kind.result
        kind = result.ok if isinstance(result, ResultOf) else result
        if kind is None:
            if answer is not None:
                self._blame(f"returned what does not fit: expected None, found {describe(answer)}")
            return None
        try:
            return canonical(kind, self._outward)(answer, ())
        except ShapeError as error:
            self._blame("returned what does not fit", error)

    def err(self, raised: WitError | GuestError) -> Any:
        """The err value that its caller gets."""
        result = self._kind.result
        value = raised if isinstance(raised, GuestError) and case_of(raised) else raised.value
        if not isinstance(result, ResultOf):
            self._blame(f"raised {type(raised).__name__}, but has no err case")
        if result.err is None:
            if value is not None:
                self._blame(f"raised an err value that does not fit: expected None, found {describe(value)}")
            return None
        try:
            return canonical(result.err, self._outward)(value, ())
        except ShapeError as error:
            self._blame("raised an err value that does not fit", error)

    def _blame(self, what: str, error: ShapeError | None = None) -> NoReturn:
        """The double is wrong: says which function, and where in the value."""
        message = f"{self._called} of the substitute for {self._node.name} {what}"
        if error is None:
            raise ShapeError(message)
        raise ShapeError(f"{message}: {error.message}", path=error.path) from error

    def _inward(self, value: Any, kind: Own | Borrow, path: Path) -> Any:
        """The double's object for a resource of its own; another node's as it is."""
        resource, name = resource_of(value), kind.resource
        if not isinstance(resource, Resource):
            fit.wrong(f"expected a {name.name}, found {describe(value)}", path)
        try:
            handle = resource.unwrapped(name)
        except ShapeError as error:
            raise fit.along(error, path) from None
        if resource.node is not self._node or not isinstance(handle, Held):
            return resource
        moves = isinstance(kind, Own)
        if any(held is handle and (moves or moved) for held, moved in self._used):
            fit.wrong("the same resource is given away and used again in one call", path)
        self._used.append((handle, moves))
        return handle.object

    def _outward(self, value: Any, kind: Own | Borrow, path: Path) -> Any:
        """A resource for the double's object; another node's as it is."""
        resource, name = resource_of(value), kind.resource
        if isinstance(resource, Resource) or not name.guest:
            return self._foreign(resource, name, path)
        functions = self._node.exports[name.interface].functions
        if problems := list(resource_problems("", value, functions, name.name)):
            listed = "; ".join(f"{one.path.removeprefix('.')}: {one.message}" for one in problems)
            fit.wrong(f"expected a {name.name}, found {describe(value)}: {listed}", path)
        return Resource(Held(value), name, self._node, _NO_LEASE)

    def _foreign(self, resource: Any, name: ResourceName, path: Path) -> Resource:
        if not isinstance(resource, Resource):
            fit.wrong(f"expected a {name.name} of another node, found {describe(resource)}", path)
        try:
            resource.unwrapped(name)
        except ShapeError as error:
            raise fit.along(error, path) from None
        return resource
