"""What is in a wheel as a CycloneDX 1.6 SBOM, for its place in .dist-info/sboms (PEP 770).

Flat, as scanners read it: every part is a component of its own, with the package URL that its upstream has, qualified by the archive that
was taken; `dependencies` says what stands in what. What runs inside the fence carries the property `ringfence:isolation`; the engine and
the runtime, which do not, say so as well. Nothing in it depends on when or where it was made.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as version_of
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.utils import canonicalize_name
from packaging.version import Version
from ringfence.contract.lock import Lock, LockedArtifact

from ringfence_composer.wrap.layout import Distribution

ISOLATION = "ringfence:isolation"
_INSIDE = "wasm"
_OUTSIDE = "none"
_SPACE = uuid.UUID("6f2c5b0a-3f5f-5b7e-9d2e-0b7f5a2f6c11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An archive that is built into a component: the kind of its registry as package URLs name it, its name, version and SHA-256."""

    registry: str
    name: str
    version: str
    sha256: str


def library_sbom(name: str, version: Version, lock: Lock, packed: Iterable[Distribution]) -> bytes:
    """The SBOM of a library's wheel: the library with all that it requires, inside the fence, and what runs it."""
    inside = [_upstream(one) for one in packed]
    return _document(name, version, lock, {node.name: inside for node in lock.nodes})


def graph_sbom(name: str, version: Version, lock: Lock, parts: Mapping[str, Sequence[Part]]) -> bytes:
    """The SBOM of a typed graph's wheel; `parts` are what is built into each node."""
    return _document(name, version, lock, {node: [_part(one) for one in of] for node, of in parts.items()})


def _document(name: str, version: Version, lock: Lock, inside: Mapping[str, Sequence[Component]]) -> bytes:
    subject = _package(name, str(version), ComponentType.LIBRARY, f"wheel:{name}")
    binaries = [one for one in lock.artifacts if one.role == "component"]
    nodes = {one.node: _node(one) for one in binaries}
    shared = {one.bom_ref.value: one for of in inside.values() for one in of}
    shared |= {one.bom_ref.value: one for artifact in binaries for one in _makers(artifact)}
    engine = [_installed("ringfence"), _installed("wasmtime")]
    bom = Bom(components=[*nodes.values(), *shared.values(), *engine])
    bom.metadata.component = subject
    bom.register_dependency(subject, [*nodes.values(), *engine])
    for artifact in binaries:
        within = [*inside.get(artifact.node, ()), *_makers(artifact)]
        bom.register_dependency(nodes[artifact.node], [shared[one.bom_ref.value] for one in within if one.bom_ref.value])
    for one in (*shared.values(), *engine):
        bom.register_dependency(one)
    identity = f"{name} {version} {lock.to_dict()['digest']}"
    return _canonical(json.loads(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string()), identity)


def _canonical(data: dict[str, Any], identity: str) -> bytes:
    """The document without what differs from run to run; scanners want `dependsOn` of leaves as well."""
    data["serialNumber"] = f"urn:uuid:{uuid.uuid5(_SPACE, identity)}"
    data["metadata"].pop("timestamp", None)
    for one in data["dependencies"]:
        one.setdefault("dependsOn", [])
    return (json.dumps(data, indent=2, sort_keys=True) + "\n").encode()


def _upstream(one: Distribution) -> Component:
    """A packed distribution: as its index knows it."""
    found = _package(one.name, str(one.version), ComponentType.LIBRARY, f"packed:{one.key}", {"file_name": one.archive.filename})
    found.hashes = [HashType(alg=HashAlgorithm.SHA_256, content=one.archive.sha256)]
    found.scope = ComponentScope.REQUIRED
    found.properties = [Property(name=ISOLATION, value=_INSIDE)]
    found.licenses = [_licence(one.licence)] if one.licence != "not stated" else []
    return found


def _licence(text: str) -> LicenseExpression | DisjunctiveLicense:
    try:
        return LicenseExpression(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return DisjunctiveLicense(name=text)


def _node(artifact: LockedArtifact) -> Component:
    """A component binary, by its digest."""
    return Component(
        type=ComponentType.APPLICATION,
        name=artifact.node,
        bom_ref=f"node:{artifact.node}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=artifact.digest.removeprefix("sha256:"))],
        properties=[Property(name=ISOLATION, value=_INSIDE)],
    )


def _part(one: Part) -> Component:
    """An archive in a component, as its registry knows it."""
    return Component(
        type=ComponentType.LIBRARY,
        name=one.name,
        version=one.version,
        purl=PackageURL(type=one.registry, name=canonicalize_name(one.name) if one.registry == "pypi" else one.name, version=one.version),
        bom_ref=f"packed:{one.registry}:{one.name}@{one.version}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one.sha256)],
        scope=ComponentScope.REQUIRED,
        properties=[Property(name=ISOLATION, value=_INSIDE)],
    )


def _makers(artifact: LockedArtifact) -> list[Component]:
    """What made a binary, as far as it is named with a version."""
    return [_maker(text) for text in artifact.by.split(", ") if " " in text]


def _maker(text: str) -> Component:
    """What a binary was made by, and holds part of: `componentize-py 0.25.1`, `CPython 3.14`."""
    name, _, version = text.rpartition(" ")
    kind = "pypi" if name == "componentize-py" else "generic"
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        purl=PackageURL(type=kind, name=name.lower(), version=version),
        bom_ref=f"runtime:{name.lower().replace(' ', '-')}",
        properties=[Property(name=ISOLATION, value=_INSIDE)],
    )


def _installed(name: str) -> Component:
    """A package that runs the guests, outside of the fence."""
    found = _package(name, version_of(name), ComponentType.LIBRARY, f"host:{name}")
    found.properties = [Property(name=ISOLATION, value=_OUTSIDE)]
    found.scope = ComponentScope.REQUIRED
    return found


def _package(name: str, version: str, kind: ComponentType, reference: str, qualifiers: Mapping[str, str] | None = None) -> Component:
    purl = PackageURL(type="pypi", name=canonicalize_name(name), version=version, qualifiers=dict(qualifiers or {}))
    return Component(type=kind, name=name, version=version, purl=purl, bom_ref=reference)
