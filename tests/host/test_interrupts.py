"""Ctrl-C ends a call where it is, at whatever line it strikes, and leaves the graph as usable as before."""

import os
import random
import signal
import threading
import time
from contextlib import contextmanager

import pytest
from ringfence import Graph
from ringfence.contract.names import digest_of
from ringfence_composer.compose import compose_file
from ringfence_composer.toolchain import Toolchain

INNER = """(component
  (core module $m (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
  (core instance $i (instantiate $m))
  (func $f (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (instance $x (export "add" (func $f)))
  (export "test:math/math@1.0.0" (instance $x)))"""
OUTER = """(component
  (import "test:math/math@1.0.0" (instance $math (export "add" (func (param "a" u32) (param "b" u32) (result u32)))))
  (core func $low (canon lower (func $math "add")))
  (core module $m (import "" "add" (func $add (param i32 i32) (result i32)))
    (func (export "add") (param i32 i32) (result i32) (call $add (local.get 0) (local.get 1)))
    (func (export "loop") (loop $on (br $on))))
  (core instance $i (instantiate $m (with "" (instance (export "add" (func $low))))))
  (func $f (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (func $l (canon lift (core func $i "loop")))
  (instance $x (export "add" (func $f)) (export "loop" (func $l)))
  (export "test:math/app@1.0.0" (instance $x)))"""


@pytest.fixture(scope="module", params=["core", "component"])
def manifest(request, tmp_path_factory):
    """`manifest(instances)`: a graph of two nodes, one calling the other."""
    folder, toolchain = tmp_path_factory.mktemp("interrupts"), Toolchain()

    def made(instances):
        nodes = ""
        for name, text in (("outer", OUTER), ("inner", INNER)):
            binary = toolchain.parse(text)
            (folder / f"{name}.wasm").write_bytes(binary)
            options = f"digest: '{digest_of(binary)}', instances: {instances}, lane: {request.param}"
            nodes += f"  {name}: {{ component: {name}.wasm, {options} }}\n"
        file = folder / f"{instances}.yaml"
        edges = "edges: [{ from: outer, to: inner }]\nexpose: [outer]\n"
        file.write_text(f"ringfence: 1\ngraph: {instances}\nnodes:\n{nodes}{edges}")
        compose_file(file)
        return file

    return made


@contextmanager
def ctrl_c(seconds):
    """Somebody holds Ctrl-C down: it comes at random moments, for so long."""
    pick, until, over = random.Random(11), time.monotonic() + seconds, threading.Event()

    def press():
        while time.monotonic() < until and not over.is_set():
            time.sleep(pick.uniform(0, 0.002))
            if armed.is_set():
                armed.clear()
                os.kill(os.getpid(), signal.SIGINT)

    armed, thread = threading.Event(), threading.Thread(target=press)
    thread.start()
    try:
        yield lambda: armed.set() or time.monotonic() < until
    finally:
        try:
            over.set()
            thread.join()
            time.sleep(0.01)
        except KeyboardInterrupt:  # the last one, which nobody waited for
            thread.join()


@pytest.mark.parametrize("instances", ["fresh", "pooled", "single"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it may strike a finalizer, too
def test_ctrl_c_at_any_line_leaves_the_graph_usable(manifest, instances):
    """A notebook's user presses Ctrl-C in a loop of calls and goes on: no node is bricked, no instance left behind."""
    struck = answered = 0
    graph = Graph.load(manifest(instances))
    graph.call("outer.add", 1, 2)
    with ctrl_c(1.5) as go_on:
        while True:
            try:
                if not go_on():
                    break
                for number in range(100):
                    assert graph.call("outer.add", number, 1) == number + 1
                    answered += 1
            except KeyboardInterrupt:
                struck += 1
    assert struck > 10 < answered
    assert graph.call("outer.add", 20, 22) == 42
    began = time.monotonic()
    graph.close()
    assert time.monotonic() - began < 1, "an instance was left locked"


def test_ctrl_c_ends_a_guest_that_runs_forever(manifest):
    with Graph.load(manifest("pooled")) as graph:
        threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT]).start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            graph.call("outer.loop")
        assert time.monotonic() - began < 2
        assert graph.call("outer.add", 1, 2) == 3


def test_the_handler_of_the_application_is_back_after_a_call(manifest):
    before = signal.getsignal(signal.SIGINT)
    with Graph.load(manifest("pooled")) as graph:
        graph.call("outer.add", 1, 2)
    assert signal.getsignal(signal.SIGINT) is before
