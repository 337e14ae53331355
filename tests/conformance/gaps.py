"""What can't be said in a language, or to the host, though WIT can say it: each with its reason and the tool whose gap it is.

Every gap proves itself, so that one which a new version of a tool has closed is found and removed here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ringfence.contract.names import digest_of
from ringfence.engine.component import ComponentEngine
from ringfence.engine.seam import Artifacts
from ringfence_composer.decompose import Refused, decompose
from ringfence_composer.errors import InputInvalid
from ringfence_composer.toolchain import Toolchain
from ringfence_composer.tools import find, rust_environment

from .graphs import HERE, Way

CRATE = HERE / "rust" / "relay" / "crate"
_BINDINGS = "import sys; from componentize_py import script; sys.exit(script())"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """`what` can't be said, or does not hold. `rows` are the table's it shows in, by the ways of `ways`.

    `proof` takes an empty folder, and tells what the tool says: None where the gap is closed. `slow` ones take a minute.
    """

    what: str
    tool: str
    reason: str
    proof: Callable[[Path], str | None]
    rows: tuple[str, ...] = ()
    ways: Callable[[Way], bool] = lambda _: False
    slow: bool = False


def gap_of(row: str, way: Way) -> Gap | None:
    """The gap by which a row of the table has nothing to show for this way."""
    return next((gap for gap in GAPS if row in gap.rows and gap.ways(way)), None)


def _rust_version() -> str:
    packages = tomllib.loads((CRATE / "Cargo.lock").read_text("utf-8"))["package"]
    return next(str(one["version"]) for one in packages if one["name"] == "wit-bindgen")


# What the host does not take, whatever the language


def _refused(text: str) -> Callable[[Path], str | None]:
    """Both engines refuse a component with this type."""

    def proof(folder: Path) -> str | None:
        tools, file = Toolchain(), folder / "component.wasm"
        file.write_bytes(tools.parse(f'(component (import "f" (func (param "x" {text}))))'))
        try:
            made = decompose(tools, file)
            said = made.reasons[0].message if isinstance(made, Refused) else None
        except InputInvalid as error:
            said = error.message
        try:
            ComponentEngine().load(Artifacts(component=file, digest=digest_of(file.read_bytes()), cache=folder))
        except Exception:
            return said
        return None

    return proof


# What a language's bindings do not manage


def _wit(folder: Path, body: str) -> Path:
    (folder / "wit").mkdir()
    (folder / "wit" / "world.wit").write_text(f"package test:gap;\n{body}\n", "utf-8")
    return folder / "wit"


def _python(body: str) -> Callable[[Path], str | None]:
    """componentize-py's bindings of the world `gap` are no Python that could be imported."""

    def proof(folder: Path) -> str | None:
        command = [sys.executable, "-I", "-c", _BINDINGS, "-q", "-d", str(_wit(folder, body)), "-w", "gap", "bindings", str(folder / "out")]
        done = subprocess.run(command, env={"PATH": os.defpath}, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            return done.stderr.strip().splitlines()[-1]
        for file in (folder / "out" / "wit_world").rglob("*.py"):
            try:
                compile(file.read_text("utf-8"), file.name, "exec")
            except SyntaxError as error:
                return error.msg
        return None

    return proof


def _rust(body: str, source: str) -> Callable[[Path], str | None]:
    """A crate with the bindings of the world `gap` does not compile."""

    def proof(folder: Path) -> str | None:
        _wit(folder, body)
        crate = folder / "crate"
        (crate / "src").mkdir(parents=True)
        for name in ("Cargo.toml", "Cargo.lock"):
            (crate / name).write_bytes((CRATE / name).read_bytes())
        generated = 'wit_bindgen::generate!({ path: "../wit", world: "gap", generate_all });\n'
        (crate / "src" / "lib.rs").write_text(generated + source, "utf-8")
        command = [find("cargo"), "check", "--locked", "--color", "never", "--target", "wasm32-wasip2", "--message-format", "short"]
        built = rust_environment() | {"CARGO_TARGET_DIR": str(folder.parent / "target")}
        done = subprocess.run(command, cwd=crate, env=built, capture_output=True, text=True, timeout=900, check=False)
        errors = [line.partition(": error")[2] for line in done.stderr.splitlines() if ": error" in line]
        return errors[0].partition(": ")[2] if errors else None

    return proof


def _kept(folder: Path) -> str | None:
    """Shown by the table's own row: a test asks the guests."""
    return "measured"


ENGINE = f"wasmtime {version('wasmtime')}"
PYTHON = f"componentize-py {version('componentize-py')}"
RUST = f"wit-bindgen {_rust_version()}"

FREED = "freed when it is dropped"

GAPS = (
    *(
        Gap(what=what, tool=ENGINE, reason=reason, proof=_refused(text))
        for what, text, reason in (
            ("`list<T, N>`, a list of fixed length", "(list u8 4)", "off by default in the engine"),
            ("`map<K, V>`", "(map string u32)", "off by default in the engine"),
            ("`error-context`", "error-context", "off by default in the engine"),
            ("`future<T>`", "(future u8)", "asynchronous (WASI 0.3); a graph's calls are synchronous"),
            ("`stream<T>`", "(stream u8)", "asynchronous (WASI 0.3); a graph's calls are synchronous"),
        )
    ),
    Gap(
        what="a parameter called `self`, in Python",
        tool=PYTHON,
        reason="the bindings have two parameters of that name in a method",
        proof=_python("interface i { f: func(self: u8) -> u8; }\nworld gap { export i; }"),
    ),
    Gap(
        what="a case or label called `self`, in Rust",
        tool=RUST,
        reason="the bindings make `Self` of it, which no variant may be called",
        proof=_rust("interface i { enum e { self, other } f: func(x: e) -> e; }\nworld gap { import i; }", ""),
        slow=True,
    ),
    Gap(
        what="`list<borrow<T>>` of another component's resource as a parameter of an export, in Rust",
        tool=RUST,
        reason="the bindings borrow one variable for all of the list, and do not compile",
        proof=_rust(
            "interface i { resource r {} }\ninterface j { use i.{r}; f: func(x: list<borrow<r>>); }\nworld gap { import i; export j; }",
            "struct C;\nimpl exports::test::gap::j::Guest for C { fn f(_: Vec<&test::gap::i::R>) {} }\nexport!(C);\n",
        ),
        rows=("`list<borrow>`",),
        ways=lambda way: way.first == "rust" and way.pair,
        slow=True,
    ),
    Gap(
        what="freeing the object behind a resource, in Python",
        tool=PYTHON,
        reason="the bindings keep a reference to each that was once given away, in the instance's memory, until that ends",
        proof=_kept,
        rows=(FREED,),
        ways=lambda way: way.last == "python",
    ),
)
