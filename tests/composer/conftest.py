"""What the composer's tests share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ringfence_composer.toolchain import Toolchain, Wit

sys.path.append(str(Path(__file__).parent))  # for composer_doubles

WORDS = """package demo:words;

interface words {
    count: func(text: string) -> u32;
}

world plain {
    export words;
}
"""
CORE = """(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "demo:words/words#count") (param i32 i32) (result i32) (local.get 1)))
"""


@pytest.fixture
def bless(request: pytest.FixtureRequest) -> bool:
    """Whether the expected messages are to be rewritten (`just bless`)."""
    return bool(request.config.getoption("--bless", default=False))


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A real component without imports, made by the official tools, small enough to be composed at once."""
    wit = tmp_path_factory.mktemp("wit") / "words.wit"
    wit.write_text(WORDS)
    tools = Toolchain()
    return tools.new(tools.embed(Wit(path=wit, world="plain"), tools.parse(CORE)))
