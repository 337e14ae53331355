"""What `just compat` says is what was found: nothing rounded up, no failure without its error, foreign text harmless on the page."""

from __future__ import annotations

import json
import sys

import pytest
from places import ROOT

from compat.examine import compare
from compat.figures import Figures, Timed
from compat.library import FOLDER, libraries, read
from compat.page import page
from compat.reasons import Group, common, groups, reason_of
from compat.results import Coverage, Row, Run, Tally
from compat.suite import Outcome, Results

LIBRARY = libraries()["simpleeval"]
FIGURES = Figures(
    cold=1.0, cold_first=5.0, imported=0.1, small=Timed(title='f("`")', first=0.01, later=0.0001), large=None, memory=1_000_000
)
TESTS = Tally(native=1000, passed=999, also=1, groups=[Group(reason="r", count=1, test="t|<b>", error="E: `x`")], excluded=0, seconds=2.0)
ROW = Row(
    name="x",
    version="1",
    note="a note",
    wheel=18_000_000,
    coverage=Coverage(score=99.6, members={"typed": 10, "refused": 0}),
    tests=TESTS,
    native=FIGURES,
    fenced=FIGURES,
)
RUN = Run(
    machine={"processor": "p", "cores": "2", "system": "s", "python": "3", "load": "1"},
    versions={"ringfence": "0"},
    seconds=60.0,
    rows=[ROW, Row(name="y", version="2", note="", failed="it <broke>")],
)


def results(**outcomes):
    return Results(
        outcomes={name: Outcome(outcome=how.partition(":")[0], error=how) for name, how in outcomes.items()}, broken={}, seconds=1.0
    )


def test_only_tests_that_pass_natively_count():
    """A test that fails natively, or is skipped there, says nothing of the drop-in."""
    found = compare(
        LIBRARY, results(a="passed", b="failed: x", c="skipped", d="passed"), results(a="passed", b="passed", c="passed", d="failed: z")
    )
    assert (found.native, found.passed, found.also) == (2, 1, 2)
    assert [(group.test, group.count) for group in found.groups] == [("d", 1)]


def test_a_test_that_was_not_collected_failed_for_the_reason_of_its_file():
    fenced = Results(outcomes={}, broken={"tests/test_a.py": "ImportError: no"}, seconds=1.0)
    found = compare(LIBRARY, results(**{"tests/test_a.py::b": "passed"}), fenced)
    assert found.passed == 0
    assert "ImportError: no" in found.groups[0].error


def test_a_test_skipped_against_the_drop_in_did_not_pass():
    found = compare(LIBRARY, results(a="passed"), results(a="skipped"))
    assert found.passed == 0
    assert sum(group.count for group in found.groups) == 1


def test_an_error_that_no_pattern_fits_is_unexplained():
    assert reason_of("zip.Odd: what", common()) == "unexplained (Odd)"
    assert [group.reason for group in groups({"a": "no", "b": "Odd: x", "c": "no"}, [("^no$", "known")])] == ["known", "unexplained (Odd)"]


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.toml")), ids=lambda file: file.stem)
def test_every_pattern_of_a_library_explains_something_of_its_own(file):
    """No pattern swallows everything."""
    for pattern, _ in [*read(file).reasons, *common()]:
        assert reason_of("AssertionError: 1 != 2", [(pattern, "known")]) != "known"


def test_the_record_survives_being_written():
    assert Run.from_json(RUN.to_json()) == RUN
    with pytest.raises(ValueError, match="not the record"):
        Run.from_json(json.dumps({"compat": 2}))


def test_the_page_rounds_down_and_keeps_foreign_text_harmless():
    text = page(RUN)
    assert "**999** of 1,000 (99.9%)" in text
    assert "<b>" not in text
    assert "t&#124;&#60;b&#62;" in text
    assert "it &#60;broke&#62;" in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('name = "x"', "suite"),
        ("name = [", "x.toml"),
        ('name = "x"\nodd = 1\n[suite]\nkeep = ["a"]\n[small]\ntitle=""\nsetup=""\nstatement=""\nanswer=""', "odd"),
    ],
)
def test_a_wrong_file_of_a_library_says_what_is_wrong(tmp_path, text, told):
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(ValueError, match=told):
        read(tmp_path / "x.toml")


def test_a_test_that_ends_its_process_costs_only_itself(tmp_path, monkeypatch):
    """Also one that hangs would: what was done is known by the lines, and the suite begins again behind it."""
    import compat.suite
    from compat.environments import Environment

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    test = b"import os\ndef test_a(): pass\ndef test_b(): os.abort()\ndef test_c(): assert 1 == 2\ndef test_d(): pass\n"
    monkeypatch.setattr(compat.suite, "sources", lambda library: {"test_simpleeval.py": test})
    monkeypatch.setattr(Environment, "variables", lambda self, more: {"PYTHONPATH": str(ROOT / "compat" / "inside"), **more})
    monkeypatch.setattr(compat.suite, "_OPTIONS", [one for one in compat.suite._OPTIONS if "timeout" not in one])
    environment = Environment(kind="native", folder=tmp_path, cache=tmp_path)
    found = compat.suite.run_suite(LIBRARY, environment, tmp_path, lambda done: None)
    assert {name.partition("::")[2]: one.outcome for name, one in found.outcomes.items()} == {
        "test_a": "passed",
        "test_b": "failed",
        "test_c": "failed",
        "test_d": "passed",
    }
    assert "signal 6" in found.of("test_simpleeval.py::test_b").error
    assert "assert 1 == 2" in found.of("test_simpleeval.py::test_c").error
