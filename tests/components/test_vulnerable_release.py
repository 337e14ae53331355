"""A C library with a memory error that is known to all, CVE-2022-24724 of cmark-gfm: what it does natively, and behind the fence.

The library counts the columns of a table in 16 bits. With 65,536 it finds none, and follows a null pointer; with 65,537 it makes room for
one, and writes an `l` behind it for each column that says `:-`, up to 64 KiB far, at places of the text's choice.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from ringfence import Graph, GuestTrap, RingfenceError

from .releases import NEW, OLD, built_natively, run_natively

GOOD = "*a*\n\n|x|y|\n|-|:-|\n|1|2|\n\n" + "".join(
    f"## h{n} [l{n}](http://x.example/{n} 't{n}') `c{n}`\n\n* *{n}* **b**\n\n" for n in range(40)
)
"""An ordinary file, large enough to use much of what an attack may have left behind."""


def overrun(places: range) -> str:
    """A text that has the library write behind its array, at these places."""
    return "|a|\n|" + "".join(":-|" if place in places else "-|" for place in range(65537)) + "\n"


ATTACKS: Mapping[str, str] = {"null pointer": "|a|\n|" + "-|" * 65536 + "\n", "overrun": overrun(range(65537))}


def rendered(graph: Graph, node: str, text: str) -> str:
    html: str = graph.call(f"{node}.to-html", text, ["tables"])
    return html


def ended(graph: Graph, node: str, text: str) -> str:
    """`answer`, or the code of the typed error."""
    try:
        rendered(graph, node, text)
    except RingfenceError as error:
        return error.code
    return "answer"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_natively_each_attack_ends_the_old_release_and_none_the_current_one(folder: Path) -> None:
    old, new = built_natively(folder, OLD), built_natively(folder, NEW)
    for program in (old, new):
        assert run_natively(program, "*a*").stdout == b"<p><em>a</em></p>\n\n", "the control: it works"
        assert b"<td" in run_natively(program, GOOD).stdout
    for name, text in ATTACKS.items():
        assert run_natively(old, text).returncode < 0, f"{name}: a signal ends the process"
        assert run_natively(new, text).stdout.startswith(b"<p>|a|"), f"{name}: mended"


def test_behind_the_fence_each_attack_is_a_typed_error_or_an_answer_and_the_next_call_is_right(graph: Graph) -> None:
    """The host is the process of this test, and lives. A null pointer is an address like others in wasm: following it may go well."""
    good = rendered(graph, "new", GOOD)
    for node in ("old", "old-pooled"):
        assert rendered(graph, node, GOOD) == good, "the control"
        assert ended(graph, node, ATTACKS["null pointer"]) in ("answer", "trap")
        assert rendered(graph, node, GOOD) == good
        with pytest.raises(GuestTrap):
            rendered(graph, node, ATTACKS["overrun"])
        assert rendered(graph, node, GOOD) == good, "a trap ends the instance, a pooled one too"
    for text in ATTACKS.values():
        assert rendered(graph, "new", text).startswith("<p>|a|"), "the current release is not to be caught"


def test_what_an_attack_leaves_behind_is_there_in_a_pooled_instance_and_never_in_a_fresh_one(graph: Graph) -> None:
    """The dangerous attacks are those that nobody notices: the call answers, but the heap is spoilt, and an innocent call pays for it.

    Which places do that depends on how the heap lies, so one after another is tried.
    """
    good, spoilt = rendered(graph, "new", GOOD), []
    for place in range(24, 280, 32):
        text = overrun(range(place, place + 1))
        answered = ended(graph, "old-pooled", text) == "answer"
        if not right(graph, "old-pooled", good) and answered:
            spoilt.append(place)
        assert ended(graph, "old", text) in ("answer", "trap")
        assert right(graph, "old", good)
    assert spoilt, "pooled: a call that was answered spoilt the next one"


def right(graph: Graph, node: str, good: str) -> bool:
    """Whether a call on the good file is answered, and rightly."""
    try:
        return rendered(graph, node, GOOD) == good
    except RingfenceError:
        return False
