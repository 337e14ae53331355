"""wasi:filesystem: for now an empty set of preopens, so that nothing can be reached. The frame for the `files` grants.

Source: wasi:filesystem@0.2.12.
"""

from __future__ import annotations

from typing import Any

from ringfence.call import Call
from ringfence.wasi.io import IoError
from ringfence.wasi.tables import Table, absent, expect

DOMAIN = "filesystem"
"""The domain of stream errors whose code is one of wasi:filesystem/types.error-code."""

_DESCRIPTOR = [
    *(
        "read-via-stream",
        "write-via-stream",
        "append-via-stream",
        "advise",
        "sync-data",
        "get-flags",
        "get-type",
        "set-size",
        "set-times",
        "read",
        "write",
        "read-directory",
        "sync",
    ),
    *(
        "create-directory-at",
        "stat",
        "stat-at",
        "set-times-at",
        "link-at",
        "open-at",
        "readlink-at",
        "remove-directory-at",
        "rename-at",
        "symlink-at",
        "unlink-file-at",
    ),
    *("is-same-object", "metadata-hash", "metadata-hash-at"),
]


def get_directories(_: Call) -> list[tuple[Any, str]]:
    """No preopened directory."""
    return []


def filesystem_error_code(_: Call, error: IoError) -> str | None:
    """The file system's code of a stream error, where it is one of those."""
    expect(error, IoError)
    return error.code if error.domain == DOMAIN else None


FUNCTIONS: dict[str, Table] = {
    "wasi:filesystem/preopens": {"get-directories": get_directories},
    "wasi:filesystem/types": {
        "filesystem-error-code": filesystem_error_code,
        **absent(f"[method]descriptor.{name}" for name in _DESCRIPTOR),
        **absent(["[method]directory-entry-stream.read-directory-entry"]),
    },
}
