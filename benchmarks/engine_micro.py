"""Both engines, the same components, one run: where the microseconds of single calls go.

    python benchmarks/engine_micro.py [--component COMPONENT.wasm MODULE.wasm PLAN.json]

With --component a fresh instance of that component is timed, too, each import answered by nothing. Each figure is the best of nine
rounds, in microseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import wasmtime
from ringfence.contract.limits import Limits
from ringfence.contract.names import digest_of
from ringfence.contract.values import Fill
from ringfence.engine.component import ComponentEngine
from ringfence.engine.core import CoreEngine
from ringfence.engine.seam import Artifacts
from ringfence_composer.decompose import Decomposed, decompose
from ringfence_composer.toolchain import Toolchain

LIBC = """
  (core module $libc_module
    (memory (export "memory") 200)
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1))) (i32.sub (i32.const 0) (local.get 2))))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    (func (export "reset") (global.set $top (i32.const 1024))))
  (core instance $libc (instantiate $libc_module))
"""

TEXT = f"""(component
  (type $d0 (record (field "sku" string) (field "quantity" u32) (field "unit-price" s64))) (import "t0" (type $line (eq $d0)))
  (import "nothing" (func $nothing))
  (import "read" (func $read (param "n" u32) (result (list u8))))
  {LIBC}
  (core func $nothing-core (canon lower (func $nothing)))
  (core func $read-core (canon lower (func $read) (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core module $m
    (import "" "memory" (memory 1))
    (import "" "nothing" (func $nothing))
    (import "" "read" (func $read (param i32 i32)))
    (import "" "reset" (func $reset))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "record") (result i32)
      (i32.store (i32.const 64) (i32.const 100)) (i32.store (i32.const 68) (i32.const 6))
      (i32.store (i32.const 72) (i32.const 7)) (i64.store (i32.const 80) (i64.const 5)) (i32.const 64))
    (func (export "pass") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))
    (func (export "callback") (param i32) (loop $on
      (call $nothing) (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if $on (local.get 0))))
    (func (export "read") (param i32 i32) (loop $on
      (call $read (local.get 0) (i32.const 32)) (call $reset)
      (local.set 1 (i32.sub (local.get 1) (i32.const 1))) (br_if $on (local.get 1))))
    (func (export "after") (param i32) (call $reset))
    (data (i32.const 100) "ABC-17"))
  (core instance $i (instantiate $m (with "" (instance (export "memory" (memory $libc "memory"))
    (export "nothing" (func $nothing-core)) (export "read" (func $read-core)) (export "reset" (func $libc "reset"))))))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (func (export "record") (result $line) (canon lift (core func $i "record") (memory (core memory $libc "memory"))))
  (func (export "lines") (param "x" (list $line)) (result (list $line)) (canon lift (core func $i "pass")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")) (post-return (core func $i "after"))))
  (func (export "text") (param "x" string) (result string) (canon lift (core func $i "pass")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")) (post-return (core func $i "after"))))
  (func (export "bytes") (param "x" (list u8)) (result (list u8)) (canon lift (core func $i "pass")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")) (post-return (core func $i "after"))))
  (func (export "numbers") (param "x" (list f64)) (result (list f64)) (canon lift (core func $i "pass")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")) (post-return (core func $i "after"))))
  (func (export "callback") (param "n" u32) (canon lift (core func $i "callback")))
  (func (export "read") (param "n" u32) (param "times" u32) (canon lift (core func $i "read"))))"""

CALL: Any = SimpleNamespace(check=lambda: None, spend=lambda _count: None, interrupt=lambda _reason: None)
BLOCK = 64 << 10


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--component", nargs=3, type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        artifacts = decomposed(Path(folder))
        columns = {name: measure(engine, artifacts, Path(folder)) for name, engine in ENGINES.items()}
        if options.component:
            for name, engine in ENGINES.items():
                columns[name]["fresh instance, close"] = fresh(engine, *options.component, Path.home() / ".cache/ringfence-bench")
        columns["plain"] = {"64 KiB read into the guest": pread(Path(folder))}
    rows = list(columns["core"])
    print(f"{'µs, best of 9':34}" + "".join(f"{name:>12}" for name in columns) + "       ratio")
    for row in rows:
        cells = [columns[name].get(row) for name in columns]
        first, second = columns["component"].get(row), columns["core"].get(row)
        ratio = f"{second / first:12.3f}" if first and second else ""
        print(f"{row:34}" + "".join(f"{'' if cell is None else format(cell, '.2f'):>12}" for cell in cells) + ratio)


ENGINES = {"component": ComponentEngine, "core": CoreEngine}


def decomposed(folder: Path) -> Artifacts:
    """The component above and what the toolchain makes of it."""
    component, module, plan = (folder / name for name in ("c.wasm", "m.wasm", "p.json"))
    component.write_bytes(bytes(wasmtime.wat2wasm(TEXT)))
    made = decompose(Toolchain(), component)
    assert isinstance(made, Decomposed), made
    module.write_bytes(made.module)
    plan.write_bytes(made.plan)
    return artifacts_of(component, module, plan, folder)


def artifacts_of(component: Path, module: Path, plan: Path, cache: Path) -> Artifacts:
    """The artifacts, with the digests that the plan names."""
    digests = json.loads(plan.read_bytes())
    return Artifacts(
        component=component,
        digest=digests["component"],
        cache=cache,
        module=module,
        module_digest=digests["module"],
        plan=plan,
        plan_digest=digest_of(plan.read_bytes()),
    )


def best(work: Callable[[], Any], times: int, per: int = 1) -> float:
    """Microseconds."""
    work()
    return min(timeit.repeat(work, number=times, repeat=9)) / times / per * 1e6


def measure(engine: Any, artifacts: Artifacts, folder: Path) -> dict[str, float]:
    """One engine's figures."""
    file = os.open(data_file(folder), os.O_RDONLY)
    imports = {
        ("", "nothing"): lambda _context: None,
        ("", "read"): lambda _context, count: Fill(count, lambda view: os.preadv(file, [view], 0)),
    }
    made = engine()
    instance = made.link(made.load(artifacts), imports).instantiate(Limits(), CALL)

    def call(name: str, *arguments: Any) -> Any:
        return instance.call(("", name), arguments, CALL)

    slow = engine is ComponentEngine
    lines = [{"sku": f"sku-{number:06}", "quantity": number, "unit-price": number * 3} for number in range(1000)]
    records = call("lines", lines)
    data, numbers, text = bytes(1 << 20), [float(number) for number in range(100_000)], "x" * 16
    found = {
        "add(u32, u32)": best(lambda: call("add", 1, 2), 2000),
        "a record as result": best(lambda: call("record"), 1000),
        "text of 16 there and back": best(lambda: call("text", text), 1000),
        "1 record there and back": best(lambda: call("lines", records[:1]), 500),
        "10 records there and back": best(lambda: call("lines", records[:10]), 200),
        "1,000 records there and back, each": best(lambda: call("lines", records), 5, 1000),
        "1,000 dicts there, each": best(lambda: call("lines", lines), 5, 1000),
        "4 KiB there and back": best(lambda: call("bytes", data[:4096]), 10 if slow else 500),
        "1 MiB there and back": best(lambda: call("bytes", data), 1 if slow else 50) if not slow else once(lambda: call("bytes", data)),
        "100,000 f64 there and back": best(lambda: call("numbers", numbers), 5),
        "host callback": best(lambda: call("callback", 1000), 5, 1000),
        "64 KiB read into the guest": best(lambda: call("read", BLOCK, 20), 1, 20)
        if slow
        else best(lambda: call("read", BLOCK, 100), 5, 100),
    }
    instance.close()
    os.close(file)
    return found


def once(work: Callable[[], Any]) -> float:
    """Microseconds, of one time only."""
    return timeit.timeit(work, number=1) * 1e6


def data_file(folder: Path) -> Path:
    """A file to read from."""
    path = folder / "data"
    path.write_bytes(bytes(BLOCK))
    return path


def pread(folder: Path) -> float:
    """The same read with nothing around it."""
    file, buffer = os.open(data_file(folder), os.O_RDONLY), bytearray(BLOCK)
    found = best(lambda: os.preadv(file, [buffer], 0), 1000)
    os.close(file)
    return found


def fresh(engine: Any, component: Path, module: Path, plan: Path, cache: Path) -> float:
    """A new instance of this component, and its end."""
    made = engine()
    loaded = made.load(artifacts_of(component, module, plan, cache))
    imports = {(interface, name): lambda *_: None for interface, declared in loaded.imports.items() for name in declared.functions}
    linked = made.link(loaded, imports)
    return best(lambda: linked.instantiate(Limits(), CALL).close(), 10)


if __name__ == "__main__":
    main()
