"""The game of broken components: the Decomposer refuses them, says what is wrong, or makes of them what the reference engine makes.

Components of the tests are changed, as text (numbers, names, whole forms) or as bytes. Whatever both engines still run is run with values
of its types; host functions answer with others.
"""

from __future__ import annotations

import base64
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import wasmtime
from host.engine.conftest import Call
from host.engine.core.hostile.game import Document, Game, Round
from host.engine.core.hostile.image import ENDS
from host.engine.core.hostile.play import Thing, outcome_of, plain
from host.engine.core.hostile.world import World
from host.engine.relay import LIBC, echo_text
from host.engine.test_any_type import SHAPES, Maker
from ringfence.contract.errors import IntegrityError, LimitExceeded
from ringfence.contract.limits import Limits
from ringfence.contract.names import digest_of
from ringfence.contract.types import Borrow, ListOf, Own, ResultOf, TupleOf
from ringfence.contract.values import Err, WitError
from ringfence.engine.component import ComponentEngine
from ringfence.engine.core import CoreEngine
from ringfence.engine.core.functions import ImportPlan
from ringfence.engine.core.layout import holds
from ringfence.engine.core.memory import Border
from ringfence.engine.seam import Artifacts
from ringfence_composer.decompose import Decomposed, Refused, decompose
from ringfence_composer.errors import InputInvalid
from ringfence_composer.toolchain import Toolchain

HERE = Path(__file__)
SOURCES = [*(HERE.parents[4] / "composer" / "decompose").glob("*.wat"), *(HERE.parents[2] / "fixtures").glob("*.wat")]
LIMITS = Limits(memory=32 << 20)
MOST_STEPS = 12


class ComponentRound(Round):
    """One binary."""

    def __init__(self, binary: bytes, seed: int, changes: list[str]) -> None:
        self._binary, self._seed, self._changes = binary, seed, changes
        self.note = self.find()

    def find(self) -> Document:
        return {"binary": base64.b64encode(self._binary).decode(), "seed": self._seed, "changes": self._changes}

    def play(self) -> Counter[str]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            made = _made(folder, self._binary)
            if not isinstance(made, Artifacts):
                return Counter([made])
            try:
                reference = ComponentEngine().load(made)
            except IntegrityError:
                _loads_or_says_why(made)
                return Counter(["refused by the reference"])
            core, written = CoreEngine().load(made), _Written()
            unlike = b"utf16" in (folder / "plan").read_bytes() or not _results(core.imports) <= _results(core.exports)
            _equal("types", (dict(reference.imports), dict(reference.exports)), (dict(core.imports), dict(core.exports)))
            found = [_run(ComponentEngine(), made, self._seed, written)]
            with written:
                found.append(_run(CoreEngine(), made, self._seed, written))
        if any(("deadline",) in step or ("limit", "memory") in step for one in found for step in one):
            return Counter(["cut short"])
        if written.overlap:
            return Counter(["overlapping"])
        if found[0] != found[1] and _fails_earlier(*found):
            return Counter(["fails at its start"])
        # Texts that are not UTF-8 are lowered into other places, and what a guest reads as another type than was written has padding in it.
        if unlike and found[0] != found[1] and _kinds(found[0]) == _kinds(found[1]):
            return Counter(["alike"])
        _equal("runs", *found)
        return Counter([step[0][0] for step in found[1]])


class _Written:
    """Whether the core engine, while this is entered, writes two values of one call to memory that they share.

    What is in it then is as an engine likes: the two differ in what they do with padding, and when. Mutants of allocators do that, and of
    the places where results go.
    """

    def __init__(self) -> None:
        self.overlap = False
        self.ranges: list[tuple[object, int, int]] = []

    def __enter__(self) -> None:
        self._alloc, self._write = Border.alloc, ImportPlan._write

        def alloc(border: Border, size: int, alignment: int) -> int:
            return self._note(border, self._alloc(border, size, alignment), size)

        def write(plan: ImportPlan, border: Border, values: int, block: bytes, parts: Any) -> None:
            if plan._returned:
                self._note(border, int.from_bytes(block[plan._where :][:4], "little"), plan._extent[0])
            self._write(plan, border, values, block, parts)

        Border.alloc, ImportPlan._write = alloc, write  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        Border.alloc, ImportPlan._write = self._alloc, self._write  # type: ignore[method-assign]

    def _note(self, border: Border, pointer: int, size: int) -> int:
        memory, end = border._memory, pointer + size
        self.overlap = self.overlap or any(memory is other and pointer < last and first < end for other, first, last in self.ranges)
        self.ranges.append((memory, pointer, end))
        return pointer


