"""Sets up a source checkout (`python -m ringfence_composer.set_up`), or writes the package data of a wheel (`… bundle FOLDER`)."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from ringfence_composer.errors import ComposerError
from ringfence_composer.toolchain import Toolchain, lay_out_wasi_wit
from ringfence_composer.tools import ensure_target, toolchain_component


def check_out(root: Path) -> None:
    """Have the toolchain built and compiled, the WIT packages of WASI under `wit/deps/`, and what Rust components are compiled with.

    Raises:
        ToolMissing: Rust is not there: the toolchain, or a component of the checkout, is built with it.
        DigestMismatch: the packages are not those that `wit/deps.sha256` names.
    """
    lay_out_wasi_wit(Toolchain(), root / "wit")
    ensure_target(lambda message: print(message, file=sys.stderr))  # noqa: T201 -- progress


def bundle(folder: Path) -> None:
    """Write the package data of a wheel: the toolchain component and the digest of its sources."""
    component = toolchain_component()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(component.path, folder / "toolchain.wasm")
    (folder / "toolchain.digest").write_text(f"{component.sources}\n", "ascii")


def main(arguments: Sequence[str]) -> None:
    """Run one of the two; an expected error is one line on stderr and exit code 4."""
    try:
        match arguments:
            case []:
                check_out(Path(__file__).parents[3])
            case ["bundle", folder]:
                bundle(Path(folder))
            case _:
                sys.exit("usage: python -m ringfence_composer.set_up [bundle FOLDER]")
    except ComposerError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 -- the one line this command has to say
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main(sys.argv[1:])
