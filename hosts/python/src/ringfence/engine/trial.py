"""Loads one component with the component engine, in a process of its own: `python -m ringfence.engine.trial FILE DIGEST CACHE`.

wasmtime reads a component in this very process, and a bug of its parser or compiler ends that: a panic can't be caught across C. So
whoever lets a component in has it loaded here first. What the engine has against it is written to stdout; nothing, where it runs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ringfence.contract.errors import IntegrityError
from ringfence.contract.names import Digest
from ringfence.engine.component import ComponentEngine
from ringfence.engine.seam import Artifacts


def main(arguments: Sequence[str]) -> None:
    """Load it; what is compiled on the way is in the cache then."""
    file, digest, cache = arguments
    try:
        ComponentEngine().load(Artifacts(component=Path(file), digest=Digest(digest), cache=Path(cache)))
    except IntegrityError as error:
        causes = str(error.__cause__ or "").split("\n")
        sys.stdout.write(": ".join([error.message, *(line.strip() for line in causes[1:] if line.strip() not in ("", "Caused by:"))]))


if __name__ == "__main__":
    main(sys.argv[1:])