def _made(folder: Path, binary: bytes) -> Artifacts | str:
    """What the Decomposer makes of it, or which kind of refusal it is."""
    component, module, plan = (folder / name for name in ("component", "module", "plan"))
    component.write_bytes(binary)
    try:
        made = decompose(Toolchain(), component)
    except InputInvalid:
        return "invalid"
    if isinstance(made, Refused):
        return "refused: " + " ".join(sorted({reason.hazard for reason in made.reasons}))
    assert isinstance(made, Decomposed)
    module.write_bytes(made.module)
    plan.write_bytes(made.plan)
    digests = {"module_digest": digest_of(made.module), "plan_digest": digest_of(made.plan)}
    return Artifacts(component=component, digest=digest_of(binary), module=module, plan=plan, **digests)


def _loads_or_says_why(made: Artifacts) -> None:
    try:
        CoreEngine().load(made)
    except IntegrityError:
        return


def _fails_earlier(reference: list[tuple[Any, ...]], core: list[tuple[Any, ...]]) -> bool:
    """Whether neither starts, core before it has come as far: it makes all memories and tables at once, and has no room for the last."""
    (first, *seen), (other, *later) = core[0], reference[0]
    return len(core) == len(reference) == 1 and first == other and first[0] != "value" and later[: len(seen)] == seen


def _results(interfaces: Mapping[str, Any]) -> set[Any]:
    return {kind.result for declared in interfaces.values() for kind in declared.functions.values() if kind.result is not None}


def _kinds(steps: list[tuple[Any, ...]]) -> list[Any]:
    return [(step[0][0], len(step)) for step in steps]


def _equal(what: str, reference: Any, core: Any) -> None:
    if reference != core:
        raise AssertionError(f"{what}\n  component {reference}\n  core      {core}")


def _run(engine: Any, made: Artifacts, seed: int, written: _Written) -> list[tuple[Any, ...]]:
    """Call its functions with values of their types, in a random order: what each call ends in, and what the host saw."""
    loaded, pick, seen, handles = engine.load(made), random.Random(seed), [], []
    imports = {}
    for interface, declared in loaded.imports.items():
        for name, kind in declared.functions.items():
            imports[interface, name] = _host(kind, Maker(seed), seen)
    steps: list[tuple[Any, ...]] = []
    try:
        instance = engine.link(loaded, imports).instantiate(LIMITS, Call(0.3))
    except Exception as error:
        return [(outcome_of(error), *seen)]
    exported = [(interface, name) for interface, declared in loaded.exports.items() for name in declared.functions]
    maker = Maker(seed)
    for _ in range(MOST_STEPS if exported else 0):
        interface, name = pick.choice(exported)
        kind = loaded.exports[interface].functions[name]
        written.ranges.clear()
        try:
            arguments = [_value(maker, param, handles) for _, param in kind.params]
            value = instance.call((interface, name), arguments, Call(0.3))
            handles += [part for part in (value if isinstance(value, list) else [value]) if type(part).__name__ == "GuestHandle"]
            outcome: tuple[Any, ...] = ("value", plain(value))
        except Exception as error:
            outcome = outcome_of(error)
        steps.append((outcome, instance.trapped, *seen))
        seen.clear()
        if instance.trapped:
            break
    instance.close()
    return steps


def _host(kind: Any, maker: Maker, seen: list[Any]) -> Any:
    def function(_context: Any, *arguments: Any) -> Any:
        seen.append(plain(list(arguments)))
        if len(seen) > 200:
            raise LimitExceeded("", "memory", "calls")
        value = None if kind.result is None else _value(maker, kind.result, [])
        if isinstance(kind.result, ResultOf):
            if isinstance(value, Err):
                raise WitError(value.value)
            return value.value
        return value

    return function


