"""Command components run on the engine's own WASI, with their arguments, one folder and nothing else."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import wasmtime
from ringfence.contract.errors import DeadlineExceeded, GuestTrap, IntegrityError
from ringfence.engine.command import CommandResult, run_command

# A command whose `run` is the core function given as text; 0 is ok, 1 is the err case.
PLAIN = """(component
  (core module $m (func (export "run") (result i32) {0}))
  (core instance $i (instantiate $m))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance (export "wasi:cli/run@0.2.{1}") (export "run" (func $run))))"""

# Fails where the list that a function of WASI returns does not have the expected length.
COUNTING = """(component
  (import "wasi:filesystem/types@0.2.0" (instance $files (export "descriptor" (type (sub resource)))))
  (alias export $files "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor (type $outer)) (export "descriptor" (type $d (eq $outer)))
    (export "get-directories" (func (result (list (tuple (own $d) string)))))))
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-environment" (func (result (list (tuple string string)))))
    (export "get-arguments" (func (result (list string))))))
  (core module $libc (memory (export "memory") 1) (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next) (global.set $next (i32.and (i32.add (global.get $next) (i32.add (local.get 3) (i32.const 7))) (i32.const -8)))))
  (core instance $libc (instantiate $libc))
  (core func $count (canon lower (func {0}) (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core module $m (import "" "memory" (memory 1)) (import "" "count" (func $count (param i32)))
    (func (export "run") (result i32) (call $count (i32.const 16)) (i32.ne (i32.load (i32.const 20)) (i32.const {1}))))
  (core instance $i (instantiate $m (with "" (instance (export "memory" (memory $libc "memory")) (export "count" (func $count))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"""

# Copies up to 4 kB from stdin to stdout and to stderr.
CAT = """(component
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error-type))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "input-stream" (type $in (sub resource))) (export "output-stream" (type $out (sub resource)))
    (alias outer 1 $error-type (type $outer)) (export "error" (type $e (eq $outer)))
    (type $v (variant (case "last-operation-failed" (own $e)) (case "closed"))) (export "stream-error" (type $se (eq $v)))
    (export "[method]input-stream.blocking-read"
      (func (param "self" (borrow $in)) (param "len" u64) (result (result (list u8) (error $se)))))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $se)))))))
  (alias export $streams "input-stream" (type $in))
  (alias export $streams "output-stream" (type $out))
  (import "wasi:cli/stdin@0.2.0" (instance $stdin
    (alias outer 1 $in (type $outer)) (export "input-stream" (type $t (eq $outer))) (export "get-stdin" (func (result (own $t))))))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $out (type $outer)) (export "output-stream" (type $t (eq $outer))) (export "get-stdout" (func (result (own $t))))))
  (import "wasi:cli/stderr@0.2.0" (instance $stderr
    (alias outer 1 $out (type $outer)) (export "output-stream" (type $t (eq $outer))) (export "get-stderr" (func (result (own $t))))))
  (core module $libc (memory (export "memory") 1) (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096)))
  (core instance $libc (instantiate $libc))
  (core func $in (canon lower (func $stdin "get-stdin")))
  (core func $out (canon lower (func $stdout "get-stdout")))
  (core func $err (canon lower (func $stderr "get-stderr")))
  (core func $read (canon lower (func $streams "[method]input-stream.blocking-read")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory (core memory $libc "memory"))))
  (core module $m (import "" "memory" (memory 1))
    (import "" "in" (func $in (result i32))) (import "" "out" (func $out (result i32))) (import "" "err" (func $err (result i32)))
    (import "" "read" (func $read (param i32 i64 i32))) (import "" "write" (func $write (param i32 i32 i32 i32)))
    (func (export "run") (result i32)
      (call $read (call $in) (i64.const 4096) (i32.const 16))
      (if (i32.load8_u (i32.const 16)) (then (return (i32.const 1))))
      (call $write (call $out) (i32.load (i32.const 20)) (i32.load (i32.const 24)) (i32.const 32))
      (call $write (call $err) (i32.load (i32.const 20)) (i32.load (i32.const 24)) (i32.const 48))
      (i32.or (i32.load8_u (i32.const 32)) (i32.load8_u (i32.const 48)))))
  (core instance $i (instantiate $m (with "" (instance (export "memory" (memory $libc "memory"))
    (export "in" (func $in)) (export "out" (func $out)) (export "err" (func $err))
    (export "read" (func $read)) (export "write" (func $write))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"""

LOOP = PLAIN.format("(loop $again (br $again)) (unreachable)", 0)


@pytest.fixture
def command(tmp_path):
    """Runs WebAssembly text as a command, in an empty folder unless told otherwise."""
    (tmp_path / "scratch").mkdir()

    def run(text, *arguments, **options):
        file = tmp_path / f"{abs(hash(text))}.wasm"
        if not file.exists():
            file.write_bytes(wasmtime.wat2wasm(text))
        return run_command(file, ["command", *arguments], tmp_path / "scratch", cache=tmp_path / "cache", **options)

    return run


@pytest.mark.parametrize("patch", [0, 6, 12])
def test_ok_and_err_are_exit_codes_0_and_1(command, patch):
    assert command(PLAIN.format("(i32.const 0)", patch)) == CommandResult(code=0, stdout=b"", stderr=b"")
    assert command(PLAIN.format("(i32.const 1)", patch)).code == 1


def test_streams_are_connected(command):
    assert command(CAT, stdin=b"h\x00llo\xff") == CommandResult(code=0, stdout=b"h\x00llo\xff", stderr=b"h\x00llo\xff")


def test_stdin_is_empty_unless_given(command):
    assert command(CAT).code == 1, "the end of the stream is the err case"


def test_arguments_arrive(command):
    assert command(COUNTING.format('$environment "get-arguments"', 3), "a", "b").code == 0


def test_one_folder_is_all_there_is(command):
    assert command(COUNTING.format('$preopens "get-directories"', 1)).code == 0


def test_no_variable_is_seen(command, monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET", "x")
    text = COUNTING.format('$environment "get-environment"', 0)
    assert command(text).code == 0
    # The control: with a variable, the same component ends otherwise.
    engine = wasmtime.Engine()
    store, wasi = wasmtime.Store(engine), wasmtime.WasiConfig()
    wasi.env = [("SECRET", "x")]
    store.set_wasi(wasi)
    linker = wasmtime.component.Linker(engine)
    linker.add_wasip2()
    instance = linker.instantiate(store, wasmtime.component.Component(engine, wasmtime.wat2wasm(text)))
    interface = instance.get_export_index(store, "wasi:cli/run@0.2.0")
    assert instance.get_func(store, instance.get_export_index(store, "run", interface))(store).tag == "err"


def test_a_trap_is_a_typed_error_with_its_backtrace(command):
    with pytest.raises(GuestTrap, match="unreachable") as caught:
        command(PLAIN.format("(unreachable)", 0))
    assert len(caught.value.backtrace) == 1
    assert "wasm function 0" in caught.value.backtrace[0]


def test_a_stack_overflow_is_a_trap_too(command):
    text = PLAIN.format("(call $deep)) (func $deep (result i32) (i32.add (i32.const 1) (call $deep))", 0)
    with pytest.raises(GuestTrap, match="call stack exhausted"):
        command(text)


def test_memory_is_bounded(command):
    """A hostile binary that makes a tool eat memory must not take the machine with it."""
    grow = "(i32.eq (memory.grow (i32.const {0})) (i32.const -1))) (memory 1) (func"
    assert command(PLAIN.format(grow.format(1000), 0)).code == 0
    assert command(PLAIN.format(grow.format(40000), 0)).code == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a component that can run"),
        (b"\x00asm\x0d\x00\x01\x00\x07", "not a component that can run"),
        (wasmtime.wat2wasm("(module)"), "not a component that can run"),
        (wasmtime.wat2wasm("(component)"), "does not export wasi:cli/run"),
    ],
    ids=["empty", "truncated", "core module", "no command"],
)
def test_what_is_no_command_is_said_to_be_none(tmp_path, content, message):
    (tmp_path / "x.wasm").write_bytes(content)
    with pytest.raises(IntegrityError, match=message):
        run_command(tmp_path / "x.wasm", ["x"], tmp_path, cache=tmp_path / "cache")


def test_a_loop_ends_at_its_timeout_and_the_next_run_is_fine(command):
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        command(LOOP, timeout=0.3)
    assert time.monotonic() - started < 3
    assert command(PLAIN.format("(i32.const 0)", 0), timeout=5).code == 0
    with pytest.raises(DeadlineExceeded):
        command(LOOP, timeout=0.1)


def test_ctrl_c_ends_a_loop(command):
    """Python handles signals between bytecodes only: a call straight into the engine would not notice.

    The wait must not end before the run does, either: its folder and its store are about to go.
    """
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        command(LOOP)
    assert time.monotonic() - started < 3
    time.sleep(0.1)  # from its last step to its end
    assert not [thread for thread in threading.enumerate() if thread.name == "ringfence-command"]


def test_an_end_by_timeout_does_not_reach_other_runs(command):
    """Stores of one engine share its epoch; so runs at the same time must not share an engine."""
    busy = PLAIN.format(
        "(local $i i32) (loop $l (local.set $i (i32.add (local.get $i) (i32.const 1)))"
        " (br_if $l (i32.lt_u (local.get $i) (i32.const 1500000000)))) (i32.const 0)",
        0,
    )

    def outcome(timeout):
        try:
            return command(busy, timeout=timeout).code
        except DeadlineExceeded:
            return "late"

    command(busy)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(outcome, [60, 0.05, 60, 0.05])) == [0, "late", 0, "late"]


def test_a_changed_file_is_another_command(tmp_path):
    file = tmp_path / "x.wasm"
    for code in (0, 1, 0):
        file.write_bytes(wasmtime.wat2wasm(PLAIN.format(f"(i32.const {code})", 0)))
        assert run_command(file, ["x"], tmp_path, cache=tmp_path / "cache").code == code
