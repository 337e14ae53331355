"""The interpreter ends cleanly with live instances of the core engine, whatever they are doing."""

import os
import subprocess
import sys
import textwrap

import pytest

SCRIPT = """
    import sys, threading, time
    from pathlib import Path
    from ringfence.contract.limits import Limits
    from ringfence.contract.names import digest_of
    from ringfence.engine.core import CoreEngine
    from ringfence.engine.seam import Artifacts
    from types import SimpleNamespace
    component, module, plan, cache = map(Path, sys.argv[1:])
    digests = [digest_of(path.read_bytes()) for path in (component, module)]
    loaded = CoreEngine().load(
        Artifacts(component=component, digest=digests[0], cache=cache, module=module, module_digest=digests[1], plan=plan))
    linked = CoreEngine().link(loaded, {("", "poke"): lambda context, number: None})
    call = SimpleNamespace(check=lambda: None, spend=lambda count: None, interrupt=lambda reason: None)
    kept = [linked.instantiate(Limits(), call) for _ in range(3)]
    assert kept[0].call(("", "fine"), (), call) == 1
    kept[0].call(("", "poke"), (1,), call)
"""


def ended(made, folder, end):
    """What came of a process that runs guests, and then does this."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(SCRIPT) + end, made.component, made.module, made.plan, folder],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


@pytest.mark.parametrize(
    "end",
    [
        "pass",
        "threading.Thread(target=lambda: kept[1].call(('', 'loop'), (), call), daemon=True).start(); time.sleep(0.1)",
        "import atexit; atexit.register(lambda: print(kept[2].call(('', 'fine'), (), call), flush=True))",
        "import os\npid = os.fork()\nif pid: sys.exit(os.waitpid(pid, 0)[1])\nassert kept[1].call(('', 'fine'), (), call) == 1",
        "kept[0].close(); del kept, linked, loaded",
    ],
    ids=["idle", "daemon-in-wasm", "atexit", "fork", "in-order"],
)
def test_the_interpreter_ends_cleanly(assemble, text, tmp_path, end):
    done = ended(assemble(text("hostile")), tmp_path, end)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("how", ["faulthandler.enable()", "faulthandler.enable(open(os.devnull, 'w'))", "pass"])
def test_a_trap_is_no_end_of_the_process_that_watches_for_faults(assemble, text, tmp_path, how):
    """An application may enable faulthandler after its graph was loaded: its handlers must not stand before wasmtime's."""
    end = f"import faulthandler, os\n{how}\ntry:\n    kept[1].call(('', 'trap'), (), call)\nexcept Exception as error:\n    print(error)"
    done = ended(assemble(text("hostile")), tmp_path, end)
    assert (done.returncode, done.stderr) == (0, "")
    assert "unreachable" in done.stdout
