"""The runtime's own reading of schemas says what jsonschema says, which it does not import: that is a library people wrap."""

from __future__ import annotations

import copy
import json
import subprocess
import sys

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.contract.schemas import schema
from ringfence.contract.shape import Misfit, misfit

DIGEST = "sha256:" + "0" * 64
LOCK = {
    "ringfence": 1,
    "graph": "shop",
    "manifest": "graph.yaml",
    "inputs": {"manifest": DIGEST, "nodes": {"vendor": DIGEST}, "tools": {"wac": "1"}},
    "parameters": {"vendor": {"type": "endpoint", "default": "127.0.0.1:1", "within": ["127.0.0.1:*"]}},
    "nodes": {
        "vendor": {
            "world": "w",
            "lane": "core",
            "reason": "",
            "instances": "fresh",
            "shared": True,
            "limits": {"memory": "1"},
            "runtime": {},
            "imports": [{"name": "i", "decision": "denied", "by": "nobody", "line": 3}],
        }
    },
    "edges": [{"consumer": "vendor", "provider": "host", "calls": ["a", "b"], "grant": {"tcp": []}, "line": 0, "fused": True}],
    "expose": {"vendor": {"calls": []}},
    "artifacts": [{"node": "vendor", "role": "component", "digest": DIGEST, "size": 0, "of": DIGEST, "by": "x"}],
    "groups": {"vendor+json": {"nodes": ["json", "vendor"], "imports": {"vendor:x/y": ["vendor", "x:y"]}, "exports": {}}},
    "digest": DIGEST,
}
VALUES = st.sampled_from(
    [None, True, False, 0, 1, -1, 2, "", "a", "A", "x" * 65, DIGEST, DIGEST + "\n", "fresh", [], {}, ["a", "a"], [1], {"a": 1}, 0.5]
)


def places(value, path=()):
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def changed(path, how, value):
    """The lock with something else in one place."""
    whole = copy.deepcopy(LOCK)
    if not path:
        return value
    inner = whole
    for key in path[:-1]:
        inner = inner[key]
    if how == "remove":
        del inner[path[-1]]
    elif how == "add" and isinstance(inner, dict):
        inner["added"] = value
    else:
        inner[path[-1]] = value
    return whole


def test_a_lock_fits():
    """Else nothing below says anything."""
    jsonschema.validate(LOCK, schema("lock"))
    assert misfit(LOCK, schema("lock")) is None


@given(path=st.sampled_from(list(places(LOCK))), how=st.sampled_from(["remove", "add", "replace"]), value=VALUES)
def test_it_refuses_what_jsonschema_refuses(path, how, value):
    """A lock is changed in one place: removed, added to, or replaced, by values on both sides of every rule."""
    whole = changed(path, how, value)
    accepted = jsonschema.Draft202012Validator(schema("lock")).is_valid(whole)
    assert (misfit(whole, schema("lock")) is None) == accepted


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("nodes", "vendor", "imports", 0, "line"), -1, Misfit("nodes.vendor.imports[0].line", "minimum", 0, -1)),
        (("edges", 0, "calls"), ["a", "a"], Misfit("edges[0].calls", "uniqueItems", True, ["a", "a"])),
        (("ringfence",), True, Misfit("ringfence", "const", 1, True)),
        ((), [], Misfit("", "type", "object", [])),
    ],
)
def test_it_says_where(path, value, told):
    assert misfit(changed(path, "replace", value), schema("lock")) == told


def test_a_keyword_that_it_does_not_know_is_an_error():
    """A schema that grows a rule would otherwise be checked without it."""
    with pytest.raises(ValueError, match="minItems"):
        misfit([], {"type": "array", "minItems": 1})


def test_the_lock_schema_uses_only_what_it_knows():
    """Every subschema is reached, with a value of each type."""
    whole = schema("lock")
    for part in _parts(whole):
        for value in ("", 1, True, [], {}, None):
            misfit(value, {**part, "$defs": whole["$defs"]})


def _parts(one):
    yield one
    inner = [part for key in ("properties", "$defs") for part in one.get(key, {}).values()]
    inner += [one[key] for key in ("items", "additionalProperties", "propertyNames") if isinstance(one.get(key), dict)]
    for part in inner:
        yield from _parts(part)


def test_the_runtime_needs_no_package_that_people_wrap():
    """Its drop-in would need the runtime, which would need the drop-in."""
    code = "import sys, ringfence.graph, ringfence.running, ringfence.dbapi; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    foreign = {name for name in done.stdout.split() if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert foreign <= {"ringfence", "wasmtime", "cffi", "pycparser"}, json.dumps(sorted(foreign))
