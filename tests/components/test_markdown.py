"""components/markdown: a C library from its archive behind a typed WIT, and an old release of it that a text of 400 kB kills natively."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ringfence import Graph, GuestError, RingfenceError
from ringfence.contract.layout import user_cache
from ringfence_composer.build import source_of
from ringfence_composer.builders.archives import archive_files
from ringfence_composer.builders.base import BuildContext
from ringfence_composer.builders.snapshot import write_tree
from ringfence_composer.compose import compose_file
from ringfence_composer.manifest.component import load_component
from ringfence_composer.toolchain import Toolchain, Wit

from .conftest import ROOT, build

CURRENT = "version: 2024.11.20, sha256: 5dd01cf61975a8a57213cdef5ed870e936032f13fe93d60ddf659ffb9cf73c6a"
OLD = "version: 0.6.0, sha256: ec2bf8d5799c4b5bbfbae30a4a1dfcb06512f2e17e9ee60ba7e1d390318582fc"
ATTACK = "|a|\n|" + "-|" * 65536 + "\n"
"""CVE-2022-24724: the columns of a table are counted in 16 bits. 65,536 are none, and the cells are written behind an empty array."""

GRAPH = """
ringfence: 1
graph: rendered
nodes:
  new: { component: components/markdown, limits: { memory: 64MiB, deadline: 10s } }
  old: { component: components/markdown-old, limits: { memory: 64MiB, deadline: 10s } }
expose: [new, old]
"""
NATIVE = """
#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm-extension_api.h>
#include <cmark-gfm.h>
#include <stdio.h>
static char text[1 << 20];
int main(void) {
    size_t length = fread(text, 1, sizeof text, stdin);
    cmark_gfm_core_extensions_ensure_registered();
    cmark_parser *parser = cmark_parser_new(0);
    cmark_parser_attach_syntax_extension(parser, cmark_find_syntax_extension("table"));
    cmark_parser_feed(parser, text, length);
    puts(cmark_render_html(cmark_parser_finish(parser), 0, cmark_parser_get_syntax_extensions(parser)));
    return 0;
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The component, and the same sources on an old release."""
    folder = tmp_path_factory.mktemp("rendered")
    shutil.copytree(ROOT / "wit/markdown", folder / "wit/markdown")
    shutil.copytree(ROOT / "components/markdown", folder / "components/markdown")
    shutil.copytree(ROOT / "components/markdown", folder / "components/markdown-old")
    manifest = folder / "components/markdown-old/component.yaml"
    text = manifest.read_text()
    assert CURRENT in text
    manifest.write_text(text.replace(CURRENT, OLD).replace("component: markdown", "component: markdown-old"))
    (folder / "graph.yaml").write_text(GRAPH)
    compose_file(folder / "graph.yaml")
    return folder


@pytest.fixture(scope="module")
def graph(folder: Path) -> Iterator[Graph]:
    with Graph.load(folder / "graph.yaml") as graph:
        yield graph
        assert not graph.all_denials, "it asks for nothing"


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


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_what_kills_the_old_release_natively_leaves_host_and_next_call_alone(folder: Path, graph: Graph, tmp_path: Path) -> None:
    native = built_natively(folder, tmp_path)
    assert run_natively(native, "*a*").stdout == b"<p><em>a</em></p>\n\n", "the control: natively, too, it works"
    assert run_natively(native, ATTACK).returncode < 0, "natively the attack ends the process"
    for _ in range(3):
        assert ended(graph) in ("answer", "trap", "limit", "deadline"), "a wrong answer or a typed error, and no state of it remains"
        assert graph.call("old.to-html", "*a*", ["tables"]) == "<p><em>a</em></p>\n"
    assert graph.call("new.to-html", ATTACK, ["tables"]).startswith("<p>|a|"), "the current release is not to be caught"


def ended(graph: Graph) -> str:
    """How the attack on the old release ends: with an answer, or as which error."""
    try:
        graph.call("old.to-html", ATTACK, ["tables"])
    except RingfenceError as error:
        return error.code
    return "answer"


def built_natively(folder: Path, target: Path) -> Path:
    """A program of the old release for this machine; zig's cache keeps what it compiled."""
    source = source_of(load_component(folder / "components/markdown-old"))
    files = archive_files(source, source.archives[0], BuildContext(cache=user_cache()))
    write_tree({f"cmarkgfm/{path}": content for path, content in files.items()} | {"main.c": NATIVE.encode()}, target)
    compiled = [one for one in source.sources if one.startswith("cmarkgfm/")]
    options = [*(f"-D{one}" for one in source.defines), *(f"-I{one}" for one in source.include)]
    command = [sys.executable, "-m", "ziglang", "cc", "-O1", "-w", *options, "main.c", *compiled, "-o", "native"]
    env = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(user_cache() / "zig")}
    subprocess.run(command, cwd=target, env=env, check=True, timeout=500)
    return target / "native"


def run_natively(program: Path, text: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([program], input=text.encode(), capture_output=True, check=False, timeout=60)


def test_what_the_c_library_would_write_its_complaints_with_is_all_it_asks_for() -> None:
    """It prints to stderr before it gives up; the C library of its own brings files and a clock along, and a graph grants none of it."""
    found = {item.name.partition("@")[0] for item in Toolchain().world(Wit(path=build("markdown").path)).imports}
    assert {one.partition("/")[0] for one in found} == {"wasi:io", "wasi:cli", "wasi:clocks", "wasi:filesystem"}
    assert not {"wasi:random/random", "wasi:cli/environment", "wasi:sockets/tcp"} & found
