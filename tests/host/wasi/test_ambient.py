"""Clocks, randomness, environment, arguments, standard streams, files: nothing without a grant, and what each grant gives."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress

import pytest
from ringfence import wasi
from ringfence.contract.errors import GuestExit, LimitExceeded, UsageError
from ringfence.contract.types import FunctionType, InterfaceType
from ringfence.contract.values import Err, Ok, WitError, record_class
from ringfence.gate import Refused
from ringfence.wasi import stdio


@pytest.mark.parametrize(
    ("interface", "function", "arguments"),
    [
        ("clocks/monotonic-clock", "now", ()),
        ("clocks/monotonic-clock", "resolution", ()),
        ("clocks/monotonic-clock", "subscribe-duration", (1,)),
        ("clocks/monotonic-clock", "subscribe-instant", (1,)),
        ("clocks/wall-clock", "now", ()),
        ("clocks/wall-clock", "resolution", ()),
        ("random/random", "get-random-bytes", (1,)),
        ("random/random", "get-random-u64", ()),
        ("random/insecure", "get-insecure-random-bytes", (1,)),
        ("random/insecure", "get-insecure-random-u64", ()),
        ("random/insecure-seed", "insecure-seed", ()),
    ],
)
def test_clocks_and_randomness_trap_without_a_grant_and_work_with_it(guest, interface, function, arguments):
    one = guest(clocks=["wall"] if "monotonic" in interface else ["monotonic"])
    with pytest.raises(Refused) as refused:
        one(interface, function, *arguments)
    assert one.denials == [refused.value.denial]
    assert guest(clocks=["monotonic", "wall"], random="secure")(interface, function, *arguments) is not None


def test_the_clocks_tell_the_time_but_not_how_long_the_host_is_up(guest):
    one = guest(clocks=["monotonic", "wall"])
    first = one("clocks/monotonic-clock", "now")
    assert first <= one("clocks/monotonic-clock", "now") < 60_000_000_000
    assert abs(one("clocks/wall-clock", "now").seconds - time.time()) < 5


def test_frozen_clocks_stand_still_but_for_what_was_waited(guest):
    one = guest(clocks={"frozen": "2026-01-01T00:00:00.25Z"})
    assert one("clocks/wall-clock", "now")._values() == (1_767_225_600, 250_000_000)
    time.sleep(0.002)
    assert one("clocks/monotonic-clock", "now") == 0
    one.method("io/poll", "pollable.block", one("clocks/monotonic-clock", "subscribe-duration", 5_000_000))
    assert one("clocks/monotonic-clock", "now") == 5_000_000, "else a guest that waits for a time would wait forever"
    assert one("clocks/wall-clock", "now").seconds == 1_767_225_600


def test_random_bytes_differ_and_are_bounded(guest):
    one = guest(random="secure")
    assert one("random/random", "get-random-bytes", 32) != one("random/random", "get-random-bytes", 32)
    assert one("random/random", "get-random-bytes", 0) == b""
    with pytest.raises(LimitExceeded):
        one("random/random", "get-random-bytes", 1 << 60)


def test_seeded_bytes_are_the_same_for_every_instance_and_differ_by_seed(guest):
    def taken(seed):
        one = guest(random={"seeded": seed})
        return (
            one("random/random", "get-random-bytes", 32),
            one("random/random", "get-random-u64"),
            one("random/insecure-seed", "insecure-seed"),
        )

    assert taken(42) == taken(42) == taken("42")
    assert taken(42) != taken(43)
    first, second, _ = taken(42)
    assert first[:8] != second.to_bytes(8, "little")


@pytest.mark.parametrize("form", ["secure", {"seeded": 1}])
def test_the_seed_of_hash_tables_stays_the_same_for_an_instance(guest, form):
    one, other = guest(random=form), guest(random=form)
    first = one("random/insecure-seed", "insecure-seed")
    one("random/random", "get-random-u64")
    assert one("random/insecure-seed", "insecure-seed") == first
    assert (other("random/insecure-seed", "insecure-seed") == first) == (form != "secure")


def test_the_time_zone_is_utc_and_tells_nothing_of_the_host(guest, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    one = guest()
    when = record_class(("seconds", "nanoseconds"))(1_767_225_600, 0)
    display = one("clocks/timezone", "display", when)
    assert (display.utc_offset, display.name, display.in_daylight_saving_time) == (0, "UTC", False)
    assert one("clocks/timezone", "utc-offset", when) == 0


def test_only_granted_variables_are_there(guest):
    host = {"PGPASSWORD": "hunter2", "HOME": "/root", "BROKEN": "\udcff"}
    assert guest(environment=host)("cli/environment", "get-environment") == []
    one = guest(env=["PGPASSWORD", "ABSENT", "BROKEN", {"TZ": "UTC"}], environment=host)
    assert sorted(one("cli/environment", "get-environment")) == [("PGPASSWORD", "hunter2"), ("TZ", "UTC")]
    assert one.denials == []
    assert "hunter2" not in repr(one.state) + repr(one.state.policy) + repr(one.call) + repr(one.state.policy.of("env"))


def test_the_host_environment_is_the_default(guest, monkeypatch):
    monkeypatch.setenv("RINGFENCE_TEST", "yes")
    one = guest(env=["RINGFENCE_TEST"])
    one.state = type(one.state)(policy=one.state.policy, node="vendor")
    one.call.state = one.state
    assert one("cli/environment", "get-environment") == [("RINGFENCE_TEST", "yes")]


def test_arguments_are_those_granted_and_there_is_no_working_directory(guest):
    assert guest()("cli/environment", "get-arguments") == []
    assert guest(args=["a", "b c"])("cli/environment", "get-arguments") == ["a", "b c"]
    assert guest(args=["a"])("cli/environment", "initial-cwd") is None


def test_stdin_is_empty_without_a_grant(guest):
    one = guest()
    with pytest.raises(WitError) as ended:
        one.reads("blocking-read", one("cli/stdin", "get-stdin"), 10)
    assert ended.value.value.name == "closed"
    assert one.denials == []


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_output_goes_nowhere_without_a_grant_and_counts(guest, capfd, caplog, stream):
    """A print somewhere in a library must not trap it; and no denial, since last words must not hide what a guest died of."""
    caplog.set_level(logging.DEBUG)
    one = guest(output=100)
    out = one(f"cli/{stream}", f"get-{stream}")
    one.writes("blocking-write-and-flush", out, b"x" * 100)
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert one.denials == []
    with pytest.raises(LimitExceeded):
        one.writes("blocking-write-and-flush", out, b"x")


def test_inherited_output_reaches_the_hosts_and_counts(guest, capfd):
    one = guest(stdout="inherit", stderr="inherit", output=20)
    one.writes("blocking-write-and-flush", one("cli/stdout", "get-stdout"), b"out\n")
    one.writes("blocking-write-and-flush", one("cli/stderr", "get-stderr"), b"err\n")
    assert capfd.readouterr() == ("out\n", "err\n")
    with pytest.raises(LimitExceeded):
        one.writes("blocking-write-and-flush", one("cli/stdout", "get-stdout"), b"x" * 20)


def test_discarded_output_counts_too(guest):
    one = guest(stdout="discard", output=1000)
    out = one("cli/stdout", "get-stdout")
    for _ in range(10):
        one.writes("blocking-write-and-flush", out, b"x" * 100)
    with pytest.raises(LimitExceeded):
        one.writes("blocking-write-and-flush", out, b"x")


def test_a_terminal_sees_no_control_characters(guest, capfd, monkeypatch):
    monkeypatch.setattr(os, "isatty", lambda _: True)
    one = guest(stdout="inherit")
    one.writes(
        "blocking-write-and-flush",
        one("cli/stdout", "get-stdout"),
        "a\x1b[31m\tb\u202e\x9b\n\xff".encode("latin-1", "ignore") + b"\xe2\x82\xac\n",
    )
    assert capfd.readouterr().out == "a\\x1b[31m\tb\\x9b\n\\xff€\n"


def test_the_log_gets_escaped_lines_never_formats(guest, caplog):
    caplog.set_level(logging.INFO, logger="ringfence.vendor")
    one = guest(stderr="log")
    out = one("cli/stderr", "get-stderr")
    for piece in (b"%s %d {0}\x1b[2J", b"\r\nsecond\xff\n\nlast ", "ü\u202e".encode()):
        one.writes("blocking-write-and-flush", out, piece)
    assert [record.getMessage() for record in caplog.records] == ["stderr: %s %d {0}\\x1b[2J", "stderr: second\\xff", "stderr: "]
    one.writes("blocking-write-and-flush", one("cli/stderr", "get-stderr"), b"!" * 4000)
    one.writes("blocking-write-and-flush", out, b"?" * 4000)
    assert max(len(record.getMessage()) for record in caplog.records) < 5000
    one.state.close()
    assert "last ü\\u202e!!!" in caplog.text
    assert {record.name for record in caplog.records} == {"ringfence.vendor"}


def test_stdin_is_read_from_a_file_by_each_instance_from_its_beginning(guest, tmp_path):
    (tmp_path / "in.txt").write_bytes(b"one two")
    for _ in range(2):
        one = guest(stdin={"file": "in.txt"}, beside=tmp_path)
        first, second = (one("cli/stdin", "get-stdin") for _ in range(2))
        assert one.reads("blocking-read", first, 3) == b"one"
        assert one.reads("blocking-read", second, 100) == b" two", "they are one stream"
        for stream in (first, second):
            with pytest.raises(WitError) as ended:
                one.reads("blocking-read", stream, 1)
            assert ended.value.value.name == "closed"


def test_output_goes_to_the_end_of_a_file_and_counts(guest, tmp_path):
    (tmp_path / "out.txt").write_bytes(b"before\n")
    one = guest(stdout={"file": "out.txt"}, stderr={"file": "new.txt"}, output=100, written=20, beside=tmp_path)
    out, err = one("cli/stdout", "get-stdout"), one("cli/stderr", "get-stderr")
    one.writes("blocking-write-and-flush", out, b"hello\n")
    one.writes("blocking-write-and-flush", err, b"\x1b[31m\n")
    assert (tmp_path / "out.txt").read_bytes() == b"before\nhello\n"
    assert (tmp_path / "new.txt").read_bytes() == b"\x1b[31m\n", "a file is no terminal: it takes what is written"
    assert (tmp_path / "new.txt").stat().st_mode & 0o7133 == 0
    with pytest.raises(LimitExceeded) as failed:
        one.writes("blocking-write-and-flush", out, b"x" * 9)
    assert failed.value.limit == "written"
    assert (tmp_path / "out.txt").stat().st_size == 13


def test_a_file_put_in_the_place_of_another_is_not_used(guest, tmp_path):
    """It is opened when the graph is loaded: what a guest of another node may rename later cannot send this one's output elsewhere."""
    one = guest(stdout={"file": "out.txt"}, beside=tmp_path)
    (tmp_path / "out.txt").rename(tmp_path / "old.txt")
    (tmp_path / "target.txt").touch()
    (tmp_path / "out.txt").symlink_to("target.txt")
    one.writes("blocking-write-and-flush", one("cli/stdout", "get-stdout"), b"hello")
    assert (tmp_path / "old.txt").read_bytes() == b"hello"
    assert (tmp_path / "target.txt").read_bytes() == b""


