"""A host function's exception ends the guest's call and comes out unchanged, in its own thread and no other."""

import contextlib
import gc
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
import traceback
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from ringfence.contract.errors import GuestTrap
from ringfence.contract.limits import Limits
from ringfence.engine.callbacks import current
from ringfence.engine.ticker import ticker


class Strange(BaseException):
    pass


@pytest.fixture
def poker(link, text):
    """`poker(poke)`: an instance whose export `poke` calls this."""
    opened = []
    linked = link(text("hostile"), {("", "poke"): lambda context, number: context.poke(number)})

    def made(call):
        opened.append(linked.instantiate(Limits(), call))
        return opened[-1]

    yield made
    for instance in opened:
        instance.close()


def with_poke(call, poke):
    call.poke = poke
    return call


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(3), Strange(), GuestTrap("another's")])
def test_it_is_the_same_object_with_its_traceback(poker, new_call, error):
    def poke(number):
        raise error

    call = with_poke(new_call(), poke)
    instance = poker(call)
    with pytest.raises(type(error)) as caught:
        instance.call(("", "poke"), (1,), call)
    assert caught.value is error
    assert caught.value.__context__ is None
    assert "poke" in [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert instance.trapped
    with pytest.raises(GuestTrap, match="it has trapped before"):
        instance.call(("", "fine"), (), call)


def test_it_is_not_kept_once_it_is_out(poker, new_call):
    """A kept exception keeps every frame it passed alive."""

    class Big:
        pass

    def run():
        big = Big()

        def poke(number):
            raise ValueError(big)

        call = with_poke(new_call(), poke)
        instance = poker(call)
        with pytest.raises(ValueError, match="Big"):
            instance.call(("", "poke"), (1,), call)
        return weakref.ref(big)

    big = run()
    gc.collect()
    assert big() is None


def test_an_import_called_by_start_code_raises_out_of_instantiate(start, new_call):
    text = """(component (import "poke" (func $poke)) (core func $core (canon lower (func $poke)))
      (core module $m (import "" "poke" (func $poke)) (start $poke))
      (core instance (instantiate $m (with "" (instance (export "poke" (func $core)))))))"""
    seen = []

    def poke(context):
        seen.append(context)
        raise LookupError("at the start")

    call = new_call()
    with pytest.raises(LookupError, match="at the start"):
        start(text, {("", "poke"): poke}, context=call)
    assert seen == [call]


def test_each_thread_gets_its_own(poker, new_call):
    """The wheel keeps the last exception of all threads in one variable."""
    together = threading.Barrier(8)

    def run(index):
        def poke(number):
            time.sleep(0.001 * (index % 3))
            raise ValueError(index, number)

        found = []
        together.wait()
        for turn in range(30):
            call = with_poke(new_call(), poke)
            instance = poker(call)
            try:
                instance.call(("", "poke"), (turn,), call)
            except ValueError as error:
                found.append(error.args)
        return found

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(run, range(8)))
    assert results == [[(index, turn) for turn in range(30)] for index in range(8)]


def test_each_call_gets_its_own_context_through_nested_instances(poker, new_call):
    """A host function that calls another instance: each sees the context of its own store."""
    seen = []
    inner_call, outer_call = new_call(), new_call()
    inner, outer = poker(inner_call), poker(outer_call)
    inner_call.poke = lambda number: seen.append(("inner", number))

    def poke(number):
        inner.call(("", "poke"), (number + 1,), inner_call)
        seen.append(("outer", number))

    outer_call.poke = poke
    outer.call(("", "poke"), (1,), outer_call)
    assert seen == [("inner", 2), ("outer", 1)]


def test_a_callees_failure_passes_through_the_caller_and_traps_both(poker, new_call):
    inner_call, outer_call = new_call(), new_call()
    inner, outer = poker(inner_call), poker(outer_call)
    outer_call.poke = lambda number: inner.call(("", "trap"), (), inner_call)
    with pytest.raises(GuestTrap, match="unreachable") as caught:
        outer.call(("", "poke"), (1,), outer_call)
    assert "inner-most" in caught.value.backtrace[0]
    assert inner.trapped
    assert outer.trapped


