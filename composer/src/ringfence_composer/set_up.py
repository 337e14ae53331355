"""Sets up a source checkout: `python -m ringfence_composer.set_up`."""

from __future__ import annotations

import sys
from pathlib import Path

from ringfence_composer.errors import ComposerError
from ringfence_composer.toolchain import Toolchain, lay_out_wasi_wit
from ringfence_composer.tools import ensure_target


def check_out(root: Path) -> None:
    """Have the toolchain built and compiled, the WIT packages of WASI under `wit/deps/`, and what Rust components are compiled with.

    Raises:
        ToolMissing: Rust is not there: the toolchain, or a component of the checkout, is built with it.
        DigestMismatch: the packages are not those that `wit/deps.sha256` names.
    """
    lay_out_wasi_wit(Toolchain(), root / "wit")
    ensure_target(lambda message: print(message, file=sys.stderr))  # noqa: T201 -- progress


def main() -> None:
    """Do it; an expected error is one line on stderr and exit code 4."""
    try:
        check_out(Path(__file__).parents[3])
    except ComposerError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 -- the one line this command has to say
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
