"""wasi:filesystem/types.descriptor: what is done with paths from an open folder.

Source: wasi:filesystem@0.2.12 (types). Each function finds the place first (`resolve`), asks for what it would do there, by the place's
real path, and acts from the place's descriptor. A place where nothing is may be known of where a folder there would be.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from ringfence.call import Call
from ringfence.contract.grants.files import READ, Access, Files
from ringfence.contract.values import Case, Record, WitError
from ringfence.gate import NO_GRANT, Permit, refuse
from ringfence.wasi.filesystem.codes import answering
from ringfence.wasi.filesystem.descriptor import NAMES as OWN_NAMES
from ringfence.wasi.filesystem.descriptor import OpenDescriptor, allowed, changes
from ringfence.wasi.filesystem.lock_folders import check_held, keep, let_go, served, take
from ringfence.wasi.filesystem.metadata import metadata_hash, new_times, stat_record, type_of
from ringfence.wasi.filesystem.opened import (
    FOLDER_MODE,
    Changed,
    Wish,
    create_file,
    open_file,
    open_folder,
)
from ringfence.wasi.filesystem.resolve import Base, Place, leads_out, request, resolved
from ringfence.wasi.tables import expect

_LOOKS = 16
"""How often a place is looked at again that changes under one's eyes."""
_CREATE: frozenset[Access] = frozenset({"create"})
_DELETE: frozenset[Access] = frozenset({"delete"})
_SYNCHRONIZED = {"file-integrity-sync", "data-integrity-sync", "requested-write-sync"}
"""Flags that no write is done by, as in the engine's own WASI; what must be on a disk is put there by sync."""
_HARD = "it has more than one hard link, and hardlinks is not granted"
_LINKED = "a hard link needs hardlinks to be granted"
_SPECIAL = "only regular files and folders are ever opened"


