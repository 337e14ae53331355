"""What a node may do, by the edge that it is called through; and what it is known to try in vain."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from ringfence.contract.grants import Policy

_NONE: Mapping[str, Policy] = MappingProxyType({})


class Authority(NamedTuple):
    """A node's policies: its `own`, and by name those `through` edges that delegate something, which hold its own too.

    `expected` holds what denials it may meet without anybody having to hear of it.
    """

    own: Policy = Policy()
    through: Mapping[str, Policy] = _NONE
    expected: Policy = Policy()

    @property
    def policies(self) -> tuple[Policy, ...]:
        """All that it may do, by whatever edge."""
        return (self.own, *self.through.values())

    def by(self, edge: str) -> Policy:
        """What it may do when it is called through the edge of this name."""
        return self.through.get(edge, self.own)
