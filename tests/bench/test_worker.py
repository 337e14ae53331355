"""The comparison's two sides: processes that prepare and sample what they are told, and say why where they can't."""

import sys
from pathlib import Path

import pytest
from places import ROOT

from benchmarks.cases import TINY, cases
from benchmarks.compare import Side, commit_of
from benchmarks.measure import ONCE

CASES = {case.id: case for case in cases(TINY, Path())}


@pytest.fixture
def side():
    opened = Side(ROOT, ROOT, Path(sys.executable), ONCE)
    yield opened
    opened.close()


def test_a_side_prepares_samples_and_frees_what_it_is_told(side):
    call = CASES["call"]
    assert side.ask("prepare", call, "core") == {"rounds": 1}
    assert 0 < side.ask("sample", call, "core")["seconds"] < 1
    assert side.ask("drop", call, "core") == {}


def test_a_side_says_why_it_can_not_and_goes_on(side):
    """Another revision may lack an engine, a package or a whole case: that is a line in the table, not the end of the run."""
    assert "no graph in between" in side.ask("prepare", CASES["graph-call"], "plain")["out"]
    assert side.ask("prepare", CASES["call"], "nobody")["out"].startswith("KeyError")
    assert side.ask("prepare", CASES["call"], "plain") == {"rounds": 1}


def test_a_side_that_is_gone_is_an_error_that_says_where(side):
    side._process.kill()
    with pytest.raises(RuntimeError, match=r"the worker ended at call \(core\)"):
        side.ask("prepare", CASES["call"], "core")


def test_only_commits_are_revisions():
    """What is given to git is never an option."""
    assert len(commit_of("HEAD", ROOT)) == 40
    assert commit_of("no-such-branch", ROOT) is None
    assert commit_of("--all", ROOT) is None
