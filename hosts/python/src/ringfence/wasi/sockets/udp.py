"""wasi:sockets/udp: nothing can grant it yet, so no socket is ever handed out. The frame for the `udp` kind."""

from __future__ import annotations

from typing import NoReturn

from ringfence.call import Call
from ringfence.contract.values import WitError
from ringfence.gate import refuse
from ringfence.wasi.tables import Table, absent

_SOCKET = [
    *(
        "start-bind",
        "finish-bind",
        "stream",
        "local-address",
        "remote-address",
        "address-family",
        "unicast-hop-limit",
        "set-unicast-hop-limit",
    ),
    *("receive-buffer-size", "set-receive-buffer-size", "send-buffer-size", "set-send-buffer-size", "subscribe"),
]


def create_udp_socket(call: Call, _: str) -> NoReturn:
    """Refused."""
    reason, allow = "nothing can grant it yet", 'udp: ["HOST:PORT"]  # this version cannot enforce it yet'
    raise WitError("access-denied") from refuse(call, kind="udp", operation="create", value="a UDP socket", reason=reason, allow=allow)


FUNCTIONS: dict[str, Table] = {
    "wasi:sockets/udp-create-socket": {"create-udp-socket": create_udp_socket},
    "wasi:sockets/udp": absent(
        [
            *(f"[method]udp-socket.{name}" for name in _SOCKET),
            *(f"[method]incoming-datagram-stream.{name}" for name in ("receive", "subscribe")),
            *(f"[method]outgoing-datagram-stream.{name}" for name in ("check-send", "send", "subscribe")),
        ]
    ),
}
