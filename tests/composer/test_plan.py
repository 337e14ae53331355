"""The plan is total: every import of every binary has a decision, and the line that made it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from composer_doubles import FakeFacts, built, resolved, world
from ringfence.contract.lock import Lock, LockedImport
from ringfence.contract.names import Digest, digest_of
from ringfence_composer.compose import lock_of
from ringfence_composer.errors import PlanRefused
from ringfence_composer.plan import NO_AUTHORITY, Plan, plan, runtime_forms
from ringfence_composer.tools import Fit, Item, World

STORE = "demo:store/store@1.0.0"
TCP, CLOCK = "wasi:sockets/tcp@0.2.9", "wasi:clocks/wall-clock@0.2.9"
WASI = [
    "wasi:cli/environment@0.2.9",
    "wasi:clocks/monotonic-clock@0.2.9",
    "wasi:filesystem/types@0.2.9",
    "wasi:io/streams@0.2.9",
    "wasi:random/random@0.2.9",
    "wasi:sockets/ip-name-lookup@0.2.9",
    "wasi:sockets/tcp@0.2.9",
]
NEEDS = frozenset({"wasi:random/random", "wasi:clocks/monotonic-clock", "wasi:clocks/wall-clock"})


def planned(folder: Path, rest: str, keys: str = "", worlds: Mapping[str, World] | None = None) -> Plan:
    """A node `app` with WASI imports and a runtime, and a store it is linked to."""
    found = worlds or {"app": world([STORE, *WASI]), "store": world([], {STORE: ["get"]})}
    edges = "edges:\n  - { from: app, to: store }\n" if "edges:" not in rest else ""
    graph = resolved(folder, found, edges + rest, {"app": keys})
    return plan(built(graph, {"app": NEEDS}), FakeFacts(found))


def decisions(of: Plan) -> dict[str, LockedImport]:
    return {one.name.partition("@")[0].partition("/")[2]: one for one in of.nodes[0].imports}


def test_types_give_nothing_and_are_granted_as_that(tmp_path: Path) -> None:
    app = dataclasses.replace(world(), imports=(Item(name="demo:store/shapes@1.0.0", kind="interface"),))
    found = decisions(planned(tmp_path, "edges: []\n", worlds={"app": app}))
    assert found == {"shapes": LockedImport(name="demo:store/shapes@1.0.0", decision="granted", by=NO_AUTHORITY)}


def test_every_import_has_a_decision(tmp_path: Path) -> None:
    found = decisions(planned(tmp_path, '  - { from: app, to: host, grant: { tcp: ["127.0.0.1:80"], env: [A] } }\n'))
    assert {name: (one.decision, one.by, one.line) for name, one in found.items()} == {
        "store": ("linked", "app -> store", 7),
        "environment": ("granted", "app -> host: env", 8),
        "monotonic-clock": ("runtime", "language runtime", 0),
        "types": ("denied", "no grant", 0),
        "streams": ("granted", "no authority of its own", 0),
        "random": ("runtime", "language runtime", 0),
        "ip-name-lookup": ("denied", "no grant", 0),
        "tcp": ("granted", "app -> host: tcp", 8),
    }


def test_without_a_grant_all_that_acts_is_denied(tmp_path: Path) -> None:
    """Default deny; only what carries no authority and what the language itself needs is left."""
    found = decisions(planned(tmp_path, "", "random: deny, clocks: deny"))
    assert {name for name, one in found.items() if one.decision == "granted"} == {"streams"}
    assert {name for name, one in found.items() if one.decision == "runtime"} == set()
    assert (found["random"].by, found["random"].line) == ("random: deny", 4)


def test_a_tcp_grant_by_name_opens_the_look_up(tmp_path: Path) -> None:
    found = decisions(planned(tmp_path, '  - { from: app, to: host, grant: { tcp: ["db.internal:5432"] } }\n'))
    assert (found["ip-name-lookup"].decision, found["ip-name-lookup"].by) == ("granted", "app -> host: tcp")


def test_a_parameter_counts_as_all_that_it_may_become(tmp_path: Path) -> None:
    """A plan that says `denied` must stay true whatever value the parameter is given within its range."""
    text = """  - { from: app, to: host, grant: { tcp: ["${p}"] } }
