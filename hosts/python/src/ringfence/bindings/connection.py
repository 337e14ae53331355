"""A typed graph in a wheel, connected: what the package that `compose wrap graph.yaml` writes stands on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from ringfence.contract.errors import Denial
    from ringfence.graph import Graph


class Connection:
    """A loaded graph with a typed client for each exposed node, as attributes that a subclass declares. Closing it ends all calls."""

    def __init__(
        self,
        folder: Path,
        name: str,
        nodes: Mapping[str, Callable[[Graph], Any]],
        parameters: Mapping[str, object] | None = None,
        grants: Mapping[str, Mapping[str, Any]] | None = None,
        substitutes: Mapping[str, object] | None = None,
        base: str | Path | None = None,
    ) -> None:
        from ringfence.packaged import load  # here: whoever tests against the bindings connects to nothing, and is not to wait for it

        self.graph = load(folder, name, parameters=parameters, grants=grants, substitutes=substitutes, base=base)
        try:
            self.__dict__.update({attribute: client(self.graph) for attribute, client in nodes.items()})
        except BaseException:
            self.graph.close()
            raise

    @property
    def denials(self) -> tuple[Denial, ...]:
        """What was refused, and no error told of."""
        return tuple(self.graph.denials)

    def close(self) -> None:
        """End all calls and instances. Twice is harmless."""
        self.graph.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
