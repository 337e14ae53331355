"""wasi:filesystem/types.directory-entry-stream: what a guest may see of a folder, one entry after another."""

from __future__ import annotations

import os
from contextlib import ExitStack

from ringfence.call import Call
from ringfence.contract.grants import admits
from ringfence.contract.grants.files import READ
from ringfence.contract.values import Record, record_class
from ringfence.gate import Permit
from ringfence.wasi.filesystem.codes import answering
from ringfence.wasi.filesystem.metadata import type_of
from ringfence.wasi.filesystem.opened import LISTED, Opened
from ringfence.wasi.filesystem.resolve import request
from ringfence.wasi.state import DESCRIPTORS, Held

_ENTRY = record_class(("type", "name"))
_TURN = 256
"""Entries passed over between two looks at the deadline."""


class EntryStream(Held):
    """A folder's entries; those that no grant lets the guest see, or whose names are no text, are left out."""

    def __init__(self, permit: Permit, folder: Opened) -> None:
        self._folder = Opened(permit.call.state, folder.grant, folder.path, lambda: _again(folder.descriptor))
        self._closing = ExitStack()
        self._closing.callback(self._folder.release)
        try:
            DESCRIPTORS.take()  # scandir has one more of its own
            self._closing.callback(DESCRIPTORS.give_back)
            self._entries = self._closing.enter_context(os.scandir(self._folder.descriptor))
            super().__init__(permit.call.state)
        except BaseException:
            self._closing.close()
            raise

    def read_directory_entry(self, call: Call) -> Record | None:
        with answering():
            for count, entry in enumerate(self._entries, 1):
                if count % _TURN == 0:
                    call.check()
                if found := self._shown(entry):
                    return found
        return None

    def _shown(self, entry: os.DirEntry[str]) -> Record | None:
        try:
            name = os.fsencode(entry.name).decode()
            kind = type_of(entry.stat(follow_symlinks=False).st_mode)
        except (UnicodeDecodeError, FileNotFoundError):
            return None
        path = f"{self._folder.path}/{name}" if self._folder.path else name
        asked = request(self._folder.grant, path, READ, reach="way" if kind == "directory" else "entry")
        return _ENTRY(kind, name) if admits(self.state.policy, asked) else None

    def release(self) -> None:
        self._closing.close()


def _again(descriptor: int) -> int:
    """The folder opened once more, with a place in it of its own."""
    return os.open(".", LISTED, dir_fd=descriptor)
