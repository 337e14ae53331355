"""The surveyor on both: on the WASI that is served, in a graph, and on the engine's own, over the same folder."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import wasmtime
from oracle.native import Native
from oracle.tree import OLD, clear, lay_out, shape
from places import ROOT
from ringfence import Graph, GuestExit, RingfenceError
from ringfence.contract.layout import artifact_path
from ringfence.contract.lock import Lock

GRAPH = """
ringfence: 1
graph: oracle
nodes:
  surveyor: {{ component: surveyor, lane: {lane}, limits: {{ deadline: 20s }} }}
edges:
  - from: surveyor
    to: host
    grant:
      files: [{{ path: data, as: /data, access: [{access}], hardlinks: true }}]
      args: [one, "two words"]
      env: [{{ NAME: value }}, {{ EMPTY: "" }}]
      clocks: [monotonic, wall]
      random: secure
      stdout: log
      stderr: log
expose: [surveyor]
"""
ACCESS = {"all": "read, write, create, delete", "read": "read"}
ARGUMENTS, VARIABLES = ["one", "two words"], {"NAME": "value", "EMPTY": ""}

Answer: TypeAlias = dict[str, Any]
"""`steps`: what each answered; or `ended`: how the guest did. `folder`: what is in the folder afterwards."""
Cases: TypeAlias = Mapping[str, Sequence[Any]]
Ask: TypeAlias = Callable[[str, Cases], dict[str, Answer]]


@pytest.fixture(scope="session")
def surveyor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The surveyor's folder, with the packages of WASI that it imports in its WIT."""
    folder = tmp_path_factory.mktemp("oracle")
    shutil.copytree(ROOT / "tests/oracle/surveyor", folder / "surveyor")
    shutil.copytree(
        ROOT / "wit/deps", folder / "surveyor/wit/deps", ignore=lambda _, names: [one for one in names if not one.endswith(".wit")]
    )
    return folder


@pytest.fixture(scope="session", params=["core", "component"])
def served(request: pytest.FixtureRequest, surveyor: Path) -> Iterator[Ask]:
    """Asks the served WASI, under a grant of all access or of reading."""
    from ringfence_composer.compose import compose_file

    graphs: dict[str, tuple[Graph, Path]] = {}
    for name, access in ACCESS.items():
        folder = surveyor / f"{request.param}-{name}"
        (folder / "data").mkdir(parents=True)
        (folder / "graph.yaml").write_text(
            GRAPH.format(lane=request.param, access=access).replace("component: surveyor", "component: ../surveyor")
        )
        compose_file(folder / "graph.yaml")
        graphs[name] = (Graph.load(folder / "graph.yaml"), folder / "data")

    def ask(access: str, cases: Cases) -> dict[str, Answer]:
        graph, data = graphs[access]
        return _asked(data, access, cases, lambda text: str(graph.call("surveyor.take", text)))

    yield ask
    for graph, _ in graphs.values():
        graph.close()


@pytest.fixture(scope="session")
def engines_own(surveyor: Path, served: Ask) -> Ask:
    """Asks the engine's own WASI, over a folder that may be changed or only read."""
    del served  # it has composed the component
    file = next(surveyor.glob("*-all/graph.lock.json"))
    lock = Lock.from_dict(json.loads(file.read_bytes()))
    artifact = next(one for one in lock.artifacts if one.role == "component")
    native = Native(artifact_path(file, artifact.digest), artifact.digest, surveyor)
    data = surveyor / "engines-own"

    def ask(access: str, cases: Cases) -> dict[str, Answer]:
        def take(text: str) -> str:
            survey = ("test:surveyor/survey@0.1.0", "take")
            return native.call(*survey, text, folder=data, writable=access == "all", arguments=ARGUMENTS, variables=VARIABLES)

        return _asked(data, access, cases, take)

    return ask


def _asked(folder: Path, access: str, cases: Cases, take: Callable[[str], str]) -> dict[str, Answer]:
    """The answers to many cases, asked at once for the sake of time: each has a folder of its own in the one granted.

    Where the guest ends before it can tell, they are asked one by one.
    """
    clear(folder)
    flags = ["read", "mutate-directory"] if access == "all" else ["read"]
    surveys = []
    for number, steps in enumerate(cases.values()):
        lay_out(folder / f"{number}" / "in")
        surveys.append([("top=preopens", "get-directories"), ("root=top", "open-at", [], f"{number}/in", ["directory"], flags), *steps])
    try:
        answers = json.loads(take(json.dumps(surveys)))
    except (GuestExit, wasmtime.ExitTrap) as exit:
        ended = f"exit {exit.status if isinstance(exit, GuestExit) else exit.code}"
    except (RingfenceError, wasmtime.Trap, wasmtime.WasmtimeError):
        ended = "trap"
    else:
        found = {}
        for number, (name, steps) in enumerate(cases.items()):
            known = _Known()
            settled = [known.settled(step, answer) for step, answer in zip(steps, answers[number][2:], strict=True)]
            found[name] = {"steps": settled, "folder": shape(folder / f"{number}")}
        return found
    if len(cases) == 1:
        return {name: {"ended": ended, "folder": shape(folder / "0")} for name in cases}
    return {name: _asked(folder, access, {name: steps}, take)[name] for name, steps in cases.items()}


class _Known:
    """Answers as they can be compared: identities by the order in which they came, the present and chance by what they are."""

    def __init__(self) -> None:
        self._identities: dict[str, int] = {}

    def settled(self, step: Sequence[Any], answer: Any) -> Any:
        function = step[1]
        if isinstance(answer, dict) and "error" in answer:
            return answer
        if function.startswith("metadata-hash"):
            return f"identity {self._identities.setdefault(json.dumps(answer), len(self._identities) + 1)}"
        if "random" in function or function == "insecure-seed":
            return len(answer) if isinstance(answer, str) else "random"
        if function == "now":
            return "a time"
        if function == "poll":
            return sorted(answer)
        return _dated(answer)


def _dated(answer: Any) -> Any:
    """Times that nobody set are the present, or, where they are of a mere look at something, may be."""
    if isinstance(answer, list):
        return [_dated(one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    if "seconds" in answer and abs(answer["seconds"] - time.time()) < 3600:
        return "now"
    found = {name: _dated(one) for name, one in answer.items() if name != "status-change-timestamp"}
    if found.get("data-access-timestamp") in ("now", _OLD):
        found["data-access-timestamp"] = "untouched, or of a look"
    if found.get("type") == "directory":  # each file system has its own
        found = {name: one for name, one in found.items() if name not in ("size", "link-count")}
    return found


_OLD = {"seconds": OLD[0] // 1_000_000_000, "nanoseconds": 0}


@pytest.fixture(scope="session", autouse=True)
def _umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)
