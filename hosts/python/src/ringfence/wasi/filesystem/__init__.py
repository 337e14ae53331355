"""wasi:filesystem: the granted folders, and in them what the grants match; and locks on files there, by ringfence:files.

Source: wasi:filesystem@0.2.12, wit/files.
"""

from __future__ import annotations

from ringfence.call import Call
from ringfence.contract.errors import GuestTrap
from ringfence.contract.grants.base import quoted
from ringfence.wasi.filesystem import locks
from ringfence.wasi.filesystem.codes import DOMAIN
from ringfence.wasi.filesystem.descriptor import allowed
from ringfence.wasi.filesystem.listing import EntryStream
from ringfence.wasi.filesystem.opened import Changed, open_folder
from ringfence.wasi.filesystem.paths import NAMES, Descriptor, folder_flags
from ringfence.wasi.filesystem.resolve import Place, request
from ringfence.wasi.io import IoError
from ringfence.wasi.tables import Table, expect, methods


def get_directories(call: Call) -> list[tuple[Descriptor, str]]:
    """The granted folders, each where its grant says."""
    found = []
    for grant, folder in call.state.folders.items():
        permit = allowed(call, request(grant, "", reach="way"))
        try:
            opened = open_folder(permit, Place(grant, folder.descriptor, b"", "", slashed=True))
        except (OSError, Changed) as error:  # the function has no error case
            raise GuestTrap(f"the granted folder {quoted(grant.target)} cannot be opened: {error}") from error
        found.append((Descriptor(call.state, opened, folder_flags(grant), folder=True), grant.target))
    return found


def filesystem_error_code(_: Call, error: IoError) -> str | None:
    """The file system's code of a stream error, where it is one of those."""
    expect(error, IoError)
    return error.code if error.domain == DOMAIN else None


FUNCTIONS: dict[str, Table] = {
    "wasi:filesystem/preopens": {"get-directories": get_directories},
    "wasi:filesystem/types": {
        "filesystem-error-code": filesystem_error_code,
        **methods("descriptor", Descriptor, NAMES),
        **methods("directory-entry-stream", EntryStream, ["read-directory-entry"]),
    },
    **locks.FUNCTIONS,
}
