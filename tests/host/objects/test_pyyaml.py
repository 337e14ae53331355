"""PyYAML 5.3, whose `yaml.load` runs code: it works, and what its known payloads do natively, they do not do here.

Each payload is run natively, to see that it is one, and fenced; some with the grants that they need, to see that they would work.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import wrapping
from ringfence.objects.errors import StaleObject
from ringfence_composer.builders.snapshot import write_tree


@pytest.fixture(scope="module")
def yaml(wrapped_yaml):
    return wrapped_yaml.module("yaml")


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    """The same release, natively: runs a payload in a process of its own."""
    folder = tmp_path_factory.mktemp("native")
    write_tree(wrapping.pyyaml(), folder)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import yaml; print(repr(yaml.load(sys.argv[2], Loader=getattr(yaml, sys.argv[3]))))"
    )

    def load(text: str, loader: str) -> str:
        environment = {"PATH": os.defpath, "SECRET": "swordfish"}
        command = [sys.executable, "-I", "-c", script, str(folder), text, loader]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False).stdout

    return load


def test_values_are_loaded_and_dumped(yaml):
    text = "a: [1, 2.5, null, true, 2001-12-14]\nb: !!binary aGk=\nc: !!set {x, y}\nd: &d [1]\ne: *d\n"
    found = yaml.safe_load(text)
    assert found["a"][:4] == [1, 2.5, None, True]
    assert found["b"] == b"hi"
    assert found["c"] == {"x", "y"}
    assert found["d"] is found["e"]
    assert yaml.safe_load(yaml.safe_dump(found)) == found
    assert yaml.safe_load(io.StringIO("x: 1")) == {"x": 1}
    assert list(yaml.safe_load_all("a\n---\nb")) == ["a", "b"]
    stream = io.BytesIO()
    yaml.safe_dump({"é": 1}, stream, encoding="utf-8", allow_unicode=True)
    assert stream.getvalue() == "é: 1\n".encode()


def test_an_error_tells_where(yaml):
    with pytest.raises(yaml.YAMLError) as caught:
        yaml.safe_load("a: [")
    error = caught.value
    assert isinstance(error, yaml.MarkedYAMLError)
    assert (error.problem_mark.line, error.problem_mark.column) == (0, 4)
    assert "line 1, column 5" in str(error)


def test_constructors_and_representers_are_the_applications(yaml):
    class Loader(yaml.SafeLoader):
        pass

    class Dice:
        def __init__(self, text):
            self.text = text

    Loader.add_constructor("!dice", lambda loader, node: Dice(loader.construct_scalar(node)))
    found = yaml.load("- !dice 3d6", Loader=Loader)
    assert type(found[0]) is Dice
    assert found[0].text == "3d6"
    with pytest.raises(yaml.YAMLError, match="could not determine a constructor"):
        yaml.safe_load("!dice 3d6")

    class Dumper(yaml.SafeDumper):
        pass

    Dumper.add_representer(Dice, lambda dumper, value: dumper.represent_scalar("!dice", value.text))
    assert yaml.dump([Dice("1d4")], Dumper=Dumper) == "- !dice '1d4'\n"


def test_an_object_of_yaml_is_the_applications(yaml):
    class Monster(yaml.YAMLObject):
        yaml_tag = "!Monster"
        yaml_loader = yaml.SafeLoader

        def __init__(self, name):
            self.name = name

    found = yaml.safe_load("!Monster {name: Orc}")
    assert type(found) is Monster
    assert found.name == "Orc"
    assert yaml.dump(Monster("Elf")) == "!Monster\nname: Elf\n"


def python(path):
    return f"!!python/object/apply:{path}"


PAYLOADS = {
    "reads through linecache": f"{python('linecache.getlines')} [PLACE/marker]",
    "lists a folder": f"{python('os.listdir')} [PLACE]",
    "writes a file": f"{python('os.mkdir')} [PLACE/made]",
    "reads a variable": f"{python('os.getenv')} [SECRET]",
    "starts a process": f"{python('os.system')} ['touch PLACE/made']",
    "starts a process by subprocess": f"{python('subprocess.check_output')} [[touch, PLACE/made]]",
    "evaluates": f"{python('builtins.eval')} ['open(\"PLACE/marker\").read()']",
    "executes": f"{python('builtins.exec')} ['open(\"PLACE/made\", \"w\").close()']",
    "by object/new": "!!python/object/new:os.mkdir [PLACE/made]",
    "by module and name": f"{python('builtins.eval')} ['__import__(\"os\").mkdir(\"PLACE/made\")']",
    "by map": '!!python/object/new:tuple [!!python/object/new:map [!!python/name:eval , ["__import__(\'os\').mkdir(\'PLACE/made\')"]]]',
    "by extend": (
        "!!python/object/new:type {args: [z, !!python/tuple [], {extend: !!python/name:exec }], "
        "listitems: \"__import__('os').mkdir('PLACE/made')\"}"
    ),
    "by setstate": (
        '!!python/object/new:str {args: [], state: !!python/tuple ["__import__(\'os\').mkdir(\'PLACE/made\')", '
        '!!python/object/new:staticmethod {args: [0], state: {update: !!python/name:exec }}]}'
    ),
}  # fmt: skip


@pytest.fixture
def place(tmp_path):
    (tmp_path / "marker").write_text("swordfish")
    return tmp_path


def effect(place: Path, shown: str) -> bool:
    """Whether the payload did what it is for."""
    return (place / "made").exists() or "swordfish" in shown or "'marker'" in shown


def attempt(yaml, text: str, loader: str) -> str:
    warnings.simplefilter("ignore", ResourceWarning)  # payloads leave files open
    try:
        return repr(yaml.load(text, Loader=getattr(yaml, loader)))
    except Exception as error:
        return str(error)


@pytest.mark.parametrize("loader", ["UnsafeLoader", "FullLoader"])
@pytest.mark.parametrize("name", PAYLOADS)
def test_what_a_payload_does_natively_it_does_not_do_fenced(name, loader, yaml, native, place, monkeypatch):
    """Some are payloads for the one loader only; each must be one for one of them."""
    text = PAYLOADS[name].replace("PLACE", str(place))
    does = effect(place, native(text, loader))
    if not does:
        assert loader == "FullLoader" or effect(place, native(text, "FullLoader"))
    (place / "made").rmdir() if (place / "made").is_dir() else (place / "made").unlink(missing_ok=True)
    monkeypatch.setenv("SECRET", "swordfish")
    assert not effect(place, attempt(yaml, text, loader))


def test_with_the_grants_they_would_work(wrap, monkeypatch, tmp_path):
    """The control: it is the grants that keep them from it, and nothing else."""
    place = tmp_path / "place"
    place.mkdir()
    (place / "marker").write_text("swordfish")
    files = f"[{{ path: place, as: {place}, access: [read, write, create, delete] }}]"
    grant = f"application: values, env: [SECRET], files: {files}"
    monkeypatch.setenv("SECRET", "swordfish")
    monkeypatch.chdir(tmp_path)
    made = wrap("pyyaml", wrapping.pyyaml(), grant=grant)
    yaml = made.module("yaml")
    for name in ("reads through linecache", "lists a folder", "writes a file", "reads a variable", "evaluates", "by module and name"):
        text = PAYLOADS[name].replace("PLACE", str(place))
        assert effect(place, attempt(yaml, text, "UnsafeLoader")), name
        if (place / "made").is_dir():
            (place / "made").rmdir()
    narrow = made.module("yaml", grants={})
    for name in PAYLOADS:
        assert not effect(place, attempt(narrow, PAYLOADS[name].replace("PLACE", str(place)), "UnsafeLoader")), name


def test_an_endless_one_ends_at_the_deadline(wrap):
    """And the next call gets a new instance."""
    yaml = wrap("pyyaml", wrapping.pyyaml(), limits="deadline: 2s").module("yaml")
    node = yaml.compose("a")
    with pytest.raises(TimeoutError):
        yaml.load(f"{python('builtins.eval')} ['sum(1 for _ in iter(int, 1))']", Loader=yaml.UnsafeLoader)
    assert yaml.safe_load("a: 1") == {"a": 1}
    with pytest.raises(StaleObject):
        node.value  # noqa: B018


def test_billions_of_laughs_are_counted_once(yaml):
    text = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 50))
    found = yaml.safe_load(text)
    assert found["a49"][0] is found["a49"][1]