def test_guests_run_in_parallel(poker, new_call):
    """wasm runs without Python's lock: four loops take no longer than one."""

    def run(_):
        call = new_call(0.3)
        try:
            poker(call).call(("", "loop"), (), call)
        except TimeoutError:
            return True

    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(run, range(4)))
    assert time.monotonic() - began < 1.1


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer signal")
def test_ctrl_c_ends_a_loop_on_the_main_thread(poker, new_call):
    call = new_call()
    instance = poker(call)
    threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT]).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        instance.call(("", "loop"), (), call)
    assert time.monotonic() - began < 1
    assert instance.trapped


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer signal")
def test_a_signal_met_at_the_entry_of_a_host_function_is_not_lost_and_nothing_is_skipped(poker, new_call, monkeypatch):
    """The guest runs a while without a tick, then calls the host and returns at once: the skipped call must not look like a done one."""
    done: list[int] = []

    def strike(*_):
        raise Strange

    swallowed: list[object] = []  # by a finalizer, which Python lets no exception out of
    monkeypatch.setattr(sys, "unraisablehook", lambda found: swallowed.append(found.exc_value))
    old = signal.signal(signal.SIGALRM, strike)
    try:
        for delay in (0.0002, 0.0005, 0.001, 0.002, 0.003) * 4:
            call = with_poke(new_call(), done.append)
            instance, finished = poker(call), False
            done.clear()
            try:
                signal.setitimer(signal.ITIMER_REAL, delay)
                instance.call(("", "spin-and-poke"), (2_000_000,), call)
                finished = True
                time.sleep(1)  # the signal was later than the guest
            except Strange:
                if finished:
                    assert done == [2_000_000]
                elif not instance.trapped:  # it struck before the guest ran, or when it had
                    instance.call(("", "poke"), (1,), with_poke(new_call(), done.append))
                    assert done[-1] == 1
            else:
                assert swallowed, "the signal was lost"
            swallowed.clear()
    finally:
        signal.signal(signal.SIGALRM, old)


def test_handlers_of_signals_are_left_alone(poker, new_call):
    """An application's own handlers stay where it put them, during a call, too."""
    before = signal.getsignal(signal.SIGINT)
    call = with_poke(new_call(), lambda number: seen.append(signal.getsignal(signal.SIGINT)))
    seen: list[object] = []
    poker(call).call(("", "poke"), (1,), call)
    assert seen == [before]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer signal")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it may strike a finalizer, too
def test_a_storm_of_signals_leaves_the_books_whole(poker, new_call):
    """A handler that raises may strike in any line: the instance then answers as before or is trapped, and is never taken for busy."""

    def call():
        return with_poke(new_call(60.0), lambda number: None)

    instance, struck, fine, running = poker(call()), 0, 0, len(ticker.running)

    def strike(*_):
        raise Strange

    old = signal.signal(signal.SIGALRM, strike)
    pick = random.Random(7)
    try:
        until = time.monotonic() + 3
        while time.monotonic() < until:
            try:
                signal.setitimer(signal.ITIMER_REAL, pick.uniform(1e-6, 6e-5))
                for _ in range(8):
                    instance.call(("", "poke"), (1,), call())
                signal.setitimer(signal.ITIMER_REAL, 0)
            except Strange:
                struck += 1
            assert current.store is None
            assert len(ticker.running) == running
            try:
                while instance.trapped:
                    instance = poker(call())
                instance.call(("", "poke"), (1,), call())
                fine += 1
            except Strange:  # late: another thread took the signal from the kernel
                instance = poker(call())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert struck > 100 < fine


