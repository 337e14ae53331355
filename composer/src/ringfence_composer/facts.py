"""What the official WIT tools say of a graph's nodes: of their sources before anything is built, and of their binaries afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ringfence_composer.manifest.component import ComponentManifest
from ringfence_composer.manifest.graph import NodeManifest
from ringfence_composer.toolchain import Toolchain, Wit
from ringfence_composer.tools import Fit, World


def wit_of(component: ComponentManifest) -> Wit:
    """Where a component's world is described."""
    return Wit(path=component.wit, deps=component.wit_deps, world=component.world)


class SourceFacts:
    """Worlds and types as the WIT of each component says them; each question is asked once."""

    def __init__(self, toolchain: Toolchain) -> None:
        self._toolchain = toolchain
        self._worlds: dict[Wit, World] = {}
        self._fits: dict[tuple[Wit, Wit, str], Fit] = {}

    def world(self, node: NodeManifest) -> World:
        """The node's world. Raises InputInvalid."""
        wit = self.wit(node)
        if wit not in self._worlds:
            self._worlds[wit] = self._toolchain.world(wit)
        return self._worlds[wit]

    def fits(self, consumer: NodeManifest, provider: NodeManifest, interface: str) -> Fit:
        """Whether the provider's export fits the consumer's import. Raises InputInvalid."""
        question = (self.wit(consumer), self.wit(provider), interface)
        if question not in self._fits:
            self._fits[question] = self._toolchain.fits(*question)
        return self._fits[question]

    def wit(self, node: NodeManifest) -> Wit:
        """Where the node's world is described."""
        component = node.component
        if isinstance(component, ComponentManifest):
            return wit_of(component)
        if component is None:
            raise TypeError(f"{node.name} has no component: it must not be asked about")
        return Wit(path=component.file)


class BinaryFacts(SourceFacts):
    """The same of the built binaries, by node."""

    def __init__(self, toolchain: Toolchain, binaries: Mapping[str, Path]) -> None:
        super().__init__(toolchain)
        self._binaries = binaries

    def wit(self, node: NodeManifest) -> Wit:
        return Wit(path=self._binaries[node.name])
