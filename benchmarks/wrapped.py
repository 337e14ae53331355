"""PyYAML, natively and as the drop-in that `compose wrap` makes of the very same release: how it is had, and what is asked of it.

The drop-in is a wheel laid out in a folder, as an installer would; the native one is the release's source archive. Small calls are made in
this process, and what starts anew is done in processes of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from ringfence.contract.lock import Lane

from benchmarks.work import Place, Work, nothing, python

NAME, VERSION = "PyYAML", "5.3"
_SHA256 = "e9f45bd5b92c7974e59bcd2dcc8631a6b6cc380a904725fce7bc08872e691615"
_SOURCES = "lib3/"
SMALL = "a: 1"
_LINE = '- {{sku: SKU-{0:06}, quantity: {1}, price: 19.99, tags: [new, in stock], note: "nobody ever sent one back"}}\n'
_IMPORT = "import sys; sys.path.insert(0, {folder!r}); import yaml"
_CALL = f"yaml.safe_load({SMALL!r})"
_HELD = """
import json, sys

def held():
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))

before = held()
{program}
print(json.dumps(held() - before))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Importable:
    """The library, native or not: the folder that goes onto `sys.path`, and its function as it is in this process.

    `wheel`: the size of what is installed, packed; None for the native one.
    """

    folder: Path
    safe_load: Callable[[str], Any]
    wheel: int | None = None
    close: Callable[[], object] = nothing

    def small(self) -> Work:
        """The small document, loaded here."""
        return Work(run=lambda: self.safe_load(SMALL))

    def large(self, text: str) -> Work:
        """A large one, likewise; answers how many records are in it."""
        return Work(run=lambda: len(self.safe_load(text)))

    def imported(self, *, called: bool, cold: Callable[[], Path] | None = None) -> Work:
        """A new process that imports the library, and calls it once where `called`; where `cold`, with a new folder of caches each time."""
        program = _IMPORT.format(folder=str(self.folder)) + (f"; {_CALL}" if called else "")
        if cold is None:
            return python(program)
        prefix = "import os; os.environ['XDG_CACHE_HOME'] = {!r}; "
        return Work(run=lambda: python(prefix.format(str(cold())) + program).run(), reports=True)

    def held(self) -> int | None:
        """Bytes that a process grows by with the import and a call; None where the system does not tell."""
        if not Path("/proc/self/smaps_rollup").exists():
            return None
        program = _HELD.format(program=f"{_IMPORT.format(folder=str(self.folder))}; {_CALL}")
        found: int = json.loads(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout)
        return found


def document(size: int) -> tuple[str, int]:
    """YAML of about so many characters, and how many records are in it."""
    count = max(1, size // len(_LINE.format(1, 1)))
    return "".join(_LINE.format(number, number % 7 + 1) for number in range(count)), count


def fenced(place: Place, lane: Lane) -> Importable:
    """The drop-in, with what it runs in this lane."""
    from ringfence.objects.library import Library  # -- here and below: the cases are listed where there is no composer that wraps
    from ringfence_composer.compose import Workshop
    from ringfence_composer.wrap.guest import Authority
    from ringfence_composer.wrap.output import write_wheel
    from ringfence_composer.wrap.release import wrap_release
    from ringfence_composer.wrap.wanted import read_wanted

    done = wrap_release(read_wanted(f"{NAME}=={VERSION}"), Authority(), Workshop(lane=lane))
    wheel, folder = write_wheel(done.content, place.new_folder()), place.new_folder()
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder)
    library = Library.at(folder / f"{NAME.lower()}_ringfence")
    return Importable(folder=folder, safe_load=library.function("yaml:safe_load"), wheel=wheel.stat().st_size, close=library.end)


def native(place: Place) -> Importable:
    """The release as it is, in pure Python as the guest has it; whatever other one this process has imported stays what it is."""
    from ringfence.contract.layout import user_cache
    from ringfence_composer.builders.archives import archive_files
    from ringfence_composer.builders.base import Archive, BuildContext, ComponentSource
    from ringfence_composer.builders.snapshot import write_tree

    archive = Archive(registry="pypi", name=NAME, version=VERSION, sha256=_SHA256)
    source = ComponentSource(name=NAME, language="python", wit=Path(), world="", source=Path())
    files = archive_files(source, archive, BuildContext(cache=user_cache()))
    folder = place.new_folder()
    write_tree({path.removeprefix(_SOURCES): data for path, data in files.items() if path.startswith(_SOURCES)}, folder)
    others = {name: sys.modules.pop(name) for name in _modules()}
    sys.path.insert(0, os.fspath(folder))
    try:
        function = import_module("yaml").safe_load
    finally:
        sys.path.remove(os.fspath(folder))
        for name in _modules():
            del sys.modules[name]
        sys.modules.update(others)
    return Importable(folder=folder, safe_load=function)


def _modules() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] == "yaml"]
