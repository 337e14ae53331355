"""The served WASI and the engine's own answer alike, but for what is listed with its reason."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import pytest
from oracle.cases import ALL, READ_ONLY
from places import ROOT

AT_ONCE = 40
CASES = {"all": ALL, "read": READ_ONLY}
LISTED = ROOT / "tests/oracle/differences.toml"


@pytest.fixture(scope="session")
def known():
    """What the engine's own WASI answers to every case."""
    return {}


def test_every_difference_from_the_engines_own_wasi_is_listed_with_its_reason(served, engines_own, known):
    """Whoever changes an answer, or updates the engine, sees it here. Difference by difference, and none that is no more."""
    found = []
    for access, cases in CASES.items():
        for batch in _batches(cases):
            ours = served(access, batch)
            if not known.keys() >= batch.keys():
                known |= engines_own(access, batch)
            found += [one for name, steps in batch.items() for one in _differences(name, steps, ours[name], known[name])]
    listed = [one for difference in _listed() for one in difference["seen"]]
    assert len(listed) == len(set(listed))
    unlisted, idle = sorted(set(found) - set(listed)), sorted(set(listed) - set(found))
    assert (unlisted, idle) == ([], []), "to be listed, and listed for nothing:\n" + "\n".join([*unlisted, "", *idle])


def test_every_listed_difference_says_why_and_by_what_word():
    for one in _listed():
        assert len(one["reason"]) > 20
        assert len(one["specification"]) > 20
        assert one["seen"]


def _listed() -> list[dict[str, Any]]:
    return tomllib.loads(LISTED.read_text())["difference"]


def _batches(cases: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Sequence[Any]]]:
    left = iter(cases.items())
    while batch := dict(islice(left, AT_ONCE)):
        yield batch


def _differences(name: str, steps: Sequence[Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    """Each in a line: the case, the step, what is answered here, and what there."""
    if "steps" in ours and "steps" in theirs:
        for number, (step, here, there) in enumerate(zip(steps, ours["steps"], theirs["steps"], strict=True), 1):
            if here != there:
                yield f"{name}: {number} {step[1]}: {_shown(here)} here, {_shown(there)} there"
    elif ours != theirs:
        yield f"{name}: {ours.get('ended', 'it goes on')} here, {theirs.get('ended', 'it goes on')} there"
    if ours["folder"] != theirs["folder"]:
        yield f"{name}: the folder is left otherwise"


def _shown(answer: Any) -> str:
    if isinstance(answer, dict) and "error" in answer:
        return str(answer["error"])
    return json.dumps(answer, ensure_ascii=False)
