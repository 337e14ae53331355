"""The C builder: what is compiled, what is refused and where, and what the memory of a guest is guarded by."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import re
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from c_guests import ASK, WIT, build, component
from ringfence import Graph, GuestTrap
from ringfence_composer.builders import archives
from ringfence_composer.builders.base import Archive, Artifact, ComponentSource
from ringfence_composer.builders.c import CBuilder, _named
from ringfence_composer.builders.snapshot import write_tree
from ringfence_composer.compose import compose_file
from ringfence_composer.errors import BuildFailed, ComposerError, DigestMismatch, InputInvalid, SourceInvalid
from ringfence_composer.toolchain import Toolchain, Wit


def errors(source: ComponentSource, cache: Path) -> list[tuple[str, int, str]]:
    with pytest.raises(SourceInvalid) as caught:
        build(source, cache)
    return [(one.file, one.line, one.reason) for one in (caught.value, *caught.value.further)]


def imports(artifact: Artifact) -> list[str]:
    return [item.name for item in Toolchain().world(Wit(path=artifact.path)).imports]


def graph_of(folder: Path, files: dict[str, str]) -> Graph:
    """The component, composed and loaded."""
    component(folder, files)
    lines = ["ringfence: 1", "component: guest", "language: c", "wit: wit", "world: guest", "source: src", f"sources: [{', '.join(files)}]"]
    (folder / "component.yaml").write_text("\n".join(lines) + "\n")
    (folder / "graph.yaml").write_text("ringfence: 1\ngraph: g\nnodes: { guest: { component: . } }\nexpose: [guest]\n")
    compose_file(folder / "graph.yaml")
    return Graph.load(folder / "graph.yaml")


def test_a_source_that_needs_nothing_makes_a_component_that_imports_nothing(tmp_path: Path, cache: Path) -> None:
    """Memory is allocated, strings are copied, a canary guards the stack: none of it needs the host."""
    text = ASK.replace("return", 'char b[32]; char *p = malloc(number + 1); strncpy(b, p ? p : "", 31); free(p); return b[0] * 0 +')
    found = build(component(tmp_path, {"a.c": "#include <stdlib.h>\n#include <string.h>\n" + text}), cache)
    assert imports(found) == []
    printing = ASK.replace("return", 'printf("%u", number); return')
    with_wasi = build(component(tmp_path / "b", {"a.c": "#include <stdio.h>\n" + printing}), cache)
    assert "wasi:cli/stdout" in " ".join(imports(with_wasi)), "the control: what it needs, it imports"


@pytest.mark.parametrize(("written", "told"), [("list<u8, 4>", "a list of fixed length"), ("list<list<u8, 4>>", "a list of fixed length")])
def test_a_type_without_bindings_is_told_where_it_stands(tmp_path: Path, cache: Path, written: str, told: str) -> None:
    """The maker of bindings ends with an internal error of its own there; in a comment it is nothing."""
    one = component(tmp_path, {"a.c": ASK})
    text = (one.wit / "world.wit").read_text()
    (one.wit / "world.wit").write_text(text.replace("number: u32", f"number: {written}"))
    found = errors(one, cache)
    assert [each[:2] for each in found] == [("world.wit", 2)]
    assert told in found[0][2]
    (one.wit / "world.wit").write_text(f"{text}// {written}\n")
    build(one, cache)


def test_equal_sources_make_equal_components_in_whatever_folder(tmp_path: Path, cache: Path) -> None:
    text = ASK.replace("return", "static const char here[] = __FILE__; return here[number % 2] +")
    one = build(component(tmp_path / "one", {"a.c": text}), cache)
    (cache / "build").rename(cache / "another-machine's")
    two = build(component(tmp_path / "deeper/two", {"a.c": text}), cache)
    assert (one.inputs, one.digest) == (two.inputs, two.digest)
    other = build(component(tmp_path / "three", {"a.c": text}, defines=("X=1",)), cache)
    assert other.inputs != one.inputs


def test_all_errors_of_all_sources_come_with_their_places(tmp_path: Path, cache: Path) -> None:
    found = errors(
        component(tmp_path, {"a.c": ASK + "int f(void) { return x; }\n", "b.c": '#include "inner.h"\n', "inner.h": "\nint 5;\n"}), cache
    )
    assert [one[:2] for one in found] == [("a.c", 3), ("inner.h", 2)]
    assert "undeclared identifier 'x'" in found[0][2]


def test_warnings_are_shown_as_the_compiler_wrote_them(tmp_path: Path, cache: Path) -> None:
    notes: list[str] = []
    build(component(tmp_path, {"a.c": ASK + "int f(char *a) { return a == 5; }\n"}), cache, notes)
    assert len(notes) == 1
    assert "a.c:3:27: warning: comparison between pointer and integer" in notes[0]
    assert "^" in notes[0]


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("b.c", "\n#include <setjmp.h>\n", ("b.c", 2, "it uses setjmp and longjmp")),
        (
            "b.c",
            "#include <pthread.h>\nint f(pthread_t *t) {\n return pthread_create(t, 0, 0, 0); }\n",
            ("b.c", 3, "it uses threads (pthread_create)"),
        ),
        ("b.c", '#include <dlfcn.h>\nvoid *f(void) { return dlopen("x", 0); }\n', ("b.c", 2, "it uses dynamic loading (dlopen)")),
        ("b.cpp", "int f(int x) {\n if (x) throw 1;\n return 2; }\n", ("b.cpp", 2, "it uses C++ exceptions")),
        ("b.c", "int _setjmp(void *);\nint f(void *b) { return _setjmp(b); }\n", ("b.c", 1, "it uses setjmp and longjmp (_setjmp)")),
        ("b.c", "int execv(const char *, char **);\nint f(void) { return execv(0, 0); }\n", ("b.c", 1, "it uses processes (execv)")),
        ("b.c", "// setjmp?\nint f(void) {\n return fork(); }\n", ("b.c", 3, "it uses processes (fork)")),
        ("b.c", "void *b[5];\nint f(void) { return __builtin_setjmp(b); }\n", ("b.c", 2, "it uses setjmp and longjmp")),
        (
            "b.c",
            '/* no dlopen\n */\nconst char *s = "dlopen\\"";\nvoid *dlopen(const char *, int);\nvoid *f(void) { return dlopen(s, 0); }\n',
            ("b.c", 4, "it uses dynamic loading (dlopen)"),
        ),
        ("b.cpp", "#include <thread>\nvoid f() {\n std::thread([] {}).join(); }\n", ("b.cpp", 3, "it uses threads")),
        ("b.cpp", "#include <mutex>\nstd::mutex held;\n", ("b.cpp", 2, "it uses threads")),
    ],
)
def test_what_a_guest_has_not_is_said_with_its_place(file: str, text: str, told: tuple[str, int, str], tmp_path: Path, cache: Path) -> None:
    """The C library has stand-ins that fail when they are called: found out in production."""
    assert errors(component(tmp_path, {"a.c": ASK, file: text}), cache) == [told]


def test_what_a_guest_has_not_is_found_in_a_header(tmp_path: Path, cache: Path) -> None:
    header = "// dlopen\n#include <dlfcn.h>\n\nstatic inline void *f(void) { return dlopen(0, 0); }\n"
    source = component(tmp_path, {"a.c": ASK, "b.c": '#include "b.h"\nvoid *g(void) { return f(); }\n', "b.h": header})
    assert errors(source, cache) == [("b.h", 4, "it uses dynamic loading (dlopen)")]


def test_what_the_c_library_has_instead_of_signals_is_one_line_of_the_manifest(tmp_path: Path, cache: Path) -> None:
    text = ASK + "#include <signal.h>\nvoid *f(void) { return signal(SIGINT, SIG_IGN); }\n"
    with pytest.raises(SourceInvalid, match=r"lacks signal support") as caught:
        build(component(tmp_path / "one", {"a.c": text}), cache)
    assert (caught.value.hint or "").startswith("write _WASI_EMULATED_SIGNAL under `defines:`")
    assert build(component(tmp_path / "two", {"a.c": text}, defines=("_WASI_EMULATED_SIGNAL",)), cache)


def test_cpp_without_exceptions_is_built(tmp_path: Path) -> None:
    text = "#include <string>\nextern \"C\" int twice(int x) { std::string s(x, 'a'); return (s + s).size(); }\n"
    calling = ASK.replace("number + 1", "twice(number)").replace("\n", "\nint twice(int);\n", 1)
    with graph_of(tmp_path, {"a.c": calling, "b.cpp": text}) as graph:
        assert graph.call("guest.ask", 21) == 42


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('#include "guest.h"\n', "its sources lack what its world exports: exports_test_guest_probe_ask"),
        (
            "#include <stdint.h>\nuint64_t exports_test_guest_probe_ask(uint32_t n) { return n; }\n",
            "has another signature than its WIT says",
        ),
        (ASK.replace("number + 1", "elsewhere(number)").replace("\n", "\nint elsewhere(int);\n", 1), "nothing defines elsewhere"),
    ],
)
def test_what_does_not_join_is_refused(text: str, message: str, tmp_path: Path, cache: Path) -> None:
    with pytest.raises(BuildFailed, match=message):
        build(component(tmp_path, {"a.c": text}), cache)


def test_what_is_defined_twice_is_told_with_both_places(tmp_path: Path, cache: Path) -> None:
    """The linker knows the objects, which nobody else does."""
    files = {"a.c": ASK, "b.c": "int f(void) { return 1; }\n", "c/d.c": "int f(void) { return 2; }\nvoid __stack_chk_fail(void) {}\n"}
    with pytest.raises(BuildFailed) as caught:
        build(component(tmp_path, files), cache)
    found = str(caught.value)
    assert "f is defined in b.c and in c/d.c" in found
    assert "__stack_chk_fail is defined in ../bindings/ringfence.guard.c and in c/d.c" in found


@pytest.mark.parametrize(
    "how",
    [
        '#include "{}"\n',
        'const char secret[] = {{\n#embed "{}"\n}};\n',
        'asm(".incbin \\"{}\\"");\n',
        'asm(".inc" "bin \\"{}\\"");\n',
        'void f(void) {{ asm volatile(".inc" "lude \\"{}\\""); }}\n',
    ],
)
def test_a_file_of_the_developers_is_not_compiled_in(how: str, tmp_path: Path, cache: Path) -> None:
    """A library could otherwise carry a key away in a component that may talk to the network."""
    secret = tmp_path / "secret.h"
    secret.write_text("int secret = 42;\n")
    with pytest.raises(ComposerError, match=r"was compiled in|inline assembly is disabled"):
        build(component(tmp_path / "one", {"a.c": how.format(secret) + ASK}), cache)


def test_a_compiler_in_a_folder_with_spaces_is_known_as_such() -> None:
    """A developer's environment may lie anywhere; no name that only looks like the compiler's may hide another file."""
    zig = Path("/home/a b#/$x/zig")
    listing = "it.o: a.c \\\n  /home/a\\ b\\#/$$x/zig/lib/string.h ../bindings/guest.h \\\n  x\\ /etc/passwd\n"
    assert list(_named(listing, [Path("/other"), zig])) == ["a.c", f"{zig}/lib/string.h", "../bindings/guest.h", "x\\", "/etc/passwd"]
    for other in ("/home/a\\ b\\#/$$x/zigzag/secret", "/home/me/home/a\\ b\\#/$$x/zig/secret", "/home/me\\ /home/a\\ b\\#/$$x/zig/secret"):
        assert any(not Path(one).is_relative_to(zig) for one in _named(f"it.o: {other}\n", [zig])), other


@pytest.mark.parametrize("name", ["b.s", "b.S", "b.ll"])
def test_assembly_is_no_source(name: str, tmp_path: Path) -> None:
    """It could take in any file, and nothing would tell which."""
    with pytest.raises(InputInvalid, match=rf"{name} is neither C nor C\+\+"):
        CBuilder().check(component(tmp_path, {"a.c": ASK, name: '.incbin "/etc/passwd"\n'}))


def test_assembly_without_a_word_is_compiled(tmp_path: Path, cache: Path) -> None:
    """Libraries keep the compiler from reordering by it, and name their symbols."""
    text = 'asm("");\nint twice(int) asm("other");\nint other(int x) { asm volatile("" : "+r"(x) :: "memory"); return x + x; }\n'
    assert build(component(tmp_path, {"a.c": text + ASK.replace("number + 1", "twice(number)")}), cache)


def test_what_can_be_seen_without_a_compiler_is_said_before_one_is_run(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match=r"there is no b\.c in the source folder"):
        CBuilder().check(component(tmp_path, {"a.c": ASK}, sources=("a.c", "b.c")))


# What guards the memory of a guest


@pytest.mark.parametrize(
    ("body", "harmless", "harmful"),
    [
        ("char b[16]; volatile char *p = b; for (uint32_t i = 0; i < number; i++) p[i] = 65; return p[0];", 16, 40),
        ("char b[16]; volatile char *p = b; for (uint32_t i = 0; i < number; i++) p[i] = 65; return p[0];", 16, 1000),
        ("volatile char b[4096]; b[number] = 1; return number ? exports_test_guest_probe_ask(number - 1) + b[number] : 1;", 10, 4000),
    ],
    ids=["an overrun by a little", "an overrun by much", "an overflow of the stack"],
)
def test_what_would_corrupt_memory_traps(body: str, harmless: int, harmful: int, tmp_path: Path) -> None:
    """Without the guards both go on with other data changed; the next call finds a new instance."""
    with graph_of(tmp_path, {"a.c": ASK.replace("return number + 1;", body)}) as graph:
        good = graph.call("guest.ask", harmless)
        with pytest.raises(GuestTrap):
            graph.call("guest.ask", harmful)
        assert graph.call("guest.ask", harmless) == good


def test_a_world_of_any_name_is_guarded(tmp_path: Path, cache: Path) -> None:
    """Its bindings lie beside the guard. In the place of that the linker takes the C library's, which imports random numbers."""
    body = "char b[16]; volatile char *p = b; for (uint32_t i = 0; i < number; i++) p[i] = 65; return p[0];"
    source = ASK.replace("return number + 1;", body).replace("guest.h", "ringfence_guard.h")
    written = replace(component(tmp_path, {"a.c": source}), world="ringfence-guard")
    (tmp_path / "wit/world.wit").write_text(WIT.replace("world guest", "world ringfence-guard"))
    assert imports(build(written, cache)) == []


