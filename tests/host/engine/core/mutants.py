"""Each safety check of the core engine removed in turn: a run of this folder's tests must fail, or the check has no test.

    python tests/host/engine/core/mutants.py [pytest options]

Each mutant is a copy of the package, tested in a process of its own (one that dies of it counts as found). The exit status says how many
were not found.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
PACKAGE = ROOT / "hosts" / "python" / "src" / "ringfence"

MUTANTS = [
    (
        "border reach",
        "memory.py",
        "        if pointer + size > self.size:\n            raise GuestTrap(f",
        "        if False:\n            raise GuestTrap(f",
    ),
    (
        "realloc alignment",
        "memory.py",
        '        if pointer % alignment:\n            raise GuestTrap("realloc',
        '        if False:\n            raise GuestTrap("realloc',
    ),
    (
        "realloc bounds",
        "memory.py",
        '            if pointer + size > self.size:\n                raise GuestTrap("realloc',
        '            if False:\n                raise GuestTrap("realloc',
    ),
    (
        "result alignment",
        "memory.py",
        '        if pointer % alignment:\n            raise GuestTrap("pointer',
        '        if False:\n            raise GuestTrap("pointer',
    ),
    (
        "no refresh",
        "memory.py",
        "        if size != self.size:\n            self.release()",
        "        if self.size < 0:\n            self.release()",
    ),
    ("weight", "memory.py", "if self.weight > _HEAVIEST:", "if False:"),
    (
        "a fill's view lives",
        "memory.py",
        "with self.view[pointer : pointer + fill.length] as view:",
        "for view in [self.view[pointer : pointer + fill.length]]:",
    ),
    ("a fill's count", "memory.py", "if type(written) is not int or not 0 <= written <= fill.length:", "if False:"),
    ("realloc may leave", "memory.py", "            self._flag.set(False)", "            pass"),
    ("post-return may leave", "functions.py", "        flag.set(False)\n", ""),
    ("import may leave", "functions.py", "if not store.flags[self.options.instance].get():", "if False:"),
    ("string bounds", "lift.py", "if {pointer} + {units} > size:", "if False:"),
    ("list bounds", "lift.py", "source.add(f\"border.reach(at, count * {size}, 'list ')\")", "pass"),
    ("list alignment", "lift.py", "if at % {alignment}:", "if False:"),
    ("numbers alignment", "lift.py", "if pointer % width:", "if False:"),
    ("option discriminant", "lift.py", 'f"elif {tag}:"', '"elif False:"'),
    ("variant discriminant", "lift.py", 'f"if {tag} >= {len(named)}:"', '"if False:"'),
    ("char", "lift.py", "if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:", "if code > 0x10FFFF:"),
    ("UTF-16 alignment", "strings.py", "if pointer & 1:", "if False:"),
    ("handle index", "handles.py", "if index < len(self._entries) else None", "if index < len(self._entries) else self._entries[-1]"),
    ("handle type", "handles.py", "if entry.resource != resource:", "if False:"),
    ("borrows remain", "handles.py", "        if self.borrows:\n", "        if False:\n"),
    ("transcoder range", "transcode.py", "    memory.reach(pointer, size)\n", ""),
    ("trapped is entered", "instance.py", "if store.trapped or store.freed:", "if store.freed:"),
    ("re-entrance", "instance.py", "if not self._turn.acquire(False):", "if not self._turn.acquire(False) and False:"),
    ("view outlives the store", "store.py", "                memory.release()\n", "                pass\n"),
]


def main() -> int:
    """Run them all."""
    lost = 0
    for name, file, old, new in MUTANTS:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "ringfence"
            shutil.copytree(PACKAGE, copy)
            target = copy / "engine" / "core" / file
            text = target.read_text()
            if old not in text:
                raise SystemExit(f"{name}: its text is no longer in {file}")
            target.write_text(text.replace(old, new))
            paths = [folder, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
            command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *sys.argv[1:], str(HERE.parent), "-k", "core"]
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )
            found = done.returncode != 0
            lost += not found
            print(f"{'found' if found else 'NOT FOUND':10} {name}: {done.stdout.strip().splitlines()[-1:]}", flush=True)
    return lost


if __name__ == "__main__":
    raise SystemExit(main())
