"""Files and metadata into the bytes of a wheel: the same bytes for the same content.

The wheel format's specification (binary-distribution-format, RECORD) and PEP 639 (licences), PEP 770 (SBOMs) say where things lie.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version as version_of
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

RUNTIME = "ringfence"
REQUIRES_PYTHON = ">=3.11"
_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest that a ZIP archive can say: no build's own time stands in it."""
_MODE = 0o100644 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelContent:
    """What a wheel holds. `files` are those of site-packages; `licences` and `sboms` are by file name, `points` by group."""

    name: str
    version: Version
    files: Mapping[str, bytes]
    summary: str = ""
    licence: str = ""
    licences: Mapping[str, bytes] = field(default_factory=dict)
    sboms: Mapping[str, bytes] = field(default_factory=dict)
    points: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    description: str = ""

    @property
    def stem(self) -> str:
        """What the wheel's name and its metadata folder begin with."""
        return f"{canonicalize_name(self.name).replace('-', '_')}-{self.version}"


def local_version(version: Version, build: int = 1) -> Version:
    """The version of what was made of a release: `5.3+ringfence.1`, which resolvers take where `5.3` is asked for."""
    own = f"{version.local}.ringfence.{build}" if version.local else f"ringfence.{build}"
    return Version(f"{version.public}+{own}")


def file_name(content: WheelContent) -> str:
    """The wheel's file name."""
    return f"{content.stem}-py3-none-any.whl"


def json_bytes(data: Any) -> bytes:
    """JSON as it lies in a wheel."""
    return (json.dumps(data, sort_keys=True, indent=1, ensure_ascii=True) + "\n").encode("ascii")


def not_as_written(content: bytes) -> list[str]:
    """What of a ZIP archive is not as `wheel_bytes` writes it: an entry's kind, mode or place, a byte that belongs to none.

    Some installers go by the archive's directory, others by its entries as they arrive, so that one archive could be two.
    """
    wrong, place = [], 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        for one in entries:
            kind = (one.external_attr, one.compress_type, one.create_system, one.flag_bits, one.date_time, one.extra, one.comment)
            head = one.FileHeader()
            if kind != (_MODE, zipfile.ZIP_DEFLATED, 3, 0, _DATE, b"", b"") or content[one.header_offset :][: len(head)] != head:
                wrong.append(f"{one.filename}: an entry that compose wrap does not write")
            if one.header_offset != place:
                wrong.append(f"{one.filename}: bytes before it that belong to nothing")
            place = one.header_offset + len(head) + one.compress_size
        if len({one.filename for one in entries}) != len(entries):
            wrong.append("entries of one name")
        if len(content) != place + sum(46 + len(one.filename) for one in entries) + 22:  # the directory, and its end
            wrong.append("bytes after its entries that belong to nothing")
    return wrong


def wheel_bytes(content: WheelContent) -> bytes:
    """The wheel. Its RECORD, which names every other file with its SHA-256, comes last, as the specification advises."""
    info = f"{content.stem}.dist-info"
    files = {**content.files, **{f"{info}/{path}": data for path, data in _info(content)}}
    lines = [f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in sorted(files.items())]
    lines.append(f"{info}/RECORD,,\n")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, data in [*sorted(files.items()), (f"{info}/RECORD", "".join(lines).encode())]:
            entry = zipfile.ZipInfo(path, _DATE)
            entry.external_attr, entry.compress_type, entry.create_system = _MODE, zipfile.ZIP_DEFLATED, 3
            archive.writestr(entry, data)
    return out.getvalue()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _info(content: WheelContent) -> Iterator[tuple[str, bytes]]:
    """The files of .dist-info but RECORD."""
    yield "METADATA", _metadata(content).encode()
    composer = f"ringfence-composer {version_of('ringfence-composer')}"
    yield "WHEEL", f"Wheel-Version: 1.0\nGenerator: {composer}\nRoot-Is-Purelib: true\nTag: py3-none-any\n".encode()
    if content.points:
        yield "entry_points.txt", entry_points(content.points)
    yield from ((f"licenses/{name}", data) for name, data in content.licences.items())
    yield from ((f"sboms/{name}", data) for name, data in content.sboms.items())


def entry_points(points: Mapping[str, Mapping[str, str]]) -> bytes:
    """Entry points by group, as their file has them."""
    groups = (
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in sorted(targets.items()))
        for group, targets in sorted(points.items())
    )
    return "\n".join(groups).encode()


def _metadata(content: WheelContent) -> str:
    headers = [
        ("Metadata-Version", "2.4"),
        ("Name", content.name),
        ("Version", str(content.version)),
        ("Summary", _line(content.summary)),
        ("License", _line(content.licence)),
        *(("License-File", name) for name in sorted(content.licences)),
        ("Requires-Python", REQUIRES_PYTHON),
        ("Requires-Dist", RUNTIME),
        ("Description-Content-Type", "text/plain"),
    ]
    return "".join(f"{name}: {value}\n" for name, value in headers if value) + f"\n{content.description}"


def _line(text: str) -> str:
    """Foreign text as one header's value."""
    return "".join(char if char.isprintable() else " " for char in text).strip()
