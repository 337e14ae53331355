"""wasi:sockets/network and instance-network: a token without authority. Every act on the network is decided by itself."""

from __future__ import annotations

from ringfence.call import Call
from ringfence.wasi.io import IoError
from ringfence.wasi.sockets.wire import DOMAIN
from ringfence.wasi.state import Held
from ringfence.wasi.tables import Table, expect


class Network(Held):
    """wasi:sockets/network.network. All of an instance are the same network."""


def instance_network(call: Call) -> Network:
    """The network."""
    return Network(call.state)


def network_error_code(_: Call, error: IoError) -> str | None:
    """The network's code of a stream error, where it is one of those."""
    expect(error, IoError)
    return error.code if error.domain == DOMAIN else None


FUNCTIONS: dict[str, Table] = {
    "wasi:sockets/network": {"network-error-code": network_error_code},
    "wasi:sockets/instance-network": {"instance-network": instance_network},
}