def test_a_stdin_that_is_a_folder_is_an_error_of_the_file_system(guest, tmp_path):
    """What broke is told in a code that a guest can ask for."""
    kept = os.dup(0)
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        os.dup2(folder, 0)
        one = guest(stdin="inherit")
        with pytest.raises(WitError) as broken:
            one.reads("blocking-read", one("cli/stdin", "get-stdin"), 10)
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(folder)
    assert broken.value.value.name == "last-operation-failed"
    assert one("filesystem/types", "filesystem-error-code", broken.value.value.value) == "is-directory"


def test_inherited_stdin_is_read_and_waited_for(guest):
    near, far = os.pipe()
    saved = os.dup(0)
    os.dup2(near, 0)
    try:
        one = guest(stdin="inherit")
        stdin = one("cli/stdin", "get-stdin")
        assert one.reads("read", stdin, 10) == b""
        os.write(far, b"hello")
        assert one.reads("blocking-read", stdin, 10) == b"hello"
        os.close(far)
        with pytest.raises(WitError):
            one.reads("blocking-read", stdin, 10)
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(near)


@pytest.mark.parametrize(("status", "code"), [(Ok(), 0), (Err(), 1)])
def test_exit_ends_the_guest(guest, status, code):
    with pytest.raises(GuestExit) as left:
        guest()("cli/exit", "exit", status)
    assert left.value.status == code