def test_nothing_left_on_the_stack_shows_in_an_answer(tmp_path: Path) -> None:
    text = """#include "guest.h"
__attribute__((noinline)) static void leave(void) { volatile uint32_t b[64]; for (int i = 0; i < 64; i++) b[i] = 0xdeadbeef; }
__attribute__((noinline)) static uint32_t take(uint32_t i) { volatile uint32_t b[64]; return b[i]; }
uint32_t exports_test_guest_probe_ask(uint32_t number) { leave(); return take(number); }
"""
    with graph_of(tmp_path, {"a.c": text}) as graph:
        assert [graph.call("guest.ask", place) for place in (0, 7, 63)] == [0, 0, 0]


# Archives


def packed(files: dict[str, str], *, link: bool = False) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in files.items():
            one = tarfile.TarInfo(f"lib-1.0/{name}")
            one.size = len(text)
            archive.addfile(one, io.BytesIO(text.encode()))
        if link:
            one = tarfile.TarInfo("lib-1.0/link.c")
            one.type, one.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(one)
    return content.getvalue()


LIBRARY = {
    "lib.h": "int twice(int);\n",
    "lib.c": '#include "lib.h"\nint twice(int x) {\n    return x + x;\n}\n',
    "configure": "#!/bin/sh\ntouch it-ran\n",
}
USES = '#include "guest.h"\n#include <lib.h>\nuint32_t exports_test_guest_probe_ask(uint32_t n) { return twice(n); }\n'
PATCH = '--- a/lib.c\n+++ b/lib.c\n@@ -1,4 +1,4 @@\n #include "lib.h"\n int twice(int x) {\n-    return x + x;\n+    return 2 * x;\n }\n'


