"""Every command and snippet in the documents runs, in order, and prints what it says.

A block's info string says what it is: `yaml` is part of a graph and fits its schema, `sh` runs in bash, `python` in a process of its own,
`file=PATH` writes a file, and `text` is what the block before it must have printed. Documents that start from an
empty folder get one; the others run in the checkout.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

import jsonschema
import pytest
from places import ROOT
from ringfence.contract.schemas import schema
from ringfence.picture.svg import svg
from ringfence_composer.compose import Workshop, compose_file
from ringfence_composer.manifest.source import parse_document
from ringfence_composer.show import show_file

BLOCK = re.compile(r"^```(?P<info>[^\n]+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
DOCUMENTS = {
    "README.md": ROOT,
    "docs/tutorial.md": None,
    "docs/how-to.md": ROOT,
    "docs/reference.md": ROOT,
    "docs/explanation.md": ROOT,
    "docs/wrapping.md": ROOT,
    "docs/benchmarks.md": ROOT,
}
SET_UP = "python3 -m pip install rust-just && just "
"""The two commands: CI runs one of them, and this suite is its end; the other is run below."""


@dataclass
class Reader:
    """Somebody who follows a document to the letter."""

    folder: os.PathLike
    env: dict
    printed: str = ""

    def follow(self, info, body):
        kind, _, file = info.partition(" file=")
        if file:
            path = self.folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body)
        elif kind == "sh" and not body.startswith(SET_UP):
            self.run(["bash", "-euo", "pipefail", "-c", body])
        elif kind == "python":
            self.run([sys.executable, "-c", f"import os\nPORT = int(os.environ['PORT'])\n{body}"])
        elif kind == "yaml":
            part = {**json.loads(json.dumps(schema("graph", "ringfence_composer"))), "required": []}
            jsonschema.validate(parse_document(body.encode(), info).data, part)
        elif kind == "text":
            for line in body.splitlines():
                assert line in self.printed, f"{line!r} is not in:\n{self.printed}"

    def run(self, command):
        done = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=500, check=False)
        assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
        self.printed = done.stdout


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_does_what_it_says(document, vendor, postgres_server, tmp_path):
    compose_file(ROOT / "manifests" / "shop" / "graph.yaml")
    env = {**os.environ, "PORT": vendor.address.rpartition(":")[2], "UV_NO_SYNC": "1", "UV_PROJECT": str(ROOT)}
    env |= {"POSTGRES": postgres_server.address, "PGPASSWORD": postgres_server.password}
    env["PYTHONPATH"] = "manifests/shop/app"  # what an application on the shop imports
    env["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), env["PATH"]])
    reader = Reader(DOCUMENTS[document] or tmp_path, env)
    for block in BLOCK.finditer((ROOT / document).read_text()):
        reader.follow(block["info"].strip(), block["body"])


def test_the_picture_in_the_readme_is_of_the_graph_as_it_is():
    """Drawn anew by: compose show manifests/shop/graph.yaml --svg docs/shop.svg"""
    graph = ROOT / "manifests" / "shop" / "graph.yaml"
    compose_file(graph)
    assert svg(show_file(graph, Workshop())) == (ROOT / "docs" / "shop.svg").read_text()


def test_links_between_documents_lead_somewhere():
    for document in DOCUMENTS:
        text = re.sub(r"`[^`\n]*`", "", BLOCK.sub("", (ROOT / document).read_text()))  # code may look like a link
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert ((ROOT / document).parent / target).exists(), f"{document}: {target}"


@cache
def demo(*options):
    """What the demo prints, without the ports of its servers, and the lock that it leaves; it must end well."""
    command = [sys.executable, "manifests/shop/demo.py", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", done.stdout), json.loads((ROOT / "manifests" / "shop" / "graph.lock.json").read_bytes())


@pytest.mark.parametrize("lane", ["component", "core"])
def test_the_demo_shows_the_order_the_refusal_and_the_absent_variable(lane):
    """On either engine; core is what it runs on when nobody asks. In both modes, and with the same order, whichever way it is asked for."""
    shown, lock = demo(*(["--lane", lane] if lane != "core" else []))
    for expected in (
        "order A-17: shipped",
        "20.00 EUR",
        "to allow it, add to the edge from vendor to host",
        "visits the other server saw: 0",
        "VENDOR_TOKEN",
        "the same order, A-17: 20.00 EUR",
    ):
        assert expected in shown
    assert {node["lane"] for node in lock["nodes"].values()} == {lane}
    assert not lock.get("groups"), "it leaves the graph as it found it"


def test_the_demo_shows_the_same_where_everything_is_fused():
    """Python, C and Rust as one component: the order, the refusals and the absent variable, word for word."""
    both, _ = demo()
    shown, lock = demo("--edges", "fused")
    assert both.startswith(shown)
    assert [sorted(group["nodes"]) for group in lock["groups"].values()] == [["json", "pricing", "vendor"]]
    demo.cache_clear()
    compose_file(ROOT / "manifests" / "shop" / "graph.yaml")  # for those who come after