class Descriptor(OpenDescriptor):
    """wasi:filesystem/types.descriptor."""

    def open_at(self, call: Call, path_flags: frozenset[str], path: str, open_flags: frozenset[str], flags: frozenset[str]) -> Descriptor:
        wish = Wish(
            create="create" in open_flags,
            exclusive="exclusive" in open_flags,
            truncate="truncate" in open_flags,
            directory="directory" in open_flags,
            flags=frozenset(map(str, flags)) - {"mutate-directory"},
        )
        if wish.directory and (wish.create or wish.exclusive or wish.truncate):
            raise WitError("invalid")
        if wish.flags & _SYNCHRONIZED:
            raise WitError("unsupported")
        follow = follows(path_flags, path) and not (wish.create and wish.exclusive)
        code = ""
        for _ in range(_LOOKS):
            with resolved(call, self.base, path, follow=follow) as place, answering():
                if wish.create and path.endswith("/"):
                    raise WitError("is-directory")  # as open(2) has it: what is made is a file
                try:
                    return self._open(call, place, wish)
                except Changed as changed:
                    code = changed.code
        raise WitError(code)

    def _open(self, call: Call, place: Place, wish: Wish) -> Descriptor:
        status = place.status
        if status is None:
            return self._create(call, place, wish)
        if stat.S_ISDIR(status.st_mode):
            permit = allowed(call, request(place.grant, place.path, reach="way"))
            if wish.exclusive and wish.create:
                raise WitError("exist")
            if wish.changes or wish.create:
                raise WitError("is-directory")
            return Descriptor(self.state, open_folder(permit, place), folder_flags(place.grant), folder=True)
        access = _access(wish)
        linked = stat.S_ISREG(status.st_mode) and status.st_nlink > 1
        permit = allowed(call, request(place.grant, place.path, access, hardlinks=linked), reason=_HARD if linked else NO_GRANT)
        if place.slashed:
            raise WitError("not-directory")
        if wish.exclusive and wish.create:
            raise WitError("exist")
        if stat.S_ISLNK(status.st_mode):
            raise WitError("loop")
        if wish.directory:
            raise WitError("not-directory")
        if not stat.S_ISREG(status.st_mode):
            raise _refuse_special(call, place, status)
        return Descriptor(self.state, open_file(permit, place, wish), wish.flags, folder=False)

    def _create(self, call: Call, place: Place, wish: Wish) -> Descriptor:
        if not wish.create:
            raise missing(call, place)
        permit = allowed(call, request(place.grant, place.path, _access(wish) - READ | _CREATE))
        if place.slashed:
            raise WitError("is-directory")
        return Descriptor(self.state, create_file(permit, place, wish), wish.flags, folder=False)

    # Looking

    def stat_at(self, call: Call, path_flags: frozenset[str], path: str) -> Record:
        with self._seen(call, path_flags, path) as (_, status):
            return stat_record(status)

    def metadata_hash_at(self, call: Call, path_flags: frozenset[str], path: str) -> Record:
        with self._seen(call, path_flags, path) as (_, status):
            return metadata_hash(status)

    def set_times_at(
        self, call: Call, path_flags: frozenset[str], path: str, data_access_timestamp: Case, data_modification_timestamp: Case
    ) -> None:
        if served(call, self.base, path, keep):
            return
        with self._seen(call, path_flags, path, see=False) as (place, status):
            permit = allowed(call, changes(self.base, place.path, status))
            _set_times(permit, place, new_times(status, data_access_timestamp, data_modification_timestamp))

    @contextmanager
    def _seen(self, call: Call, path_flags: frozenset[str], path: str, *, see: bool = True) -> Iterator[tuple[Place, os.stat_result]]:
        """A place and what is there, which the guest may see."""
        with resolved(call, self.base, path, follow=follows(path_flags, path)) as place, answering():
            status = place.status
            if status is None:
                raise missing(call, place)
            if see:
                allowed(call, request(place.grant, place.path, READ, reach="way" if stat.S_ISDIR(status.st_mode) else "entry"))
            _check_slash(place, status)
            yield place, status

    def readlink_at(self, call: Call, path: str) -> str:
        with resolved(call, self.base, path, follow=follows(frozenset(), path)) as place, answering():
            status = place.status
            if status is None:
                raise missing(call, place)
            if not place.name:
                raise WitError("invalid")
            permit = allowed(call, request(place.grant, place.path, READ))
            _check_slash(place, status)
            target = _read_link(permit, place)
            if target.startswith(b"/"):
                raise leads_out(call, self.base, path, "it is a link to an absolute path")
            try:
                return target.decode()
            except UnicodeDecodeError:
                raise WitError("illegal-byte-sequence") from None

    # Making and removing

    def create_directory_at(self, call: Call, path: str) -> None:
        if served(call, self.base, path, take):
            return
        with self._free(call, path, only_folders="/.") as place:
            _make_folder(allowed(call, request(place.grant, place.path, _CREATE)), place)

    def symlink_at(self, call: Call, old_path: str, new_path: str) -> None:
        with self._free(call, new_path, only_folders="/") as place:
            if place.slashed:
                raise missing(call, place)
            self._check_target(call, place, old_path)
            _make_link(allowed(call, request(place.grant, place.path, _CREATE)), place, old_path)

    @contextmanager
    def _free(self, call: Call, path: str, *, only_folders: str) -> Iterator[Place]:
        """A place where nothing is; `only_folders` is how a path ends that no file could be at, either."""
        with resolved(call, self.base, path, follow=False) as place, answering():
            status = place.status
            if status is not None:
                way = stat.S_ISDIR(status.st_mode)
                allowed(call, request(place.grant, place.path, reach="way" if way else "entry"))
                if path.endswith(only_folders):
                    _check_slash(place, status)
                raise WitError("exist")
            yield place

    def _check_target(self, call: Call, place: Place, target: str) -> None:
        """That a link there would lead to something of the same grant, beneath its own folder: also for others who follow it.

        Without `..` it goes on leading there, wherever a folder around it is moved.
        """
        parts = target.split("/")
        if target.startswith("/") or ".." in parts:
            reason = "a link may lead to what lies in its own folder or beneath, so that it leads nowhere else for others either"
            raise leads_out(call, self.base, target, reason)
        folder = place.path.rpartition("/")[0]
        path = "/".join(one for one in (folder, *parts) if one not in ("", "."))
        if path:
            allowed(call, request(place.grant, _led_to(call, place.grant, path), _CREATE))

    def _check_moved(self, permit: Permit, place: Place, old: Place, status: os.stat_result) -> None:
        """The same for a link that is to get there from an old place; it need not have been made by a guest."""
        if stat.S_ISLNK(status.st_mode):
            self._check_target(permit.call, place, os.fsdecode(_read_link(permit, old)))

    def unlink_file_at(self, call: Call, path: str) -> None:
        with resolved(call, self.base, path, follow=False) as place, answering():
            status = place.status
            if status is None:
                raise missing(call, place)
            if stat.S_ISDIR(status.st_mode):
                allowed(call, request(place.grant, place.path, reach="way"))
                raise WitError("is-directory")
            permit = allowed(call, request(place.grant, place.path, _DELETE))
            _check_slash(place, status)
            check_held(call, place)
            _unlink(permit, place)

    def remove_directory_at(self, call: Call, path: str) -> None:
        if served(call, self.base, path, let_go):
            return
        with resolved(call, self.base, path, follow=False) as place, answering():
            status = place.status
            if status is None:
                raise missing(call, place)
            if not place.name:
                raise WitError("invalid")
            permit = allowed(call, request(place.grant, place.path, _DELETE))
            if not stat.S_ISDIR(status.st_mode):
                raise WitError("not-directory")
            _remove_folder(permit, place)

    # From one place to another

    def link_at(self, call: Call, old_path_flags: frozenset[str], old_path: str, new_descriptor: Descriptor, new_path: str) -> None:
        if "symlink-follow" in old_path_flags:
            raise WitError("invalid")
        follow = follows(frozenset(), old_path)
        with self._both(call, old_path, new_descriptor, new_path, follow=follow) as (old, new):
            status = old.status
            if status is None:
                raise missing(call, old)
            linkable = stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)
            if linkable:
                source = allowed(call, request(old.grant, old.path, READ, hardlinks=True), reason=_LINKED)
            else:
                source = allowed(call, request(old.grant, old.path, READ, reach="way" if stat.S_ISDIR(status.st_mode) else "entry"))
            allowed(call, request(new.grant, new.path, _CREATE, hardlinks=True), reason=_LINKED)
            _check_slash(old, status)
            if new.status is not None:
                raise WitError("exist")
            if new.slashed:
                raise missing(call, new)
            if not linkable:
                raise WitError("not-permitted")
            if old.grant != new.grant:
                raise WitError("not-permitted")  # another name may have other access
            if old.grant.locks(old.path) and not new.grant.locks(new.path):
                raise WitError("not-permitted")  # under that name it would be changed without its lock
            self._check_moved(source, new, old, status)
            _make_hard_link(source, old, new)

    def rename_at(self, call: Call, old_path: str, new_descriptor: Descriptor, new_path: str) -> None:
        with self._both(call, old_path, new_descriptor, new_path) as (old, new):
            if not old.name or not new.name:
                raise WitError("busy")
            status, replaced = old.status, new.status
            if status is None:
                raise missing(call, old)
            folder = stat.S_ISDIR(status.st_mode)
            reach = "tree" if folder else "entry"
            leave = allowed(call, request(old.grant, old.path, _DELETE, reach=reach))
            allowed(call, request(new.grant, new.path, _CREATE, reach=reach))
            if replaced is not None:
                allowed(call, request(new.grant, new.path, _DELETE))
            if not folder and (old.slashed or new.slashed):
                raise WitError("not-directory")
            if old.grant != new.grant:
                raise WitError("cross-device")  # the guest copies: what moves is then decided as what it reads and writes
            self._check_moved(leave, new, old, status)
            check_held(call, old)
            check_held(call, new)
            if _changes_lock(old, new, folder=folder):
                raise WitError("not-permitted")  # who has it open under the one name would change it without the lock of the other
            _rename(leave, old, new)

    @contextmanager
    def _both(
        self, call: Call, old_path: str, new_descriptor: Descriptor, new_path: str, *, follow: bool = False
    ) -> Iterator[tuple[Place, Place]]:
        """The places at both ends."""
        expect(new_descriptor, Descriptor)
        with (
            resolved(call, self.base, old_path, follow=follow) as old,
            resolved(call, new_descriptor.base, new_path, follow=False) as new,
            answering(),
        ):
            yield old, new


