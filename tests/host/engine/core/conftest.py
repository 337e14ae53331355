"""Both engines side by side."""

import pytest
from host.engine.conftest import LANES, LIBC, Call, echo_text
from ringfence.contract.limits import Limits


class Side:
    """One engine's instance of a component; what its host functions got and answered is kept apart from the other's."""

    def __init__(self, lane, artifacts, imports, limits):
        engine = LANES[lane]()
        self.lane, self.seen = lane, []
        self.loaded = engine.load(artifacts)
        self.linked = engine.link(self.loaded, imports(self))
        self.limits = limits
        self.instance = self.linked.instantiate(limits, Call())
        assert type(self.instance).__module__ == f"ringfence.engine.{lane}.instance", "each side runs on its own engine"

    def renew(self):
        """A fresh instance in the place of one that has trapped."""
        self.instance.close()
        self.instance = self.linked.instantiate(self.limits, Call())

    def outcome(self, function, *arguments):
        """What a call ends in: a value, or an error's class and text, and what it cost."""
        call = Call()
        name = function if isinstance(function, tuple) else ("", function)
        try:
            value = "value", self.instance.call(name, arguments, call)
        except Exception as error:
            value = type(error).__name__, str(error)
        return (*value, self.instance.trapped)


@pytest.fixture
def sides(assemble):
    """`sides(text, imports)`: the component on both engines; `imports(side)` gives its host functions."""
    opened = []

    def made(text, imports=lambda side: {}, limits=None):
        artifacts = assemble(text)
        pair = [Side(lane, artifacts, imports, limits or Limits()) for lane in LANES]
        opened.extend(pair)
        return pair

    yield made
    for side in opened:
        side.instance.close()


@pytest.fixture
def core(assemble):
    """`core(text, imports)`: an instance on the core engine."""
    opened = []

    def made(text, imports=None, limits=None):
        engine = LANES["core"]()
        opened.append(engine.link(engine.load(assemble(text)), imports or {}).instantiate(limits or Limits(), Call()))
        return opened[-1]

    yield made
    for instance in opened:
        instance.close()


__all__ = ["LIBC", "Call", "echo_text"]
