"""wasi:random. Denied, it traps; seeded, `random` is as predictable as `insecure`, which the grant says openly.

Source: wasi:random@0.2.12. The insecure interfaces give the same bytes as the secure one: nothing is gained by worse ones.
"""

from __future__ import annotations

from ringfence.call import Call
from ringfence.contract.errors import LimitExceeded
from ringfence.contract.grants.random import GetRandom
from ringfence.contract.limits import show_size
from ringfence.gate import Permit, permit
from ringfence.wasi.tables import Table

_AT_ONCE = 1 << 20
"""The function must give all that it is asked for, so more than this is refused: an engine may need eighty bytes of its own for each."""


def _bytes(permit: Permit, length: int) -> bytes:
    return permit.call.state.randomness.bytes(length)


def get_bytes(call: Call, length: int) -> bytes:
    """Random bytes.

    Raises:
        LimitExceeded: more than fit, or than this host gives at once.
    """
    allowed = permit(call, GetRandom(call.state.randomness.seed))
    most = min(_AT_ONCE, call.limits.memory)
    if length > most:
        raise LimitExceeded(call.node, "memory", show_size(call.limits.memory), f"{length} random bytes at once, where {most} are allowed")
    return _bytes(allowed, length)


def get_u64(call: Call) -> int:
    """A random number."""
    return int.from_bytes(get_bytes(call, 8), "little")


def insecure_seed(call: Call) -> tuple[int, int]:
    """Two random numbers, for a guest's hash tables: the same ones for as long as the instance lives."""
    return _seed(permit(call, GetRandom(call.state.randomness.seed)))


def _seed(permit: Permit) -> tuple[int, int]:
    return permit.call.state.randomness.hash_seed


FUNCTIONS: dict[str, Table] = {
    "wasi:random/random": {"get-random-bytes": get_bytes, "get-random-u64": get_u64},
    "wasi:random/insecure": {"get-insecure-random-bytes": get_bytes, "get-insecure-random-u64": get_u64},
    "wasi:random/insecure-seed": {"insecure-seed": insecure_seed},
}
