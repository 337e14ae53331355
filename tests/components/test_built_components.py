"""The components as built, under the wheel's own component interface and WASI, which denies all TCP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ringfence.engine import cache
from ringfence.engine.component.compiling import component_kind
from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker

from .conftest import build


class Running:
    """One instance; `call` answers with the payload and remembers the tag."""

    def __init__(self, component: Component, engine: Engine, env: dict[str, str], decode: Callable[[str], Any] | None) -> None:
        self._store = Store(engine)
        wasi = WasiConfig()
        wasi.env = list(env.items())
        self._store.set_wasi(wasi)
        linker = Linker(engine)
        linker.add_wasip2()
        if decode is not None:
            with linker.root() as root, root.add_instance("ringfence:json/decoder@0.1.0") as instance:
                instance.add_func("decode", lambda _, text: decode(text))
            with linker.root() as root, root.add_instance("ringfence:pricing/calculator@0.1.0") as instance:
                instance.add_func("total", lambda *_: pytest.fail("nothing here has lines"))
        self._instance = linker.instantiate(self._store, component)

    def call(self, interface: str, function: str, *arguments: object) -> Any:
        place = self._instance.get_export_index(self._store, interface)
        found = self._instance.get_func(self._store, self._instance.get_export_index(self._store, function, place))
        assert found is not None
        return found(self._store, *arguments)


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine()


def compiled(engine: Engine, name: str) -> Component:
    """The built component; the next run takes both steps from the user's cache."""
    artifact = build(name)
    return cache.compiled(component_kind(engine, "default"), artifact.path, artifact.digest).code


@pytest.fixture(scope="session")
def decoder(engine: Engine) -> Component:
    return compiled(engine, "json-decoder")


@pytest.fixture(scope="session")
def client(engine: Engine) -> Component:
    return compiled(engine, "vendor-client")


def own_imports(component: Component, engine: Engine) -> set[str]:
    return {name for name in component.type.imports(engine) if not name.startswith("wasi:")}


def test_the_decoder_imports_nothing_at_all(decoder: Component, client: Component, engine: Engine) -> None:
    """Nothing of WASI either, which any CPython wants."""
    assert not dict(decoder.type.imports(engine))
    assert dict(client.type.imports(engine)), "the control: a component's imports are seen"


def test_the_client_imports_decoder_and_calculator_and_nothing_else(client: Component, engine: Engine) -> None:
    assert own_imports(client, engine) == {"ringfence:json/decoder@0.1.0", "ringfence:pricing/calculator@0.1.0"}


def test_the_decoder_decodes_and_refuses(decoder: Component, engine: Engine) -> None:
    running = Running(decoder, engine, {}, None)
    interface = "ringfence:json/decoder@0.1.0"
    result = running.call(interface, "decode", '{"n": [1, 2.50, 99999999999999999999]}')
    assert result.tag == "ok"
    assert [node.tag for node in result.payload.nodes] == ["object", "array", "integer", "float", "big-integer"]
    result = running.call(interface, "decode", '{"n": \n tru}')
    assert (result.tag, result.payload.line, result.payload.column) == ("err", 2, 2)


def test_the_deepest_document_fits_on_the_guests_stack(decoder: Component, engine: Engine) -> None:
    """An exhausted stack would be a trap; one level more is an error, and a million are."""
    running = Running(decoder, engine, {}, None)
    interface = "ringfence:json/decoder@0.1.0"
    assert running.call(interface, "decode", '{"a":' * 512 + "1" + "}" * 512).tag == "ok"
    for depth in (513, 1_000_000):
        assert running.call(interface, "decode", "[" * depth).payload.kind == "too-deep"


def test_the_client_reports_a_denied_connection(client: Component, engine: Engine) -> None:
    """Everything up to the socket runs in the guest: environment, address, h11, the error that WASI gives."""
    running = Running(client, engine, {"VENDOR_URL": "http://127.0.0.1:9", "VENDOR_TOKEN": "t"}, lambda _: None)
    # The wheel drops the result's own tag where the two payloads differ in class: this is the err case's value.
    error = running.call("acme:vendor/orders", "get-order", "A-17")
    assert (error.tag, error.payload) == ("unavailable", "127.0.0.1:9: Permission denied")


def test_a_host_name_is_encoded_in_the_guest(client: Component, engine: Engine) -> None:
    """`encodings.idna` is looked up by name when a name is resolved: it must have been imported while building."""
    running = Running(client, engine, {"VENDOR_URL": "http://vendor.example", "VENDOR_TOKEN": "t"}, lambda _: None)
    error = running.call("acme:vendor/orders", "list-orders", 3)
    assert error.tag == "unavailable"
    assert error.payload.startswith("vendor.example: ")
    assert "encoding" not in error.payload


def test_an_absent_variable_is_named(client: Component, engine: Engine) -> None:
    error = Running(client, engine, {}, lambda _: None).call("acme:vendor/orders", "get-order", "A-17")
    assert error.payload == "the environment variable VENDOR_URL is not set: nothing was sent"