def follows(path_flags: frozenset[str], path: str) -> bool:
    """Whether a link at the end of a path is followed: where the flag says so, or what is behind it."""
    return "symlink-follow" in path_flags or path.endswith(("/", "/."))


def folder_flags(grant: Files) -> frozenset[str]:
    """The descriptor-flags of a folder under a grant."""
    return frozenset({"read"}) if grant.access <= READ else frozenset({"read", "mutate-directory"})


def _led_to(call: Call, grant: Files, path: str) -> str:
    """Where a path in the granted folder leads through the links that are on it; the path itself where it leads nowhere yet.

    Raises:
        WitError: it leads out of the granted folder.
    """
    try:
        with resolved(call, Base(grant, call.state.folders[grant].descriptor, ""), path, follow=True) as place:
            return place.path
    except WitError as error:
        if error.value == "not-permitted":
            raise
        return path


def missing(call: Call, place: Place) -> WitError:
    """The error for a place where nothing is, which the guest must be allowed to know."""
    allowed(call, request(place.grant, place.path, READ), request(place.grant, place.path, reach="way"))
    return WitError("no-entry")


def _access(wish: Wish) -> frozenset[Access]:
    access: set[Access] = set()
    if "read" in wish.flags or not wish.changes:
        access.add("read")
    if wish.changes:
        access.add("write")
    return frozenset(access)