def test_there_are_no_terminals_and_no_directories(guest):
    one = guest(stdin="inherit", stdout="inherit", stderr="inherit")
    for stream in ("stdin", "stdout", "stderr"):
        assert one(f"cli/terminal-{stream}", f"get-terminal-{stream}") is None
    assert one("filesystem/preopens", "get-directories") == []


def interface(*functions):
    return InterfaceType(functions={name: FunctionType((), None) for name in functions})


def test_imports_are_found_on_the_whole_track(guest):
    for version in ("0.2.0", "0.2.6", "0.2.12", "0.2.99"):
        name = f"wasi:clocks/monotonic-clock@{version}"
        assert set(wasi.imports({name: interface("now")})) == {(name, "now")}


@pytest.mark.parametrize(
    "name",
    [
        "wasi:clocks/monotonic-clock@0.3.0",
        "wasi:clocks/monotonic-clock@0.2.0-rc-2023-11-10",
        "wasi:clocks/monotonic-clock",
        "wasi:http/types@0.2.0",
        "nonsense",
    ],
)
def test_an_interface_nobody_serves_is_an_error(name):
    assert not wasi.serves(name)
    with pytest.raises(UsageError, match="does not serve"):
        wasi.imports({name: interface()})


def test_all_unknown_functions_are_named_together():
    with pytest.raises(UsageError, match=r"@0\.2\.0 later.*@0\.2\.0 sooner"):
        wasi.imports({"wasi:clocks/wall-clock@0.2.0": interface("now", "sooner", "later")})


