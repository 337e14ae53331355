"""Every decision whether a guest may act on the world is made here, and every record of it.

An effect takes a `Permit`; only `permit` makes one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from ringfence.contract import grants
from ringfence.contract.errors import Denial
from ringfence.contract.grants.base import Request, quoted

if TYPE_CHECKING:
    from ringfence.call import Call
    from ringfence.wasi.state import WasiState

_KEY = object()
NO_GRANT = "no grant covers it"


class Refused(Exception):
    """No grant covers a request. An effect answers it with its specification's error, or lets it through as a trap."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(str(denial))
        self.denial = denial


@final
class Permit:
    """Proof that the gate allowed this very request of this call. Good for one effect, at once; never kept."""

    __slots__ = ("call", "request")

    def __init__(self, call: Call, request: Request, *, key: object) -> None:
        if key is not _KEY:
            raise TypeError("only the gate makes permits")
        self.call, self.request = call, request

    def __reduce__(self) -> str:
        raise TypeError("a permit is neither copied nor pickled")


def permit(call: Call, request: Request, *alternatives: Request, reason: str = NO_GRANT) -> Permit:
    """A permit under the grants of the call's node: for the request, else for the first of the alternatives that is covered.

    The alternatives are other views of the same act (an address, and the names it was looked up by). A denial words the request.

    Raises:
        Refused: no grant covers any of them; the denial is recorded with the call.
    """
    views = (request, *alternatives)
    for one in views:
        if grants.admits(call.state.policy, one):
            return Permit(call, one, key=_KEY)
    raise refuse(
        call,
        kind=request.kind,
        operation=request.operation,
        value=request.value,
        reason=reason,
        allow=grants.KINDS[request.kind].suggest(request),
        expected=any(grants.admits(call.state.expected, one) for one in views),
    )


def welcome(state: WasiState, *views: Request) -> bool:
    """Whether a grant covers what comes to an instance from outside, in one of these views of it.

    The guest asked for nothing, so that a refusal is no denial of its call: whoever sends it could fill the record of those.
    """
    return any(grants.admits(state.policy, one) for one in views)


def refuse(
    call: Call, *, kind: str, operation: str, value: str, reason: str, allow: str, provider: str = "host", expected: bool = False
) -> Refused:
    """The refusal of something, recorded with the call. Directly only for what no kind of grant can allow yet.

    Text that a guest made must have passed `quoted`.
    """
    denial = Denial(
        node=call.node,
        edge=call.edge,
        kind=kind,
        operation=operation,
        value=value,
        reason=reason,
        allow=allow,
        where=call.state.where if provider == "host" else "",
        provider=provider,
        expected=expected,
    )
    call.root.deny(denial)
    return Refused(denial)


def refuse_call(call: Call, provider: str, function: str) -> Refused:
    """The refusal of a call into another node that the edge's `calls` leave out."""
    reason = "the edge's calls do not list it"
    allow = f"calls: [{function}]"
    return refuse(
        call, kind="calls", operation="call", value=quoted(f"{provider}.{function}"), reason=reason, allow=allow, provider=provider
    )


def refuse_handing_on(call: Call, resource: str) -> Refused:
    """The refusal to give away a resource that the host made for this node, such as a stream: it would carry the node's authority along."""
    return refuse(call, kind="resource", operation="hand on", value=resource, reason="the host made it for this node", allow="")


def refuse_resource(call: Call, owner: str) -> Refused:
    """The refusal to use a resource that lives in an instance of another edge, with other grants or wider limits than this call has."""
    reason = f"it lives in an instance of the edge {owner}, which has other grants or wider limits"
    return refuse(call, kind="resource", operation="use", value=f"a resource of {call.node}", reason=reason, allow="")
