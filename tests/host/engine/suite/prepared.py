"""The suite made ready to run: scripts as commands, and what the toolchain says of every binary that they name.

All of it is the toolchain's answer to the suite, so it is kept in the build cache under the digests of both.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ringfence.contract.layout import user_cache
from ringfence.contract.names import Digest, digest_of
from ringfence.engine.seam import Artifacts
from ringfence_composer.builders.cache import BuildCache
from ringfence_composer.decompose import Refused, decompose
from ringfence_composer.errors import InputInvalid
from ringfence_composer.toolchain import Desk, Toolchain

_FORMAT = "suite 1"
_CORE_MODULE = bytes([1, 0, 0, 0])  # a binary's bytes 4 to 8; a component has others


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the toolchain says of one binary, or text of one.

    `refused_by` is the stage that takes it for malformed or invalid (`parse`, `validate`, `decompose`), with its message. A component that
    passes all of them has been decomposed, or there are reasons against that, by their names.
    """

    refused_by: str = ""
    message: str = ""
    reasons: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One script. `commands` are as the crate `json-from-wast` writes them; where it can't be read at all, `unreadable` says why."""

    name: str
    folder: Path
    commands: tuple[Any, ...]
    answers: Mapping[str, Answer]
    unreadable: str = ""

    def artifacts(self, file: str, cache: Path) -> Artifacts:
        """The files of a component that is valid."""
        digests, stem = self.answers[file].digests, self.folder / file
        made = {"module": Path(f"{stem}.module"), "module_digest": digests.get("module")}
        made |= {"plan": Path(f"{stem}.plan"), "plan_digest": digests.get("plan")}
        return Artifacts(component=stem, digest=digests["component"], cache=cache, **(made if "plan" in digests else {}))


def prepare(scripts: Mapping[str, bytes], folder: Path, *, cache: Path | None = None, tell: Callable[[str], None] = print) -> list[Script]:
    """The scripts, with their files unpacked into `folder`. The toolchain works only where it has not answered the same before."""
    toolchain = Toolchain()
    inputs = [_FORMAT, toolchain.digest, *(f"{name} {digest_of(text)}" for name, text in scripts.items())]
    kept = BuildCache(cache or user_cache(), tell).fetch(
        digest_of("\n".join(inputs).encode()), lambda work: _pack(scripts, toolchain, work)
    )
    with zipfile.ZipFile(kept.path) as archive:
        archive.extractall(folder)
    return [_read(name, folder / name) for name in scripts]


def _read(name: str, folder: Path) -> Script:
    document = json.loads((folder / "script.json").read_bytes())
    answers = {file: Answer(**answer) for file, answer in document["answers"].items()}
    return Script(name=name, folder=folder, commands=tuple(document["commands"]), answers=answers, unreadable=document["unreadable"])


def _pack(scripts: Mapping[str, bytes], toolchain: Toolchain, work: Path) -> bytes:
    for name, text in scripts.items():
        (work / name).mkdir(parents=True)
        document = _convert(text, toolchain, work / name)
        (work / name / "script.json").write_text(json.dumps(document))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(work.rglob("*")):
            archive.write(file, file.relative_to(work))
    return packed.getvalue()


def _convert(text: bytes, toolchain: Toolchain, folder: Path) -> dict[str, Any]:
    """The script as JSON; into the folder go the components that it names, with what they were decomposed into."""
    with Desk(toolchain) as desk:
        try:
            commands = desk.ask_json("wast", desk.put("script.wast", text), "out", invalid=InputInvalid)["commands"]
        except InputInvalid as error:
            return {"commands": [], "answers": {}, "unreadable": error.message}
        files = [command["filename"] for command in commands if "filename" in command]
        answers = {file: asdict(_answer((desk.folder / "out" / file).read_bytes(), file, toolchain, folder)) for file in files}
    return {"commands": commands, "answers": answers, "unreadable": ""}


def _answer(data: bytes, file: str, toolchain: Toolchain, folder: Path) -> Answer:
    stage = "parse"
    try:
        if file.endswith(".wat"):
            data = toolchain.parse(data.decode())
        stage = "validate"
        toolchain.validate(data)
        if data[4:8] == _CORE_MODULE:
            return Answer(reasons={"core-module": "it is a core module"})
        component = folder / file
        component.write_bytes(data)
        stage = "decompose"
        made = decompose(toolchain, component)
    except InputInvalid as error:
        return Answer(refused_by=stage, message=error.message)
    digests: dict[str, Digest] = {"component": digest_of(data)}
    if isinstance(made, Refused):
        return Answer(reasons={reason.hazard: reason.message for reason in made.reasons}, digests=digests)
    for kind, content in (("module", made.module), ("plan", made.plan)):
        (folder / f"{file}.{kind}").write_bytes(content)
        digests[kind] = digest_of(content)
    return Answer(digests=digests)