def test_a_pipe_that_is_ready_for_one_thread_blocks_no_other(monkeypatch):
    """Two guests may find the same pipe writable; who comes second must not wait in the system, where no deadline is seen."""
    reader, writer = os.pipe()
    monkeypatch.setitem(stdio._DESCRIPTORS, "stdout", writer)
    slow, stop = [], threading.Event()

    def push(sink):
        while not stop.is_set():
            started = time.monotonic()
            sink.push(b"x" * 4096)
            if time.monotonic() - started > 0.04:
                slow.append(time.monotonic() - started)
            time.sleep(0)

    threads = [threading.Thread(target=push, args=(stdio.Inherit(None, "stdout"),), daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        time.sleep(0.06)
        os.read(reader, 4096)
    stop.set()
    os.set_blocking(reader, False)
    while any(thread.is_alive() for thread in threads):
        with suppress(BlockingIOError):
            os.read(reader, 1 << 16)
        time.sleep(0.01)
    os.close(reader)
    os.close(writer)
    assert len([one for one in slow if one > 0.055]) == 0


def test_random_bytes_at_once_are_few_enough_for_an_engine_to_carry(guest):
    """Sixteen megabytes took an engine 1.3 GB and two seconds in which no deadline was seen."""
    one = guest(random="secure")
    assert len(one("random/random", "get-random-bytes", 1 << 20)) == 1 << 20
    with pytest.raises(LimitExceeded):
        one("random/random", "get-random-bytes", (1 << 20) + 1)
