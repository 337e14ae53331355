"""components/markdown: a C library from its archive behind a typed WIT, in a current and in an old release."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence import Graph, GuestError
from ringfence_composer.toolchain import Toolchain, Wit

from .conftest import build


@pytest.mark.parametrize(
    ("text", "options", "html"),
    [
        ("# Hello *you*\n", [], "<h1>Hello <em>you</em></h1>\n"),
        ("~~no~~", ["strikethrough"], "<p><del>no</del></p>\n"),
        ("~~no~~", [], "<p>~~no~~</p>\n"),
        ('"a" -- b', ["smart-punctuation"], "<p>“a” – b</p>\n"),
        ("a\nb", ["hard-breaks"], "<p>a<br />\nb</p>\n"),
        ("http://a.example", ["autolinks"], '<p><a href="http://a.example">http://a.example</a></p>\n'),
        ("<b>x</b>", ["unsafe-html"], "<p><b>x</b></p>\n"),
        ("[x](javascript:1)", [], '<p><a href="">x</a></p>\n'),
        ("a\0b", [], "<p>a\ufffdb</p>\n"),
        ("", [], ""),
    ],
)
def test_both_releases_render_as_asked(graph: Graph, text: str, options: list[str], html: str) -> None:
    assert graph.call("new.to-html", text, options) == html
    assert graph.call("old.to-html", text, options) == html


def test_each_says_which_release_it_is(graph: Graph) -> None:
    assert graph.call("new.library") == "cmark-gfm 0.29.0.gfm.13"
    assert graph.call("old.library") == "cmark-gfm 0.28.3.gfm.19"


def test_a_table_is_one_where_tables_count(graph: Graph) -> None:
    text = "|a|b|\n|-|:-:|\n|c|d|\n"
    assert graph.call("new.to-html", text, ["tables"]).startswith("<table>\n<thead>\n<tr>\n<th>a</th>")
    assert "<table>" not in graph.call("new.to-html", text, [])


def test_raw_html_is_left_out_unless_it_is_asked_for(graph: Graph) -> None:
    for node in ("new", "old"):
        assert "<script>" not in graph.call(f"{node}.to-html", "<script>x</script>", [])


def test_a_text_that_is_too_large_is_an_error_of_its_own(folder: Path, graph: Graph) -> None:
    with pytest.raises(GuestError) as caught:
        graph.call("new.to-html", "a" * ((16 << 20) + 1), [])
    assert caught.value.value == "too-large"


def test_what_the_c_library_would_write_its_complaints_with_is_all_it_asks_for() -> None:
    """It prints to stderr before it gives up; the C library of its own brings files and a clock along, and a graph grants none of it."""
    found = {item.name.partition("@")[0] for item in Toolchain().world(Wit(path=build("markdown").path)).imports}
    assert {one.partition("/")[0] for one in found} == {"wasi:io", "wasi:cli", "wasi:clocks", "wasi:filesystem"}
    assert not {"wasi:random/random", "wasi:cli/environment", "wasi:sockets/tcp"} & found
