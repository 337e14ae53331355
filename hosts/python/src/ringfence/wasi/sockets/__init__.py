"""wasi:sockets: TCP connections and name look-up; listening and UDP are refused until something can grant them."""

from __future__ import annotations

from ringfence.wasi.sockets import lookup, network, tcp, udp
from ringfence.wasi.tables import Table

FUNCTIONS: dict[str, Table] = {**network.FUNCTIONS, **tcp.FUNCTIONS, **lookup.FUNCTIONS, **udp.FUNCTIONS}
