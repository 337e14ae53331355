"""The table's libraries as an application imports them: `from fenced import sqlite3`, where it said `import sqlite3`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ringfence import Graph
from ringfence.dbapi.sqlite import module

GRAPH = Path(__file__).parents[1] / "graph.yaml"

_graph = Graph.load(GRAPH)
sqlite3: Any = module(_graph["sqlite"])


def loads(text: str) -> Any:
    """What `json.loads` gives, decoded by the fenced decoder. Raises GuestError where `text` is not JSON."""
    document = _graph["json"].decode(text)
    values: list[Any] = [None] * len(document.nodes)
    for place in reversed(range(len(document.nodes))):  # children come behind their parents
        node = document.nodes[place]
        match node.name:
            case "array":
                values[place] = [values[child] for child in node.value]
            case "object":
                values[place] = {member.name: values[member.value] for member in node.value}
            case "float":
                values[place] = node.value.value
            case "big-integer":
                values[place] = int(node.value)
            case _:
                values[place] = node.value
    return values[document.root]
