"""One record, three reports: nothing that was measured is lost on the way, and text stays text."""

import io
import json
import re
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmarks.command import main
from benchmarks.compare import Change
from benchmarks.reports import table
from benchmarks.reports.page import page
from benchmarks.reports.svg import picture
from benchmarks.reports.words import duration, times
from benchmarks.results import Held, Language, Run

SVG = "{http://www.w3.org/2000/svg}"


def printed(renderable):
    console = Console(width=150, file=io.StringIO())
    console.print(renderable)
    return console.file.getvalue()


def test_a_run_survives_its_json(run):
    again = Run.from_json(run.to_json())
    assert again == run
    assert again.median("call", "core") == pytest.approx(5e-6)
    assert again.row("call").figures["v8"] == "no <such> thing"


@pytest.mark.parametrize("text", ["[]", "{}", '{"benchmark": 2}'])
def test_other_json_is_refused(text):
    with pytest.raises(ValueError, match="not a benchmark's results"):
        Run.from_json(text)


def test_the_table_shows_medians_spreads_ratios_and_who_sat_out(run):
    text = printed(table.figures(run))
    assert "5.00 µs" in text
    assert "±10% 4.0x" in text
    assert "–" in text
    assert list(table.sat_out(run)) == ["– the v8: no <such> thing (the case <call>; the case <start>)"]


def test_a_probe_that_found_nothing_is_loudly_said(run):
    """The profile must not go on without a part that was renamed."""
    text = "".join(printed(one) for one in table.breakdowns(run))
    assert "benchmarks/breakdown.py must be mended: a:b is not there" in text
    assert "a:b is not there" in page(run)


def test_the_comparison_shows_what_became_slower_and_what_could_not_be_compared():
    slower = Change(title="small call", peer="core", there=1e-6, here=2e-6, ratio=2.0, low=1.9, high=2.1)
    absent = Change(title="edge", peer="core", reason="ImportError: no such engine")
    text = printed(table.changes([slower, absent], "HEAD~1"))
    assert re.search(r"small call .* 1.00 µs .* 2.00 µs .* 2.0x \(1.90 to 2.10\) .* slower", text)
    assert "ImportError: no such engine" in text


def test_the_plot_is_well_formed_and_has_a_mark_for_every_figure(run):
    root = ET.fromstring(picture(run))
    assert root.tag == f"{SVG}svg"
    said = [title.text for title in root.iter(f"{SVG}title")]
    assert sorted(said) == sorted(
        f"{row.title}, {title}: {duration(row.median(peer))}"
        for row in run.rows
        for peer, title in run.peers.items()
        if row.median(peer) is not None
    )


def test_marks_lie_in_the_order_of_their_times_and_inside_the_picture(run):
    root = ET.fromstring(picture(run))
    width = float(root.get("width"))
    places = {}
    for mark in root.iter():
        title = mark.find(f"{SVG}title")
        if title is not None:
            places[title.text] = float(mark.get("cx"))
    assert all(0 < x < width for x in places.values())
    call = {peer: next(x for text, x in places.items() if f"<call>, the {peer}" in text) for peer in ("core", "extism")}
    assert call["core"] < call["extism"]


def test_a_plot_of_one_figure_and_of_none_is_one_too(make_run):
    for figures in ({"call": {"core": 1.0}}, {"call": {"core": "gone"}}, {}):
        ET.fromstring(picture(make_run(figures)))


def test_the_page_has_every_row_in_tables_that_are_whole(run):
    text = page(run)
    for row in run.rows:
        assert f"| {row.title} |" in text
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in block.splitlines()}) == 1, block


def test_reports_are_made_again_from_the_json_alone(run, tmp_path):
    source = tmp_path / "old.json"
    source.write_text(run.to_json())
    done = CliRunner().invoke(main, ["--from", str(source), "--output", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "out" / "results.json").read_text()) == json.loads(source.read_text())
    assert (tmp_path / "out" / "plot.svg").read_text() == picture(run)
    assert "the case <call>" in (tmp_path / "out" / "table.txt").read_text()


def test_an_unknown_case_is_a_usage_error_that_lists_the_known(tmp_path):
    done = CliRunner().invoke(main, ["--case", "cal", "--output", str(tmp_path)])
    assert done.exit_code == 2
    assert "no case cal" in done.output
    assert "records-1000" in done.output


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (6.14e-6, "6.14 µs"),
        (9.996e-6, "10.0 µs"),
        (1.59, "1.59 s"),
        (0.0123, "12.3 ms"),
        (5.2e-8, "52.0 ns"),
        (3e-7, "0.30 µs"),
        (120.0, "120 s"),
    ],
)
def test_durations_have_three_figures_and_a_unit(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(("value", "text"), [(2.71, "2.7x"), (0.042, "0.04x"), (14_000.4, "14,000x"), (0.0001, "<0.01x"), (1.0, "1.0x")])
def test_ratios_are_short(value, text):
    assert times(value) == text


C = Language(language="C", component="components/one", size=128_306, memory=None, cold=31.0, cached=0.1)
PYTHON = Language(language="Python", component="components/two", size=20_400_000, memory=11_400_000, cold=25.0, cached=0.1)


def test_what_a_language_costs_is_on_the_page_and_in_the_table_where_it_was_measured(make_run, run):
    costs = make_run({"call": {"core": 1.0}}, languages=(C, PYTHON))
    assert Run.from_json(costs.to_json()) == costs
    assert "| C | `components/one` | 128 kB | – | 31.0 s | 100 ms |" in page(costs)
    assert "| Python | `components/two` | 20.4 MB | 11.4 MB | 25.0 s | 100 ms |" in page(costs)
    assert "20.4 MB" in "".join(printed(one) for one in table.languages(costs))
    assert "What a language costs" not in page(run)
    assert not list(table.languages(run))


def test_what_a_wrapped_library_takes_is_on_the_page_and_in_the_table_where_it_was_measured(make_run, run):
    """Its memory is no time, and so no row of the figures."""
    took = make_run({"call": {"core": 1.0}}, held=(Held(library="PyYAML 5.3", wheel=23_400_000, fenced=35_700_000, native=None),))
    assert "| PyYAML 5.3 | 23.4 MB | 35.7 MB | – |" in page(took)
    assert "35.7 MB" in "".join(printed(one) for one in table.held(took))
    assert Run.from_json(took.to_json()) == took
    assert "What a wrapped library takes" not in page(run)
    assert not list(table.held(run))


def test_results_of_before_there_were_languages_are_read(run):
    old = json.loads(run.to_json())
    del old["languages"]
    assert Run.from_json(json.dumps(old)) == run
