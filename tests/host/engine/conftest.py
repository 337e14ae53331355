"""What the engines' tests share: a small context, components from text, and an echo component for any WIT type.

Whatever uses `link`, `start` or `echo` runs once on each engine (the fixture `lane`).
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import wasmtime
from host.engine.relay import LIBC, echo_text
from ringfence.contract.errors import DeadlineExceeded, LimitExceeded
from ringfence.contract.limits import Limits
from ringfence.contract.names import digest_of
from ringfence.engine.component import ComponentEngine
from ringfence.engine.core import CoreEngine
from ringfence.engine.seam import Artifacts
from ringfence_composer.decompose import Decomposed, decompose
from ringfence_composer.toolchain import Toolchain

LANES = {"component": ComponentEngine, "core": CoreEngine}


class Call:
    """A context as the seam wants it: a deadline, a count of output, a reason to stop."""

    def __init__(self, seconds: float = 20.0, output: int = 1 << 30):
        self.until = time.monotonic() + seconds
        self.output, self.spent, self.checks = output, 0, 0
        self.reason: BaseException | None = None

    def check(self) -> None:
        self.checks += 1
        if self.reason is not None:
            raise self.reason
        if time.monotonic() >= self.until:
            raise DeadlineExceeded("node", "deadline", "?")

    def interrupt(self, reason: BaseException) -> None:
        self.reason = self.reason or reason

    def spend(self, count: int) -> None:
        self.spent += count
        if self.spent > self.output:
            raise LimitExceeded("node", "output", str(self.output))


@pytest.fixture
def call():
    return Call()


@pytest.fixture
def new_call():
    return Call


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session", params=LANES)
def lane(request):
    """The name of the engine that runs."""
    return request.param


@pytest.fixture(scope="session")
def assemble(tmp_path_factory, cache):
    """`assemble(text)`: a component from its text, with what each engine needs of it."""
    folder, toolchain = Path(tmp_path_factory.mktemp("components")), Toolchain()

    def assembled(text: str | bytes) -> Artifacts:
        binary = text if isinstance(text, bytes) else bytes(wasmtime.wat2wasm(text))
        digest = digest_of(binary)
        component, module, plan = (folder / f"{digest[7:]}.{kind}" for kind in ("wasm", "module", "plan"))
        component.write_bytes(binary)
        if not plan.exists():
            made = decompose(toolchain, component)
            assert isinstance(made, Decomposed), made
            module.write_bytes(made.module)
            plan.write_bytes(made.plan)
        digests = {"module_digest": digest_of(module.read_bytes()), "plan_digest": digest_of(plan.read_bytes())}
        return Artifacts(component=component, digest=digest, cache=cache, module=module, plan=plan, **digests)

    return assembled


@pytest.fixture(scope="session")
def link(lane, assemble):
    """`link(text, imports)`: a component from its text, linked."""
    engine = LANES[lane]()

    def linked(text: str, imports=None):
        return engine.link(engine.load(assemble(text)), imports or {})

    return linked


@pytest.fixture
def start(link):
    """`start(text, imports)`: an instance of a component from its text; closed after the test."""
    opened = []

    def started(text: str, imports=None, *, limits: Limits | None = None, context=None):
        instance = link(text, imports).instantiate(limits or Limits(), context or Call())
        opened.append(instance)
        return instance

    yield started
    for instance in opened:
        instance.close()


# A component that passes what it gets to the host and what it gets back to its caller


class Echo:
    """An echo component for one type; `seen` is what the host function got last, `answer` what it gives instead of that."""

    def __init__(self, start, kind, **options):
        self.seen = None
        self.answer = lambda value: value

        def host(_context, value):
            self.seen = value
            return self.answer(value)

        self.instance = start(echo_text(kind), {("", "host"): host}, **options)

    def __call__(self, value, context=None):
        return self.instance.call(("", "echo"), (value,), context or Call())


@pytest.fixture
def echo(start):
    """`echo(type)`: an Echo of it."""
    return lambda kind, **options: Echo(start, kind, **options)


@pytest.fixture(scope="session")
def text():
    """`text(name)`: a component of `fixtures/`, with the memory and allocator of `libc` where it says {LIBC}."""
    return lambda name: (Path(__file__).parent / "fixtures" / f"{name}.wat").read_text().replace("{LIBC}", LIBC)


@pytest.fixture(scope="session")
def libc():
    """Text of a core instance `$libc` with `memory`, `realloc` and `reset`."""
    return LIBC