parameters: { p: { type: endpoint, default: "127.0.0.1:1", within: ["127.0.0.1:*", "*.db.internal:5432"] } }
"""
    assert decisions(planned(tmp_path, text))["ip-name-lookup"].decision == "granted"


def test_an_explicit_grant_replaces_the_runtimes_own(tmp_path: Path) -> None:
    node = planned(tmp_path, '  - { from: app, to: host, grant: { clocks: { frozen: "2026-01-01T00:00:00Z" } } }\n').nodes[0]
    assert dict(node.runtime) == {"random": "secure"}
    assert [grant.words for grant in node.grants] == ["clocks frozen at 2026-01-01T00:00:00Z", "random bytes (language runtime)"]


def test_runtime_needs_become_grant_forms() -> None:
    assert runtime_forms(NEEDS, ()) == {"clocks": ["monotonic", "wall"], "random": "secure"}
    assert runtime_forms(NEEDS, ("random",)) == {"clocks": ["monotonic", "wall"]}


def test_wildcard_names_are_marked(tmp_path: Path) -> None:
    """Whoever may look up names of his choice can send data in them."""
    grants = planned(tmp_path, '  - { from: app, to: host, grant: { tcp: ["*.a.example:443", "b.example:443"] } }\n').nodes[0].grants
    assert [one.exfiltrates for one in grants if one.kind == "tcp"] == [True, False]


def test_a_grant_that_nothing_asks_for_is_shown(tmp_path: Path) -> None:
    node = planned(tmp_path, '  - { from: app, to: host, grant: { tcp: ["127.0.0.1:1"], stdout: log } }\n').nodes[0]
    assert node.idle == ("stdout",)


def test_an_interface_that_nothing_knows_is_an_error_not_a_gap(tmp_path: Path) -> None:
    """A binary may import more than its world says; allowing it or dropping it silently would break the fence."""
    source = {"app": world([STORE]), "store": world([], {STORE: ["get"]})}
    binary = {"app": world([STORE, "wasi:http/outgoing-handler@0.2.9", "evil:lib/door"]), "store": source["store"]}
    graph = resolved(tmp_path, source, "edges: [{ from: app, to: store }]\n")
    with pytest.raises(PlanRefused) as caught:
        plan(built(graph), FakeFacts(binary))
    assert [one.message for one in caught.value.problems] == [
        "imports wasi:http/outgoing-handler@0.2.9, which this program does not know",
        "imports evil:lib/door, which no edge satisfies",
    ]


def test_types_are_compared_again_on_the_binaries(tmp_path: Path) -> None:
    found = {"app": world([STORE]), "store": world([], {STORE: ["get"]})}
    graph = resolved(tmp_path, found, "edges: [{ from: app, to: store }]\n")
    misfit = Fit(fits=False, item="get", reason="the results differ", expected="get: func()", found="get: func() -> u32")
    with pytest.raises(PlanRefused) as caught:
        plan(built(graph), FakeFacts(found, {STORE: misfit}))
    assert "app imports" in str(caught.value)


def test_an_import_that_a_compiler_left_out_is_no_error(tmp_path: Path) -> None:
    source = {"app": world([STORE]), "store": world([], {STORE: ["get"]})}
    graph = resolved(tmp_path, source, "edges: [{ from: app, to: store }]\n")
    assert plan(built(graph), FakeFacts({**source, "app": world()})).links == ()


def test_a_runtimes_own_doors_are_not_exposed(tmp_path: Path) -> None:
    """componentize-py exports `exports.init` besides the world: an application must not find it among the node's functions."""
    source = {"store": world([], {STORE: ["get", "[method]walk.next"]})}
    graph = resolved(tmp_path, source, "expose: [store]\n")
    binary = world([], {STORE: ["get", "[method]walk.next"], "exports": ["init"]})
    made = plan(built(graph), FakeFacts({"store": binary}))
    assert lock_of(made, tools=Digest("sha256:" + "0" * 64)).expose[0].calls == ("get", "walk.next")


def test_an_export_that_the_binary_lacks_is_an_error(tmp_path: Path) -> None:
    source = {"store": world([], {STORE: ["get"]})}
    with pytest.raises(PlanRefused, match="its binary does not"):
        plan(built(resolved(tmp_path, source)), FakeFacts({"store": world()}))


def test_what_an_edge_passes_on_opens_imports_and_is_told_apart(tmp_path: Path) -> None:
    """Nothing of its own opens them: but in calls through that edge the guest gets there, so `denied` would be a lie."""
    worlds = {"client": world([STORE], {}), "store": world([TCP, CLOCK], {STORE: ["get"]})}
    rest = """edges:
  - { from: client, to: host, grant: { tcp: ["10.0.0.0/8:*"] } }
  - { from: client, to: store, grant: { tcp: ["10.0.0.1:80"] } }
"""
    found = plan(built(resolved(tmp_path, worlds, rest), {"store": frozenset({"wasi:clocks/wall-clock"})}), FakeFacts(worlds))
    store = next(node for node in found.nodes if node.name == "store")
    assert {one.name: (one.decision, one.by, one.line) for one in store.imports} == {
        TCP: ("granted", "client -> store: tcp", 8),
        CLOCK: ("runtime", "language runtime", 0),
    }
    assert [(one.words, one.through, one.line) for one in store.grants if one.line] == [
        ("connect to 10.0.0.1, port 80", "client -> store", 8)
    ]
    lock = lock_of(found, tools=digest_of(b"tools"))
    assert Lock.from_dict(json.loads(lock.to_bytes())) == lock
    assert {one.name: dict(one.grant) for one in lock.edges}["client -> store"] == {"tcp": ["10.0.0.1:80"]}
