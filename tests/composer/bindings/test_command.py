"""`compose bindings`: what it prints and writes, and what it does where it can't."""

import pytest
from click.testing import CliRunner
from places import ROOT, SHOP
from ringfence_composer.cli import compose

COMPONENT = """
ringfence: 1
component: thing
language: python
wit: wit
world: thing
source: src
module: app
"""
GRAPH = "ringfence: 1\ngraph: own\nnodes: { thing: { component: thing } }\nexpose: [EXPOSE]\n"


def run(*words):
    return CliRunner().invoke(compose, ["bindings", *map(str, words)], catch_exceptions=False)


@pytest.fixture
def own(tmp_path):
    """`own(interface, expose)`: a graph with one component of this interface."""

    def made(interface, expose="thing"):
        folder = tmp_path / "thing"
        (folder / "wit").mkdir(parents=True, exist_ok=True)
        (folder / "src").mkdir(exist_ok=True)
        (folder / "component.yaml").write_text(COMPONENT)
        (folder / "wit" / "world.wit").write_text(f"package my:thing; {interface} world thing {{ export api; }}")
        (folder / "src" / "app.py").write_text("class Api:\n    def f(self, x): return x\n    def g(self, x): return x\n")
        (tmp_path / "graph.yaml").write_text(GRAPH.replace("EXPOSE", expose))
        return tmp_path / "graph.yaml"

    return made


def test_without_a_file_the_source_is_the_only_thing_on_stdout():
    done = run(SHOP / "graph.yaml")
    assert done.exit_code == 0
    assert done.stdout == (SHOP / "app" / "vendor_api.py").read_text()


def test_a_file_is_written_whole_and_passes_the_check(tmp_path):
    file = tmp_path / "api.py"
    done = run(SHOP / "graph.yaml", "-o", file)
    assert (done.exit_code, done.stdout) == (0, f"{file}\n")
    assert file.read_bytes() == (SHOP / "app" / "vendor_api.py").read_bytes()
    assert [one.name for one in tmp_path.iterdir()] == ["api.py"]
    assert run(SHOP / "graph.yaml", "-o", file, "--check").exit_code == 0


def test_nothing_is_built_for_it_and_no_lock_is_written(own):
    manifest = own("interface api { f: func(x: u8) -> u8; }")
    assert run(manifest).exit_code == 0
    assert sorted(one.name for one in manifest.parent.iterdir()) == ["graph.yaml", "thing"]


def test_a_stale_file_fails_the_check_with_the_difference_and_stays(own, tmp_path):
    manifest, file = own("interface api { f: func(x: u8) -> u8; }"), tmp_path / "api.py"
    run(manifest, "-o", file)
    before = file.read_bytes()
    own("interface api { f: func(x: u8) -> string; }")
    done = run(manifest, "-o", file, "--check")
    assert done.exit_code == 1
    assert f"{file} is not up to date [stale-bindings]" in done.stderr
    assert f"run: compose bindings {manifest} -o {file}" in done.stderr
    assert "-    def f(self, x: int) -> int: ..." in done.stderr
    assert "+    def f(self, x: int) -> str: ..." in done.stderr
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data + b"\n",
        lambda _: b"\xff\x1b[31m",
        lambda _: b"",
    ],
)
def test_the_check_is_of_bytes(own, tmp_path, damage):
    manifest, file = own("interface api { f: func(x: u8) -> u8; }"), tmp_path / "api.py"
    run(manifest, "-o", file)
    file.write_bytes(damage(file.read_bytes()))
    done = run(manifest, "-o", file, "--check")
    assert done.exit_code == 1
    assert "\x1b" not in done.stderr


def test_only_what_is_exposed_is_written(own):
    interface = "interface api { record a { x: u8 } record b { x: u8 } f: func(x: a) -> a; g: func(x: b) -> b; }"
    assert "def g(" in run(own(interface)).stdout
    text = run(own(interface, "{ node: thing, calls: [f] }")).stdout
    assert "def f(" in text
    assert "def g(" not in text


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["no/such/graph.yaml"], 3, "no/such/graph.yaml"),
        ([ROOT / "tests/cases/fused-to-host/graph.yaml"], 3, "problem"),
        ([SHOP / "graph.yaml", "-o", "no/such/folder/api.py"], 3, "cannot write no/such/folder/api.py"),
        ([SHOP / "graph.yaml", "-o", "no/such/folder/api.py", "--check"], 3, "cannot read no/such/folder/api.py"),
        ([SHOP / "graph.yaml", "--check"], 2, "name it with -o"),
        ([], 2, "Missing argument"),
    ],
)
def test_what_is_wrong_is_said_and_has_its_exit_code(words, code, message):
    done = run(*words)
    assert done.exit_code == code
    assert message in done.stderr
    assert done.stdout == ""


def test_what_bindings_cannot_say_is_a_problem_at_its_line(own):
    done = run(own("interface api { f: func(x: stream<u8>); }"))
    assert done.exit_code == 3
    assert "graph.yaml:4:10: expose[0]: thing: it uses streams, for which there are no bindings yet" in done.stderr


def test_a_graph_that_exposes_nothing_has_no_bindings(own):
    manifest = own("interface api { f: func(x: u8) -> u8; }")
    manifest.write_text(manifest.read_text().replace("expose: [thing]\n", ""))
    done = run(manifest)
    assert done.exit_code == 3
    assert "the graph exposes no node" in done.stderr
