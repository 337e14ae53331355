"""The denials of the last run of a graph, kept beside its lock for `compose fix`, and read again by it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ringfence.contract.errors import Denial
from ringfence.contract.files import read_regular, why
from ringfence.contract.layout import denials_path

from ringfence_composer.errors import InputInvalid
from ringfence_composer.replace import replace_file

_MAX_BYTES = 4 << 20
_NEEDED = len(Denial._fields) - len(Denial._field_defaults)
"""Fields that have no default, which come first."""


def keep_denials(graph: Path, denials: Sequence[Denial]) -> None:
    """Keep these in the place of those of the run before. Where nothing can be written, none are kept: the run itself went as it went."""
    file = denials_path(graph)
    with suppress(OSError):
        if denials:
            file.parent.mkdir(exist_ok=True)
            replace_file(file, (json.dumps({"denials": [one._asdict() for one in denials]}, indent=2) + "\n").encode("ascii"))
        else:
            file.unlink(missing_ok=True)


def read_denials(graph: Path, file: Path | None) -> tuple[Denial, ...]:
    """The denials in a file, or those kept of the last run. A file may be what `compose run --json` printed, an error included.

    Raises:
        InputInvalid: there is no such file, or it holds no denials.
    """
    source = file or denials_path(graph)
    try:
        data = json.loads(read_regular(source, _MAX_BYTES))
    except FileNotFoundError:
        if file is None:
            return ()
        raise InputInvalid(f"there is no file {file}") from None
    except OSError as error:
        raise InputInvalid(f"cannot read {source}: {why(error)}") from error
    except (ValueError, RecursionError) as error:
        raise InputInvalid(f"{source} is not JSON", hint="what compose run --json printed, or what it kept beside the lock") from error
    return tuple(_denials(source, data))


def _denials(source: Path, data: Any) -> Iterable[Denial]:
    inner = data.get("error", data) if isinstance(data, dict) else data
    listed = inner.get("denials") if isinstance(inner, dict) else None
    if not isinstance(listed, list):
        raise InputInvalid(f"{source} holds no denials", hint='expected {"denials": [...]}, as compose run --json prints it')
    for index, one in enumerate(listed):
        *names, expected = Denial._fields
        known = isinstance(one, dict) and one.keys() <= {*names, expected} and isinstance(one.get(expected, False), bool)
        if not known or not all(isinstance(one.get(name, ""), str) for name in names) or not {*names[:_NEEDED]} <= one.keys():
            raise InputInvalid(f"{source}: denials[{index}] is none", hint="expected what compose run --json prints")
        yield Denial(**one)
