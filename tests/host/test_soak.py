"""A short soak: many threads, many guests, every answer checked, memory where it was. `just soak` is the long one."""

import json
import os
import subprocess
import sys

from places import ROOT, SHOP


def test_many_threads_of_many_guests_for_a_short_while(capsys):
    """In a process of its own, whose memory is nobody else's."""
    done = subprocess.run(
        [sys.executable, "-m", "host.soak", "12"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(SHOP), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    with capsys.disabled():
        print(f"\nsoak: {report['calls']} calls, {report['resident'][-1] - report['resident'][0] >> 10} KiB more at the end")
    assert report["done"].keys() >= {"echo", "json", "shop", "ctrl-c", "interrupted", "hostile script", "nuisance: loop"}
