"""Every function of WASI 0.2 is served, as the pinned WIT packages list them, and of wit/files: one that is missing is noticed here."""

from __future__ import annotations

import inspect
import re

import pytest
from places import ROOT
from ringfence import wasi
from ringfence.contract import grants
from ringfence_composer.toolchain import Toolchain, Wit

NOT_SERVED = {
    "wasi:http/types": "a package of its own, which nothing grants yet",
    "wasi:http/outgoing-handler": "a package of its own, which nothing grants yet",
    "wasi:http/incoming-handler": "guests export it",
    "wasi:cli/run": "guests export it",
}


@pytest.fixture(scope="module")
def functions(tmp_path_factory):
    """Every interface of the pinned packages, those behind a feature too: its functions, and how many parameters each has."""
    folder = tmp_path_factory.mktemp("wit")
    (folder / "deps").mkdir()
    packages = Toolchain().wasi_wit()
    for name, text in packages.items():
        (folder / "deps" / name).write_text(re.sub(r"@unstable\(.*?\)", "", text.decode()))
    (folder / "deps" / "files.wit").write_bytes((ROOT / "wit/files/lock.wit").read_bytes())
    versions = {found[1]: found[2] for text in packages.values() if (found := re.match(r"package (wasi:\w+)@([\w.]+);", text.decode()))}
    includes = "".join(
        f"include {name}/{world}@{version};" for name, version in versions.items() for world in ("imports",) if name != "wasi:http"
    )
    others = f"include wasi:http/proxy@{versions['wasi:http']}; import ringfence:files/lock@0.1.0;"
    (folder / "all.wit").write_text(f"package test:all; world all {{ {includes} {others} }}")
    resolved = Toolchain().wit(Wit(path=folder))
    names = [one["name"].partition("@")[0] for one in resolved["packages"]]
    return {
        f"{names[one['package']]}/{one['name']}": {name: len(function["params"]) for name, function in one["functions"].items()}
        for one in resolved["interfaces"]
        if one.get("name") and names[one["package"]] != "test:all"
    }


def test_the_list_is_whole(functions):
    """What reads the packages must see what is in them, or nothing below says anything."""
    assert len(functions) == 33
    assert len(functions["wasi:sockets/tcp"]) == 28
    assert "utc-offset" in functions["wasi:clocks/timezone"], "what stands behind a feature counts, too"
    assert functions["wasi:sockets/tcp"]["[method]tcp-socket.start-bind"] == 3


def test_every_function_is_served_and_no_other(functions):
    wanted = {name: set(each) for name, each in functions.items() if name not in NOT_SERVED}
    assert {name: set(table) for name, table in wasi.INTERFACES.items()} == wanted


def test_every_function_takes_what_the_specification_gives_it(functions):
    """Plus the call. A parameter forgotten would be a TypeError in the host, at the first call of a guest."""
    for interface, table in wasi.INTERFACES.items():
        for name, function in table.items():
            assert len(inspect.signature(function).parameters) == functions[interface][name] + 1, f"{interface} {name}"


def test_every_interface_has_its_place_in_a_plan(functions):
    for name in functions:
        if name not in NOT_SERVED:
            assert (name in grants.INERT) != bool(grants.kinds_of(name)), name
