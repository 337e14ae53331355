"""The JSON decoders on the standard parsing corpora: JSON is decoded, all else refused, and both as CPython's `json` does.

That in C and the one in Python which it replaced.
"""

import json
from collections import Counter

import pytest
from components.json_corpora import CHECKER, DIFFERENCES, OLDER, SUITE, corpora
from ringfence import Graph, GuestError

GRAPH = """
ringfence: 1
graph: decoder
nodes:
  json: { component: ROOT/components/json-decoder, instances: pooled }
  in-python: { component: ROOT/tests/components/json_in_python, instances: pooled }
expose: [json, in-python]
"""


@pytest.fixture(scope="module")
def texts():
    return corpora()


@pytest.fixture(scope="module", params=["json", "in-python"])
def answers(texts, compose, request):
    """For each text what the decoder made of it, on either lane."""
    with Graph.load(compose(GRAPH)) as graph:
        return {name: decoded(graph, request.param, text) for name, text in texts.items()}


def decoded(graph, node, text):
    """What the decoder makes of these bytes, which its caller reads as UTF-8: the value, or why it is refused."""
    try:
        return "value", value_of(graph.call(f"{node}.decode", text.decode()))
    except UnicodeDecodeError:
        return "refused", "not a text"
    except GuestError as error:
        return "refused", str(error.value.kind)


def expected(text):
    """The same by CPython."""
    try:
        return "value", json.loads(text)
    except (ValueError, RecursionError):
        return "refused", ""


def value_of(document):
    """The value whose tree it is. Nodes stand before their children, so the last is made first."""
    made = {}
    for index in range(len(document.nodes) - 1, -1, -1):
        node = document.nodes[index]
        match node.name:
            case "array":
                made[index] = [made.pop(child) for child in node.value]
            case "object":
                made[index] = {member.name: made.pop(member.value) for member in node.value}
            case "float":
                made[index] = node.value.value
            case "big-integer":
                made[index] = int(node.value)
            case _:
                made[index] = node.value
    assert list(made) == [0]
    return made[0]


def same(one, other):
    """Equal, and of equal types all the way down: 1 is not 1.0 here, nor True, and -0.0 is not 0.0."""
    return repr(one) == repr(other)


def test_the_corpora_are_whole(texts):
    """A corpus that shrinks unseen proves less and less."""
    kinds = Counter(name[: len(SUITE) + 1] if name.startswith(SUITE) else name[: len(CHECKER) + 4] for name in texts)
    assert kinds == {f"{SUITE}y": 95, f"{SUITE}n": 188, f"{SUITE}i": 35, f"{CHECKER}pass": 3, f"{CHECKER}fail": 33}


def test_what_is_json_is_decoded_and_what_is_not_is_refused(answers):
    ended = Counter((name.partition("/")[2][0], answers[name][0]) for name in answers if name not in OLDER)
    assert ended == {
        ("y", "value"): 95,
        ("p", "value"): 3,
        ("n", "refused"): 188,
        ("f", "refused"): 31,
        ("i", "value"): 11,
        ("i", "refused"): 24,
    }
    assert {name: answers[name][0] for name in OLDER} == dict.fromkeys(OLDER, "value")


def test_what_is_refused_is_refused_for_its_reason(answers):
    """No text ends in a trap or at a limit, not even a hundred thousand brackets."""
    reasons = Counter(reason for ended, reason in answers.values() if ended == "refused")
    assert reasons == {"syntax": 206, "not a text": 25, "lone-surrogate": 10, "too-deep": 2}
    assert {name for name in answers if answers[name] == ("refused", "too-deep")} == {
        f"{SUITE}n_structure_100000_opening_arrays.json",
        f"{SUITE}n_structure_open_array_object.json",
    }


def test_every_difference_from_cpython_is_listed_and_every_listed_one_differs(texts, answers):
    """The decoder stands for CPython's `json`: a value that differs in silence is the worst that it could do."""
    unlike = set()
    for name, text in texts.items():
        (ours, value), (theirs, expect) = answers[name], expected(text)
        if ours != theirs or (ours == "value" and not same(value, expect)):
            unlike.add(name)
    assert unlike == set(DIFFERENCES)
