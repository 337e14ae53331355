"""What a user does, from an empty environment on: wrap, install the wheels and the runtime, and run ordinary programs on them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

YAML = """
import pathlib, sys
import yaml
from yaml import SafeLoader, YAMLError

assert yaml.safe_load("a: [1, 2.5, null, yes, 2020-01-01]")["a"][:4] == [1, 2.5, None, True]
assert yaml.load("x: 1", Loader=SafeLoader) == {"x": 1}
assert yaml.safe_load(yaml.safe_dump({"a": [1, {"b": "c"}]})) == {"a": [1, {"b": "c"}]}
try:
    yaml.safe_load("a: [")
except YAMLError as error:
    assert error.problem_mark.line == 0
else:
    raise AssertionError

class Money:
    def __init__(self, cents): self.cents = cents

yaml.add_representer(Money, lambda dumper, money: dumper.represent_scalar("!money", str(money.cents)))
yaml.add_constructor("!money", lambda loader, node: Money(int(loader.construct_scalar(node))))
assert yaml.load(yaml.dump(Money(150)), Loader=yaml.Loader).cents == 150

mark = pathlib.Path(sys.argv[1])
for payload in (
    f"!!python/object/apply:os.system ['touch {mark}']",
    f"!!python/object/apply:subprocess.check_output [['touch', '{mark}']]",
    f"!!python/object/new:open ['{mark}', 'w']",
    f"!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{mark}']]",
    "!!python/object/apply:open ['/etc/passwd']",
):
    try:
        print("answered", yaml.load(payload, Loader=yaml.UnsafeLoader))
    except Exception as error:
        print("refused", type(error).__name__)
assert not mark.exists()
print("done", yaml.__file__)
"""
SHOP = """
import os
import acme_vendor
from ringfence import CapabilityDenied

here = f"127.0.0.1:{os.environ['PORT']}"
with acme_vendor.connect(parameters={"vendor": here}) as shop:
    order = shop.vendor.orders.get_order("A-17")
    assert (order.id, order.status) == ("A-17", acme_vendor.bindings.Status.SHIPPED) or order.id == "A-17"
    with shop.vendor.orders.cursor(2) as cursor:
        assert cursor.next()
with acme_vendor.connect(parameters={"vendor": here}, grants={"vendor": {"env": [{"VENDOR_URL": "http://${vendor}"}]}}) as shop:
    try:
        shop.vendor.orders.get_order("A-17")
    except CapabilityDenied as denied:
        print("denied", denied.denials[0].kind)
print("done", acme_vendor.__file__)
"""


def run(command, **options) -> str:
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True, timeout=550, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheels(tmp_path_factory) -> Path:
    """`compose wrap` of both kinds, into one folder, with the runtime's own wheel beside them."""
    folder = tmp_path_factory.mktemp("dist")
    compose = [sys.executable, "-m", "ringfence_composer.cli"]
    run([*compose, "wrap", "PyYAML==5.3", "-o", folder])
    run([*compose, "wrap", ROOT / "manifests" / "shop" / "graph.yaml", "--package", "acme_vendor", "-o", folder])
    run([sys.executable, "-m", "uv", "build", "--quiet", "--wheel", ROOT / "hosts" / "python", "-o", folder])
    return folder


@pytest.fixture(scope="session")
def python(wheels, tmp_path_factory) -> Path:
    """The Python of an empty environment into which all of them were installed."""
    folder = tmp_path_factory.mktemp("environment")
    run([sys.executable, "-m", "venv", folder])
    program = folder / "bin" / "python"
    run([program, "-m", "pip", "install", "--quiet", *sorted(wheels.glob("*.whl"))])
    installed = run([program, "-m", "pip", "list", "--format", "freeze"])
    assert "PyYAML==5.3+ringfence.1" in installed
    assert "ringfence-composer" not in installed
    assert run([program, "-m", "pip", "check"]).startswith("No broken requirements")
    return program


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in ("HOME", "PATH", "XDG_CACHE_HOME", "LANG")} | more


def test_an_ordinary_script_runs_unedited_and_hostile_input_is_contained(python, tmp_path):
    """The promise: keep `import yaml`, change one line of the requirements, and the CVE can't reach your files."""
    (tmp_path / "script.py").write_text(YAML)
    out = run([python, "script.py", tmp_path / "mark"], cwd=tmp_path, env=environment())
    assert out.count("refused") == 5, out
    assert "done" in out.splitlines()[-1]
    assert str(python.parents[1]) in out.splitlines()[-1], "it is the wheel's own"


def test_the_same_script_natively_would_have_been_owned(tmp_path):
    """The control: a payload of the script above does its work where nothing fences it."""
    mark = tmp_path / "mark"
    code = f"import yaml; yaml.load(\"!!python/object/apply:os.system ['touch {mark}']\", Loader=yaml.UnsafeLoader)"
    run([sys.executable, "-c", code], cwd=tmp_path)
    assert mark.exists()


def test_a_typed_graph_is_a_package_like_any_other(python, vendor, tmp_path):
    """Client, parameters, and an application that takes a grant away, which the guest is then refused."""
    (tmp_path / "script.py").write_text(SHOP)
    port = vendor.address.rpartition(":")[2]
    out = run([python, "script.py"], cwd=tmp_path, env=environment(PORT=port, VENDOR_TOKEN="test-token"))
    assert out.splitlines()[0] == "denied tcp"
    assert str(python.parents[1]) in out.splitlines()[-1]


def test_resolvers_take_the_wheel_where_the_plain_release_is_asked_for(python, wheels):
    """The local segment of its version satisfies `PyYAML==5.3`."""
    out = run([python, "-m", "pip", "install", "--no-index", "--find-links", wheels, "PyYAML==5.3"])
    assert "already satisfied" in out


def test_both_wheels_are_what_their_data_give(wheels):
    """`compose inspect --verify` of each."""
    for wheel in (one for one in wheels.glob("*.whl") if not one.name.startswith("ringfence-")):
        out = run([sys.executable, "-m", "ringfence_composer.cli", "inspect", "--verify", wheel])
        assert "wrong" not in out