def with_library(folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, patch: str | None = None) -> ComponentSource:
    """A component that is made of its own source and a library's archive, which the registry gives as `content`."""
    monkeypatch.setattr(archives, "_downloaded", lambda _: content)
    patches: tuple[Path, ...] = ()
    if patch is not None:
        write_tree({"fix.patch": patch.encode()}, folder / "patches")
        patches = (folder / "patches/fix.patch",)
    one = Archive(registry="pypi", name="lib", version="1.0", sha256=hashlib.sha256(content).hexdigest(), patches=patches)
    return component(folder, {"a.c": USES}, sources=("a.c", "lib/lib.c"), include=("lib",), archives=(one,))


def test_a_library_is_compiled_from_its_archive_and_patches(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = build(with_library(tmp_path / "one", monkeypatch, packed(LIBRARY, link=True)), cache)
    assert imports(one) == []
    assert build(with_library(tmp_path / "two", monkeypatch, packed(LIBRARY), PATCH), cache).inputs != one.inputs
    assert not list(tmp_path.rglob("it-ran"))
    monkeypatch.setattr(archives, "_downloaded", lambda _: pytest.fail("fetched again"))
    again = with_library(tmp_path / "three", monkeypatch, packed(LIBRARY), PATCH.replace("2 * x", "x * 2"))
    build(again, cache)


def test_each_of_two_patches_of_one_name_counts(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was changed, and the old component taken from the cache, would be a fix that nobody got."""
    source = with_library(tmp_path, monkeypatch, packed(LIBRARY), PATCH)
    write_tree({"more/fix.patch": b"--- a/lib.h\n+++ b/lib.h\n@@ -1 +1 @@\n-int twice(int);\n+int twice(int x);\n"}, tmp_path / "patches")
    first, second = tmp_path / "patches/fix.patch", tmp_path / "patches/more/fix.patch"
    source = dataclasses.replace(source, archives=(dataclasses.replace(source.archives[0], patches=(first, second)),))
    before = build(source, cache)
    first.write_text(PATCH.replace("2 * x", "3 * x"))
    changed = build(source, cache)
    assert (changed.inputs != before.inputs, changed.digest != before.digest) == (True, True)
    second.write_text(second.read_text().replace("int x);", "int y);"))
    assert build(source, cache).inputs != changed.inputs


def test_an_archive_with_another_digest_is_refused(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = with_library(tmp_path, monkeypatch, packed(LIBRARY))
    other = dataclasses.replace(source.archives[0], sha256="0" * 64)
    with pytest.raises(DigestMismatch, match="archive lib 1.0: expected sha256:0000"):
        build(dataclasses.replace(source, archives=(other,)), cache)


@pytest.mark.parametrize("other", [{"version": "1.1"}, {"name": "libother"}, {"registry": "npm"}])
def test_an_archive_that_is_kept_is_that_of_its_name_and_version_only(
    other: dict[str, str], tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that no registry has would be found here and nowhere else, and go into reports as it is written."""
    source = with_library(tmp_path, monkeypatch, packed(LIBRARY))
    build(source, cache)
    monkeypatch.setattr(archives, "_downloaded", lambda archive: (_ for _ in ()).throw(OSError(f"no such {archive.version}")))
    build(dataclasses.replace(source, defines=("A",)), cache)
    with pytest.raises(BuildFailed, match="cannot be fetched: no such"):
        one = dataclasses.replace(source.archives[0], **other)
        sources = tuple(path.replace("lib/", f"{one.name}/") for path in source.sources)
        build(dataclasses.replace(source, archives=(one,), sources=sources), cache)


@pytest.mark.parametrize("content", [b"", b"no archive", packed(LIBRARY)[:60]], ids=["empty", "text", "cut off"])
def test_an_archive_that_is_none_is_refused(content: bytes, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BuildFailed, match="archive lib 1.0 cannot be unpacked"):
        build(with_library(tmp_path, monkeypatch, content), cache)


def zipped(method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, text in LIBRARY.items():
            archive.writestr(f"lib-1.0/{name}", text)
    return content.getvalue()


@pytest.mark.parametrize(("place", "value"), [(8, b"\x61\0"), (6, b"\x01\0"), (50, b"\xff" * 20)], ids=["method", "encrypted", "damaged"])
def test_a_zip_archive_that_cannot_be_read_is_refused(
    place: int, value: bytes, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it is broken, it is an error of the build, and no traceback of the program's."""
    content = bytearray(zipped())
    content[place : place + len(value)] = value
    if place < 30:  # so it is in the directory at the end, two bytes further on
        central = content.index(b"PK\x01\x02") + place + 2
        content[central : central + 2] = value
    with pytest.raises(BuildFailed, match=r"archive lib 1\.0 cannot be unpacked"):
        build(with_library(tmp_path / "one", monkeypatch, bytes(content)), cache)
    assert build(with_library(tmp_path / "two", monkeypatch, zipped()), cache), "the control"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"../../../x.c": ""}, "a file is called 'lib-1.0/../../../x.c'"),
        ({"lib.c/inner.c": ""}, "lies in a file"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(
    files: dict[str, str], told: str, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputInvalid, match=re.escape(told)):
        build(with_library(tmp_path, monkeypatch, packed({**LIBRARY, **files})), cache)


def test_a_file_that_is_too_large_is_refused_not_left_out(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", 40)
    with pytest.raises(BuildFailed, match="a file in it has more than"):
        build(with_library(tmp_path, monkeypatch, packed(LIBRARY)), cache)


def test_a_file_that_is_not_in_its_archive_is_named(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = dataclasses.replace(with_library(tmp_path, monkeypatch, packed(LIBRARY)), sources=("a.c", "lib/lob.c"))
    with pytest.raises(InputInvalid, match=r"there is no lib/lob\.c in its archive") as caught:
        build(source, cache)
    assert "lib/lib.c" in (caught.value.hint or "")


def test_a_patch_that_no_longer_applies_is_told_with_its_line(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = PATCH.replace(" int twice(int x) {", " int twice(long x) {")
    found = errors(with_library(tmp_path, monkeypatch, packed(LIBRARY), stale), cache)
    assert found == [("../patches/fix.patch", 3, "it no longer applies: lib.c differs from what stands here, at its line 1")]