def _value(maker: Maker, kind: Any, handles: list[Any]) -> Any:
    """A value of this type; things for resources of the host, handles that there are for a guest's."""
    match kind:
        case Own(resource) | Borrow(resource):
            return handles[maker.random.randrange(len(handles))] if resource.guest and handles else Thing(maker.random.randrange(100))
        case ListOf(element) if holds(element, (Own, Borrow)):
            return [_value(maker, element, handles) for _ in range(maker.random.randrange(3))]
        case TupleOf(elements) if holds(kind, (Own, Borrow)):
            return tuple([_value(maker, element, handles) for element in elements])
    return None if holds(kind, (Own, Borrow)) else maker.value(kind)


class Components(Game):
    """Components of the tests with something changed."""

    name = "components"

    def rounds(self, draw: random.Random) -> Iterator[Round]:
        sources = [path.read_text().replace("{LIBC}", LIBC) for path in SOURCES]
        while True:
            seed = draw.getrandbits(40)
            pick = random.Random(seed)
            how = pick.random()
            if how < 0.15:
                text = World.of(pick.getrandbits(40)).text
            elif how < 0.3:
                text = echo_text(TupleOf((Maker(seed).type(3, pick.choice(SHAPES)),)))
            else:
                text = pick.choice(sources)
            found = _changed(text, pick)
            if found is not None:
                yield ComponentRound(*found[:1], seed, found[1])

    def noted(self, note: Document) -> Round:
        return self.kept(note)

    def kept(self, find: Document) -> Round:
        return ComponentRound(base64.b64decode(find["binary"]), find["seed"], find["changes"])


_NUMBER = re.compile(r"(?<=[ (])-?(?:0x[0-9a-f]+|\d+)(?=[ )])")
_NAME = re.compile(r"\$[\w'-]+")
_FORM = re.compile(r"\((?:[^()]|\([^()]*\))*\)")
_WORDS = ("utf8", "utf16", "latin1+utf16"), ("i32", "i64", "f32", "f64"), ("own", "borrow"), ("load", "store"), ("u8", "u32", "s64", "char")


def _changed(text: str, pick: random.Random) -> tuple[bytes, list[str]] | None:
    """The component with a few changes, and what they are; None where it is no text of a component any more."""
    changes = []
    for _ in range(pick.choice([1, 1, 1, 2, 3])):
        if pick.random() < 0.8:
            text, change = _text_change(text, pick)
            changes.append(change)
    try:
        binary = bytes(wasmtime.wat2wasm(text))
    except wasmtime.WasmtimeError:
        return None
    if pick.random() < 0.25:
        data = bytearray(binary)
        for _ in range(pick.choice([1, 1, 2, 4])):
            at = pick.randrange(8, len(data))
            data[at] = pick.choice([pick.getrandbits(8), data[at] ^ 1 << pick.randrange(8), (data[at] + 1) & 0xFF])
            changes.append(f"byte {at}")
        binary = bytes(data)
    return binary, changes


def _text_change(text: str, pick: random.Random) -> tuple[str, str]:
    how = pick.choice(["number", "number", "name", "word", "drop", "double", "swap"])
    if how == "word":
        words: Mapping[str, tuple[str, ...]] = {word: group for group in _WORDS for word in group}
        found = list(re.finditer("|".join(rf"\b{re.escape(word)}\b" for word in words), text))
        pattern = None
    else:
        pattern = {"number": _NUMBER, "name": _NAME}.get(how, _FORM)
        found = list(pattern.finditer(text))
    if not found:
        return text, "nothing"
    place = pick.choice(found)
    other = pick.choice(found).group()
    replaced = {
        "number": lambda: str(pick.choice([*ENDS, -1, 5, 6, 9, 16, 24])),
        "name": lambda: other,
        "word": lambda: pick.choice(words[place.group()]),
        "drop": lambda: "",
        "double": lambda: place.group() * 2,
        "swap": lambda: other,
    }[how]()
    return text[: place.start()] + replaced + text[place.end() :], f"{how} {place.group()[:60]!r} -> {replaced[:60]!r}"
