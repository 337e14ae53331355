"""The official component-model suite: `.wast` scripts that the crate `wasm-tools` carries, fetched by name and pinned digest.

component-model/test/…     the suite of the Component Model's own repository: what every host must do
cli/component-model/…      that of `wasm-tools`: what is valid, and why the rest is not
"""

from __future__ import annotations

from collections.abc import Mapping

from crates import Crate

CRATE = Crate(
    name="wasm-tools",
    version="1.262.0",  # the release whose libraries the toolchain is made of: their messages are those that the scripts expect
    sha256="142e5dadf70a298cad05d01f551b27687a07f87ce755a5d6df71361df29757f0",
)
FOLDERS = ("component-model/test/", "cli/component-model/")


def scripts() -> Mapping[str, bytes]:
    """Every script by its name, in order of names.

    Raises:
        CrateMissing, DigestMismatch: as `Crate.tests` says.
    """
    return {name: text for name, text in CRATE.tests().items() if name.startswith(FOLDERS) and name.endswith(".wast")}
