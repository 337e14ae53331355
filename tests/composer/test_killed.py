"""A composer that is killed leaves the old or the new, never half of either; and what it leaves besides goes away."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from places import ROOT
from ringfence_composer.replace import replace_file


def test_no_kill_leaves_half_a_lock_or_half_an_artifact(tmp_path: Path) -> None:
    paths = os.pathsep.join(str(ROOT / folder) for folder in ("tests", "tests/composer"))
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(Path(__file__).with_name("kill_points.py")), str(tmp_path)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 12  # two artifacts that are new, and the lock: each made, filled, renamed


def test_what_a_killed_process_left_is_swept_once_nobody_can_be_writing_it(tmp_path: Path) -> None:
    target = tmp_path / "graph.lock.json"
    old, young, other = (tmp_path / f".{name}.new" for name in ("graph.lock.json.abc", "graph.lock.json.def", "something.else"))
    for file in (old, young, other):
        file.write_bytes(b"half")
    for file in (old, other):
        os.utime(file, (0, time.time() - 7200))
    replace_file(target, b"whole")
    assert sorted(tmp_path.iterdir()) == sorted([young, other, target])
    assert target.read_bytes() == b"whole"
