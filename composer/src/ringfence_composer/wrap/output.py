"""Wheels into their folder, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from ringfence_composer.errors import InputInvalid
from ringfence_composer.replace import replace_file
from ringfence_composer.wrap.wheel import WheelContent, file_name, wheel_bytes


def write_wheel(content: WheelContent, folder: Path) -> Path:
    """The file of the wheel, written. Raises InputInvalid where the folder can't be written."""
    file = folder / file_name(content)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(file, wheel_bytes(content))
    except OSError as error:
        raise InputInvalid(f"cannot write {file}: {error.strerror}", hint="is the folder writable?") from error
    return file
