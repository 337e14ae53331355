"""The official component-model suite: `.wast` scripts that the crate `wasm-tools` carries, fetched by name and pinned digest.

component-model/test/…     the suite of the Component Model's own repository: what every host must do
cli/component-model/…      that of `wasm-tools`: what is valid, and why the rest is not
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ringfence_composer.errors import ComposerError, DigestMismatch, ToolFailed
from ringfence_composer.tools import find, run

CRATE = "wasm-tools"
VERSION = "1.262.0"  # the release whose libraries the toolchain is made of: their messages are those that the scripts expect
SHA256 = "142e5dadf70a298cad05d01f551b27687a07f87ce755a5d6df71361df29757f0"
FOLDERS = ("component-model/test/", "cli/component-model/")


class SuiteMissing(ComposerError):
    """The suite can't be had; the message is one line that says why and what to do."""


def scripts() -> Mapping[str, bytes]:
    """Every script by its name, in order of names.

    Raises:
        SuiteMissing: cargo is not installed, can't reach its registry, or does not keep what it downloads.
        DigestMismatch: the crate is not the pinned one.
    """
    archive = _crate().read_bytes()
    found = hashlib.sha256(archive).hexdigest()
    if found != SHA256:
        raise DigestMismatch(f"the crate {CRATE} {VERSION}", expected=SHA256, found=found)
    root = f"{CRATE}-{VERSION}/tests/"
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as crate:
        files = {member.name.removeprefix(root): member for member in crate if member.isfile()}
        names = sorted(name for name in files if name.startswith(FOLDERS) and name.endswith(".wast"))
        return {name: crate.extractfile(files[name]).read() for name in names}


def _crate() -> Path:
    """The crate's archive as cargo keeps it, downloaded where it is not there yet."""
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    kept = f"registry/cache/*/{CRATE}-{VERSION}.crate"
    if not any(home.glob(kept)):
        _download()
    try:
        return next(home.glob(kept))
    except StopIteration:
        raise SuiteMissing(f"cargo keeps no {CRATE}-{VERSION}.crate under its home: have it use the registry itself, once") from None


def _download() -> None:
    """Have cargo fetch the crate: showing what it knows of one is the command that takes this one alone."""
    try:
        with tempfile.TemporaryDirectory(prefix="ringfence-") as nowhere:
            run([find("cargo"), "info", "--quiet", f"{CRATE}@{VERSION}"], cwd=Path(nowhere), env=os.environ, timeout=300)
    except ComposerError as error:
        said = [line.strip() for line in error.output.splitlines() if line.strip()] if isinstance(error, ToolFailed) else []
        reason = "; ".join([error.message, *said[:1]])
        remedy = error.hint or "see to it that cargo reaches its registry, once"
        raise SuiteMissing(f"the component-model suite can't be fetched: {reason} ({remedy})") from error
