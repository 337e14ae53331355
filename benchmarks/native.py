"""A C component's own files for this machine: by the same compiler, with the flags that its builder uses where they mean anything here.

What it exports is called through ctypes, text in and result out, so that the two sides do the same work in the same process.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from ringfence.contract.layout import user_cache
from ringfence_composer.build import source_of
from ringfence_composer.builders.archives import archive_files
from ringfence_composer.builders.base import BuildContext, ComponentSource, file_digests
from ringfence_composer.builders.c import zig_version
from ringfence_composer.builders.snapshot import read_tree, write_tree
from ringfence_composer.manifest.component import load_component
from ringfence_composer.toolchain import Toolchain, Wit

_FLAGS = ("-O2", "-g0", "-w", "-fno-sanitize=all", "-fstack-protector-strong", "-ftrivial-auto-var-init=zero")


def library_files(component: ComponentSource) -> dict[str, bytes]:
    """Its archives' files, by their paths in the build."""
    context = BuildContext(cache=user_cache())
    return {f"{one.name}/{path}": content for one in component.archives for path, content in archive_files(component, one, context).items()}


def compiled(component: ComponentSource, files: Mapping[str, bytes], sources: Sequence[str], options: Sequence[str] = ()) -> Path:
    """What these sources make with the component's defines and folders, kept beside the composer's builds by all that goes into it."""
    settings = [*_FLAGS, *options, *(f"-D{one}" for one in component.defines), *(f"-I{one}" for one in (".", *component.include))]
    inputs = repr((zig_version(), settings, sorted(sources), sorted(file_digests(files).items())))
    kept = user_cache() / "native" / hashlib.sha256(inputs.encode()).hexdigest()
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            write_tree(dict(files), Path(folder) / "tree")
            command = [sys.executable, "-m", "ziglang", "cc", *settings, *sources, "-o", "../made"]
            env = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(user_cache() / "zig")}
            subprocess.run(command, cwd=Path(folder) / "tree", env=env, check=True, timeout=500)
            made = kept.with_name(f"{kept.name}.{secrets.token_hex(4)}")
            shutil.copy(Path(folder) / "made", made)
        made.replace(kept)
    return kept


class String(ctypes.Structure):
    """A text, or bytes, as wit-bindgen's C has them."""

    _fields_ = (("place", ctypes.c_void_p), ("length", ctypes.c_size_t))


class Document(ctypes.Structure):
    """A `document` of wit/json."""

    _fields_ = (("root", ctypes.c_uint32), ("nodes", ctypes.c_void_p), ("count", ctypes.c_size_t))


class Float(ctypes.Structure):
    """A `float` of wit/json."""

    _fields_ = (("value", ctypes.c_double), ("literal", String))


class _Value(ctypes.Union):
    _fields_ = (("integer", ctypes.c_int64), ("text", String), ("number", Float))


class Node(ctypes.Structure):
    """A `node` of wit/json."""

    _fields_ = (("tag", ctypes.c_uint8), ("value", _Value))


TEXT = 5
"""The tag of a node that is a text."""
TABLES = 1
"""The bit of Markdown's option `tables`."""


class Library:
    """A component's exports, in this process."""

    def __init__(self, folder: Path) -> None:
        component = source_of(load_component(folder))
        bindings = Toolchain().c(Wit(path=component.wit, deps=component.wit_deps, world=component.world))
        world = component.world.replace("-", "_")
        # The generated file refers to what carries the world into a component, which nothing here needs.
        linked = f"void __component_type_object_force_link_{world}(void) {{}}\n".encode()
        files = {**read_tree(component.source, what="source"), **library_files(component), **bindings, "linked.c": linked}
        self.c = ctypes.CDLL(str(compiled(component, files, [*component.sources, f"{world}.c", "linked.c"], ["-shared", "-fPIC"])))
        self.c.cabi_realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t]
        self.c.cabi_realloc.restype = ctypes.c_void_p

    def text(self, text: str) -> String:
        """A text that the library may free, as an export does with what it is given."""
        data = text.encode()
        place = self.c.cabi_realloc(None, 0, 1, len(data))
        ctypes.memmove(place, data, len(data))
        return String(place, len(data))


@cache
def library(folder: Path) -> Library:
    """The component of this folder, loaded once."""
    return Library(folder)


class Markdown:
    """components/markdown."""

    def __init__(self, folder: Path) -> None:
        self._library = library(folder)

    def to_html(self, text: str, options: int) -> str:
        """What `to-html` answers; the options as its flags' bits. Raises ValueError where that is an error."""
        c, given, html, error = self._library.c, self._library.text(text), String(), ctypes.c_uint8()
        if not c.exports_ringfence_markdown_renderer_to_html(ctypes.byref(given), options, ctypes.byref(html), ctypes.byref(error)):
            raise ValueError(error.value)
        found = ctypes.string_at(html.place or 0, html.length).decode()
        c.markdown_string_free(ctypes.byref(html))
        return found


class Decoder:
    """components/json-decoder. Of a document it hands over the number of nodes, and the texts among them, as Python values."""

    def __init__(self, folder: Path) -> None:
        self._library = library(folder)

    def texts(self, text: str) -> tuple[int, list[str]]:
        """How many nodes the document has, and each that is a text. Raises ValueError where it is no JSON."""
        c, given, document, error = self._library.c, self._library.text(text), Document(), (ctypes.c_uint8 * 64)()
        c.exports_ringfence_json_decoder_decode.restype = ctypes.c_bool
        if not c.exports_ringfence_json_decoder_decode(ctypes.byref(given), ctypes.byref(document), error):
            raise ValueError(text[:40])
        nodes = (Node * document.count).from_address(document.nodes)
        found = [ctypes.string_at(n.value.text.place, n.value.text.length).decode() for n in nodes if n.tag == TEXT]
        getattr(c, "__wasm_export_exports_ringfence_json_decoder_decode_post_return")(None)
        return document.count, found
