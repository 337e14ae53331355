"""Small Python guests for the builder's tests: one world with one function, built and asked."""

from __future__ import annotations

from pathlib import Path

from ringfence_composer.builders.base import BuildContext, ComponentSource
from ringfence_composer.builders.python import PythonBuilder
from ringfence_composer.builders.snapshot import write_tree
from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime.component import Component, Linker

WIT = b"""
package test:guest;
interface probe { ask: func(question: string) -> string; }
world guest { export probe; }
"""
APP = b"""
class Probe:
    def ask(self, question):
        return question
"""


def component(folder: Path, files: dict[str, bytes], **settings: object) -> ComponentSource:
    """A component with these source files, in a folder of its own."""
    write_tree(files, folder / "src")
    write_tree({"world.wit": WIT}, folder / "wit")
    settings = {"name": "guest", "world": "guest", "module": "app", **settings}
    return ComponentSource(language="python", wit=folder / "wit", source=folder / "src", **settings)  # type: ignore[arg-type]


def build(source: ComponentSource, cache: Path, said: list[str] | None = None) -> Path:
    report = said.append if said is not None else lambda _: None
    return PythonBuilder().build(source, BuildContext(cache=cache, report=report)).path


def ask(file: Path, *questions: str) -> list[str]:
    """The answers of one instance of a built guest."""
    config = Config()
    config.cranelift_opt_level = "none"
    engine = Engine(config)
    store = Store(engine)
    store.set_wasi(WasiConfig())
    linker = Linker(engine)
    linker.add_wasip2()
    instance = linker.instantiate(store, Component.from_file(engine, str(file)))
    function = instance.get_func(store, instance.get_export_index(store, "ask", instance.get_export_index(store, "test:guest/probe")))
    assert function is not None
    return [str(function(store, question)) for question in questions]