def test_near_the_limit_of_recursion_a_call_is_refused_before_wasm_is_entered(poker, new_call):
    """At the entry of a callback the error would have nowhere to go."""
    call = with_poke(new_call(), lambda number: None)
    instance = poker(call)

    def down():
        try:
            instance.call(("", "poke"), (1,), call)
        except RecursionError:
            return 0
        return 1 + down()

    with contextlib.suppress(RecursionError):
        assert down() > 100
    assert not instance.trapped
    instance.call(("", "poke"), (1,), call)


def test_the_clock_counts_calls_exactly(poker, new_call):
    before = len(ticker.running)
    call = with_poke(new_call(), lambda number: counts.append(len(ticker.running)))
    counts: list[int] = []
    instance = poker(call)
    instance.call(("", "poke"), (1,), call)
    assert counts == [before + 1]
    with pytest.raises(GuestTrap):
        instance.call(("", "trap"), (), call)
    assert len(ticker.running) == before


def test_the_clock_starts_again_after_it_was_stopped(poker, new_call):
    ticker.stop()
    call = new_call(0.05)
    instance = poker(call)
    with pytest.raises(TimeoutError):
        instance.call(("", "loop"), (), call)


SCRIPT = """
    import sys, threading, time
    import wasmtime
    from pathlib import Path
    from ringfence.contract.limits import Limits
    from ringfence.contract.names import digest_of
    from ringfence.engine.component import ComponentEngine
    from ringfence.engine.seam import Artifacts
    from types import SimpleNamespace
    binary = bytes(wasmtime.wat2wasm(Path(sys.argv[1]).read_text().replace("{LIBC}", sys.argv[2])))
    path = Path(sys.argv[3]) / "a.wasm"
    path.write_bytes(binary)
    engine = ComponentEngine()
    loaded = engine.load(Artifacts(component=path, digest=digest_of(binary), cache=Path(sys.argv[3])))
    linked = engine.link(loaded, {("", "poke"): lambda context, number: None})
    call = SimpleNamespace(check=lambda: None, spend=lambda count: None)
    kept = [linked.instantiate(Limits(), call) for _ in range(3)]
    assert kept[0].call(("", "fine"), (), call) == 1
    binary = bytes(wasmtime.wat2wasm((Path(sys.argv[1]).parent / "things.wat").read_text().replace("{LIBC}", sys.argv[2])))
    path.write_bytes(binary)
    loaded = engine.load(Artifacts(component=path, digest=digest_of(binary), cache=Path(sys.argv[3])))
    things = engine.link(loaded, {("", "dropped"): lambda *_: None, ("", "between"): lambda *_: None}).instantiate(Limits(), call)
    handles = things.call(("acme:api/things@1.2.0", "many"), (3,), call)
"""


@pytest.mark.parametrize(
    "end",
    [
        "pass",
        "threading.Thread(target=lambda: kept[1].call(('', 'loop'), (), call), daemon=True).start(); time.sleep(0.1)",
        "import atexit; atexit.register(lambda: print(kept[2].call(('', 'fine'), (), call), flush=True))",
        "import os\npid = os.fork()\nif pid: sys.exit(os.waitpid(pid, 0)[1])\nassert kept[1].call(('', 'fine'), (), call) == 1",
    ],
    ids=["idle", "daemon-in-wasm", "atexit", "fork"],
)
def test_the_interpreter_ends_cleanly_with_live_instances(tmp_path, text, libc, end):
    script = textwrap.dedent(SCRIPT) + end
    fixture = str(__import__("pathlib").Path(__file__).parent / "fixtures" / "hostile.wat")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, fixture, libc, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_contract_does_not_import_wasmtime():
    code = "import sys, pkgutil, importlib, ringfence.contract as c\n"
    code += (
        "[importlib.import_module(m.name) for m in pkgutil.walk_packages(c.__path__, 'ringfence.contract.') if 'schemas' not in m.name]\n"
    )
    code += "assert 'wasmtime' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
