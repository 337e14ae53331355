"""components/markdown and the same component on a release of its library from 2020, which a text kills: fenced, and built natively.

The old release is patched in one place, which has no part in any of this: appending to a list no longer walks along all of it. Every attack
needs 65,536 cells in a row, which took half a minute. The parser of tables is as it was released. And its component keeps what it parses
on the ordinary heap, as most programs do: there an overrun meets what outlives the call.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from places import ROOT
from ringfence.contract.layout import user_cache
from ringfence_composer.build import source_of
from ringfence_composer.builders.archives import archive_files
from ringfence_composer.builders.base import BuildContext, file_digests
from ringfence_composer.builders.c import zig_version
from ringfence_composer.builders.snapshot import write_tree
from ringfence_composer.compose import compose_file
from ringfence_composer.manifest.component import load_component

NEW, OLD = "markdown", "markdown-old"
CURRENT = "version: 2024.11.20, sha256: 5dd01cf61975a8a57213cdef5ed870e936032f13fe93d60ddf659ffb9cf73c6a"
FORMER = "version: 0.6.0, sha256: ec2bf8d5799c4b5bbfbae30a4a1dfcb06512f2e17e9ee60ba7e1d390318582fc, patches: [append.patch]"
ON_THE_HEAP = {
    "cmark_get_arena_mem_allocator()": "cmark_get_default_mem_allocator()",
    "cmark_arena_reset();": "cmark_node_free(document); cmark_parser_free(parser);",
}
GRAPH = """
ringfence: 1
graph: rendered
nodes:
  new: { component: components/markdown, limits: { memory: 64MiB, deadline: 30s } }
  old: { component: components/markdown-old, limits: { memory: 64MiB, deadline: 30s } }
  old-pooled: { component: components/markdown-old, limits: { memory: 64MiB, deadline: 30s }, instances: pooled }
expose: [new, old, old-pooled]
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


def composed(folder: Path) -> Path:
    """A graph of both, composed in an empty folder."""
    shutil.copytree(ROOT / "wit/markdown", folder / "wit/markdown")
    for name in (NEW, OLD):
        shutil.copytree(ROOT / "components/markdown", folder / "components" / name)
    shutil.copy(Path(__file__).parent / "markdown_old/append.patch", folder / "components" / OLD)
    replace(folder / "components" / OLD / "component.yaml", {CURRENT: FORMER, f"component: {NEW}": f"component: {OLD}"})
    replace(folder / "components" / OLD / "src/renderer.c", ON_THE_HEAP)
    (folder / "graph.yaml").write_text(GRAPH)
    compose_file(folder / "graph.yaml")
    return folder


def replace(file: Path, words: dict[str, str]) -> None:
    text = file.read_text()
    for old, new in words.items():
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)


def built_natively(folder: Path, name: str) -> Path:
    """A program of a release for this machine, kept beside the composer's builds and made once for all that goes into it.

    Without the checks that zig compiles in by itself: what ends it is the operating system or the C library's heap, as everywhere.
    """
    source, work = source_of(load_component(folder / "components" / name)), folder / "native" / name
    files = archive_files(source, source.archives[0], BuildContext(cache=user_cache()))
    compiled = [one for one in source.sources if one.startswith("cmarkgfm/")]
    options = ["-O2", "-fno-sanitize=all", "-w", *(f"-D{one}" for one in source.defines), *(f"-I{one}" for one in source.include)]
    inputs = repr((zig_version(), options, compiled, NATIVE, sorted(file_digests(files).items())))
    kept = user_cache() / "native" / hashlib.sha256(inputs.encode()).hexdigest()
    if not kept.exists():
        write_tree({f"cmarkgfm/{path}": content for path, content in files.items()} | {"main.c": NATIVE.encode()}, work)
        command = [sys.executable, "-m", "ziglang", "cc", *options, "main.c", *compiled, "-o", "native"]
        env = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(user_cache() / "zig")}
        subprocess.run(command, cwd=work, env=env, check=True, timeout=500)
        kept.parent.mkdir(exist_ok=True)
        shutil.copy(work / "native", kept.with_name(f"{kept.name}.{os.getpid()}"))
        kept.with_name(f"{kept.name}.{os.getpid()}").replace(kept)
    return kept


def run_natively(program: Path, text: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([program], input=text.encode(), capture_output=True, check=False, timeout=120)
