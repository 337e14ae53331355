"""Every decision whether a guest may act on the world is made here, and every record of it.

An effect takes a `Permit`; only `permit` makes one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from ringfence.contract import grants
from ringfence.contract.errors import Denial
from ringfence.contract.grants.base import Request

if TYPE_CHECKING:
    from ringfence.call import Call

_KEY = object()


class Refused(Exception):
    """No grant covers a request. An effect answers it with its specification's error, or lets it through as a trap."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(str(denial))
        self.denial = denial


@final
class Permit:
    """Proof that the gate allowed this very request of this call."""

    __slots__ = ("call", "request")

    def __init__(self, call: Call, request: Request, *, key: object) -> None:
        if key is not _KEY:
            raise TypeError("only the gate makes permits")
        self.call, self.request = call, request


def permit(call: Call, request: Request, *, reason: str = "no grant covers it") -> Permit:
    """A permit for the request under the grants of the call's node.

    Raises:
        Refused: no grant covers it; the denial is recorded with the call.
    """
    if grants.admits(call.state.policy, request):
        return Permit(call, request, key=_KEY)
    kind = grants.KINDS[request.kind]
    denial = Denial(
        node=call.node,
        edge=call.edge,
        kind=request.kind,
        operation=request.operation,
        value=request.value,
        reason=reason,
        allow=kind.suggest(request),
        where=call.state.where,
    )
    call.root.denials.append(denial)
    raise Refused(denial)
