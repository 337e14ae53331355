"""Whether the component engine can load a component at all, tried in a process of its own before a graph may have it on that lane.

The toolchain judges binaries in its sandbox, but wasmtime itself reads a component in the application's process, where a bug of its parser
or compiler is the end of that: a component of 400 bytes was seen to do it. What is compiled on the way is in the compile cache then.
"""

from __future__ import annotations

import os
import re
import sys
from importlib.metadata import version
from pathlib import Path

from ringfence.contract.names import Digest, digest_of
from ringfence.engine.component.configuration import SETTINGS

from ringfence_composer.builders.base import BuildContext
from ringfence_composer.builders.cache import BuildCache
from ringfence_composer.errors import ToolFailed
from ringfence_composer.tools import run

_FORMAT = "trial 1"
_CRASH = re.compile(r"ended by (?P<signal>SIG(ABRT|BUS|FPE|ILL|SEGV|TRAP))$")  # what else ends a process may not do so again
_PANIC = re.compile(r"panicked at [^\n]*\n(?P<message>[^\n]+)")


def fault(component: Path, digest: Digest, context: BuildContext) -> str:
    """What the component engine has against a component, as a sentence about it; empty where it loads. Tried once per component.

    Raises:
        ToolFailed: the trial itself could not be made, or took too long.
    """
    inputs = digest_of(f"{_FORMAT} {version('wasmtime')} {SETTINGS} {digest}".encode())
    kept = BuildCache(context.cache, context.report).fetch(inputs, lambda work: _try(component, digest, context, work).encode())
    return kept.path.read_text("utf-8")


def _try(component: Path, digest: Digest, context: BuildContext, work: Path) -> str:
    what: list[str | Path] = [component.absolute(), digest, context.cache.absolute()]
    try:
        return run([sys.executable, "-P", "-m", "ringfence.engine.trial", *what], cwd=work, env=os.environ, timeout=context.deadline)
    except ToolFailed as error:
        crash, panic = _CRASH.search(error.message), _PANIC.search(error.output)
        if crash is None:
            raise
        return f"it ends the engine's process ({crash['signal']}" + (f": {panic['message']})" if panic else ")")