def _check_slash(place: Place, status: os.stat_result) -> None:
    if place.slashed and not stat.S_ISDIR(status.st_mode):
        raise WitError("not-directory")


def _refuse_special(call: Call, place: Place, status: os.stat_result) -> WitError:
    asked = request(place.grant, place.path, READ)
    reason = f"it is a {type_of(status.st_mode)}; {_SPECIAL}"
    error = WitError("not-permitted")
    error.__cause__ = refuse(call, kind="files", operation="open", value=asked.value, reason=reason, allow="")
    return error


# Effects


def _set_times(permit: Permit, place: Place, times: tuple[int, int]) -> None:
    del permit
    os.utime(place.name or b".", ns=times, dir_fd=place.parent, follow_symlinks=False)


def _read_link(permit: Permit, place: Place) -> bytes:
    del permit
    return os.readlink(place.name, dir_fd=place.parent)


def _make_folder(permit: Permit, place: Place) -> None:
    permit.call.spend_entry()
    os.mkdir(place.name, FOLDER_MODE, dir_fd=place.parent)


def _make_link(permit: Permit, place: Place, target: str) -> None:
    permit.call.spend_entry()
    if "\0" in target:
        raise WitError("invalid")
    os.symlink(target.encode(), place.name, dir_fd=place.parent)


def _make_hard_link(permit: Permit, old: Place, new: Place) -> None:
    permit.call.spend_entry()
    os.link(old.name, new.name, src_dir_fd=old.parent, dst_dir_fd=new.parent, follow_symlinks=False)


def _unlink(permit: Permit, place: Place) -> None:
    del permit
    os.unlink(place.name, dir_fd=place.parent)


def _remove_folder(permit: Permit, place: Place) -> None:
    del permit
    os.rmdir(place.name, dir_fd=place.parent)


def _changes_lock(old: Place, new: Place, *, folder: bool) -> bool:
    """Whether a file is changed only under its lock by the one name, and not by the other; of a folder, whether any in it may be."""
    if folder:
        return any("/" in one.text.removeprefix("**/") for one in old.grant.lock)
    return old.grant.locks(old.path) != new.grant.locks(new.path)


def _rename(permit: Permit, old: Place, new: Place) -> None:
    del permit
    os.rename(old.name, new.name, src_dir_fd=old.parent, dst_dir_fd=new.parent)


NAMES = [
    *OWN_NAMES,
    *("open-at", "stat-at", "metadata-hash-at", "set-times-at", "readlink-at", "create-directory-at", "symlink-at"),
    *("unlink-file-at", "remove-directory-at", "link-at", "rename-at"),
]
