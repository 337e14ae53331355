"""What a built wheel carries besides this package's modules: the toolchain component, the digest of its sources, and the border's files.

Of this package and `ringfence` it may import only what needs no other distribution: a build backend runs it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from ringfence_composer.tools import toolchain_component

_CHECKOUT = Path(__file__).parents[3]
BORDER = ("components/object-bridge/src", "wit/objects")
"""Folders of the checkout that wrapping a library takes: the guest's half of the border, and its WIT."""


def border(path: str) -> Path:
    """Where one of these folders lies: in this package, or in the checkout that it is run from."""
    packaged = Path(__file__).parent / "data" / "border" / path
    return packaged if packaged.is_dir() else _CHECKOUT / path


def write_package_data(folder: Path) -> None:
    """Write them; the toolchain is built where it is not in the cache yet.

    Raises:
        ComposerError: it can't be built.
    """
    component = toolchain_component()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(component.path, folder / "toolchain.wasm")
    (folder / "toolchain.digest").write_text(f"{component.sources}\n", "ascii")
    for path in BORDER:
        shutil.copytree(_CHECKOUT / path, folder / "border" / path, ignore=shutil.ignore_patterns("__pycache__"))
