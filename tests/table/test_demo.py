"""`just demo-table`, as a stranger runs it."""

import os
import subprocess
import sys

from places import ROOT


def test_the_demo_shows_the_rows_the_work_and_the_refusals():
    demo = subprocess.run(
        [sys.executable, "manifests/table/demo.py"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    told = demo.stdout
    for expected in (
        "│ json     │ deny",
        "*.sqlite3 under lock",
        "variable PGPASSWORD, the host's value",
        "json      decoded 3 orders",
        "sqlite    kept 3 of them in data/ledger.sqlite3; {'Ada': 2795, 'Grace': 1250}",
        "the ordinary sqlite3 reads the same file: 4045, integrity ok",
        "postgres  Ada: 2795, Grace: 1250",
        "unable to open database: /etc/passwd",
        "denied: read '/data/copy.txt', no grant covers it",
        "denied: use '/data/link.sqlite3', it is a link to an absolute path",
        "no such function: load_extension",
        "denied: look up localhost, no grant covers it",
    ):
        assert expected in told, told
    assert told.count("it would need: ") == 11
    assert not (ROOT / "manifests/table/data/copy.txt").exists()
