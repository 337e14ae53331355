"""Run by test_killed.py in a process of its own: writes a lock over an older one, again and again, killed a step later each time.

After each kill the folder must hold the old lock or the new one, whole and with its artifacts, and composing again must put it right.
Prints how many steps there were.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from case import compose_right
from ringfence.contract.layout import store_path
from ringfence.contract.names import digest_of
from ringfence.graph import Graph
from ringfence_composer.compose import Workshop, lock_of, plan_file, write
from ringfence_composer.toolchain import Toolchain

STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.chmod", "tempfile.mkstemp"}
"""Audit events (PEP 578) of what changes files; each is raised right before it happens."""


def kill_at(step: int, folder: Path) -> None:
    """Kill this process before its `step`th change in the folder, as the kernel would: nothing is cleaned up."""
    left = step

    def audit(event: str, args: tuple[Any, ...]) -> None:
        nonlocal left
        if event in STEPS and any(str(folder) in str(one) for one in args):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(audit)


def intact(lock: Path, allowed: list[bytes]) -> None:
    """The lock is one of those, and every file under its final name is what the name says."""
    assert lock.read_bytes() in allowed, "half a lock"
    for file in store_path(lock).iterdir():
        if not file.name.startswith("."):
            assert digest_of(file.read_bytes()) == f"sha256:{file.name}", "half an artifact"
    Graph.load(lock).close()


def main(folder: Path) -> None:
    old = folder / "old"
    compose_right(old, "component")
    before = (old / "graph.lock.json").read_bytes()
    plan = plan_file(old / "graph.yaml", Workshop(lane="core"))
    lock = lock_of(plan, tools=Toolchain().digest)
    step, status = 0, -1
    while status != 0:
        step += 1
        work = folder / f"killed-{step}"
        shutil.copytree(old, work)
        file = work / "graph.lock.json"
        if (child := os.fork()) == 0:
            kill_at(step, work)
            write(lock, plan.built, file)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, -signal.SIGKILL)
        intact(file, [before, lock.to_bytes()])
        write(lock, plan.built, file)
        intact(file, [lock.to_bytes()])
    print(step)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
