"""Files that a guest can read though it has no file system: packed while building, read-only, and nothing of the host's.

They are the standard library's modules that were not imported while building, so that lazy imports work, and all files of the component's
source and packages: data that they read, sources that tracebacks show. A granted folder with the same path comes first.
"""

import builtins
import errno
import io
import os
import stat
import sys
import zlib
from importlib import _bootstrap_external
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_file_location

_STANDARD = "/python"
_LEFT_OUT = frozenset(
    "__pycache__ antigravity.py config-3.14-wasm32-wasi ensurepip idlelib lib2to3 pydoc_data site-packages test tests this.py "
    "tkinter turtle.py turtledemo venv".split()
)
_files = {}
_folders = {}
_real = {}
missed = []
"""Files that were looked for lately and are not there; whoever reads it empties it."""
_MISSED = 5


def fill(mounts):
    """Pack what lies under these folders, and of the standard library what is not loaded."""
    loaded = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    for root in mounts:
        _pack(root, lambda _path: True)
    _pack(_STANDARD, lambda path: path.endswith(".py") and path not in loaded)
    _install()


def _pack(root, wanted):
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT or root != _STANDARD)
        for name in sorted(files):
            path = f"{folder}/{name}"
            if wanted(path) and not name.endswith(".pyc") and (name not in _LEFT_OUT or root != _STANDARD):
                with open(path, "rb") as file:
                    content = file.read()
                _files[path] = (len(content), zlib.compress(content, 6))
                _note(folder, name, root)


def _note(folder, name, root):
    while name not in _folders.setdefault(folder, []):
        _folders[folder].append(name)
        if len(folder) <= len(root):
            return
        folder, _, name = folder.rpartition("/")


def read(path):
    """The bytes of a packed file; None where there is none."""
    found = _files.get(path)
    return None if found is None else zlib.decompress(found[1])


class _Finder:
    """Finds packed modules, last of all finders."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        tail = name.rpartition(".")[2]
        for entry in sys.path if path is None else path:
            for file, inside in ((f"{entry}/{tail}/__init__.py", [f"{entry}/{tail}"]), (f"{entry}/{tail}.py", None)):
                if file in _files:
                    return spec_from_file_location(name, file, loader=SourceFileLoader(name, file), submodule_search_locations=inside)
        return None


def _place(path):
    """A path as packed files are known by; None where it is a descriptor, or bytes."""
    if isinstance(path, int | bytes):
        return None
    try:
        text = os.fspath(path)
    except TypeError:
        return None
    if not isinstance(text, str) or not text.startswith("/"):
        return None
    return os.path.normpath(text)


def _open(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
    path = _place(file)
    if path not in _files or opener is not None:
        try:
            return _real["open"](file, mode, buffering, encoding, errors, newline, closefd, opener)
        except FileNotFoundError:
            _miss(path)
            raise
    if not set(mode) <= set("rbtU"):
        raise OSError(errno.EROFS, "it was packed with the component, read-only", path)
    data = io.BytesIO(read(path))
    data.name = path
    return data if "b" in mode else io.TextIOWrapper(data, encoding or "utf-8", errors, newline)


def _miss(path):
    if len(missed) < _MISSED and isinstance(path, str | os.PathLike) and (text := str(path)) not in missed:
        missed.append(text)


def _stat(path, *, dir_fd=None, follow_symlinks=True):
    try:
        return _real["stat"](path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
    except OSError:
        found = _packed_stat(_place(path))
        if found is None:
            _miss(path)
            raise
        return found


def _lstat(path, *, dir_fd=None):
    return _stat(path, dir_fd=dir_fd, follow_symlinks=False)


def _packed_stat(path):
    if path in _files:
        return os.stat_result((stat.S_IFREG | 0o444, 1, 1, 1, 0, 0, _files[path][0], 0, 0, 0))
    if path in _folders:
        return os.stat_result((stat.S_IFDIR | 0o555, 1, 1, 1, 0, 0, 0, 0, 0, 0))
    return None


def _listdir(path="."):
    try:
        return _real["listdir"](path)
    except OSError:
        if _place(path) not in _folders:
            _miss(path)
            raise
        return list(_folders[_place(path)])


class _Entry:
    """A packed file or folder, as `os.scandir` tells of it."""

    def __init__(self, folder, name):
        self.name, self.path = name, f"{folder}/{name}"

    def __fspath__(self):
        return self.path

    def is_dir(self, *, follow_symlinks=True):
        return self.path in _folders

    def is_file(self, *, follow_symlinks=True):
        return self.path in _files

    def is_symlink(self):
        return False

    def is_junction(self):
        return False

    def inode(self):
        return 1

    def stat(self, *, follow_symlinks=True):
        return _packed_stat(self.path)


class _Entries:
    def __init__(self, entries):
        self._entries = iter(entries)

    def __iter__(self):
        return self._entries

    def __next__(self):
        return next(self._entries)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def close(self):
        """Nothing is open."""


def _scandir(path="."):
    try:
        return _real["scandir"](path)
    except OSError:
        place = _place(path)
        if place not in _folders:
            _miss(path)
            raise
        return _Entries([_Entry(place, name) for name in _folders[place]])


def _get_data(loader, path):
    found = read(os.path.normpath(path)) if isinstance(path, str) else None
    return _real["get_data"](loader, path) if found is None else found


def _install():
    import tokenize

    _real.update(open=builtins.open, stat=os.stat, listdir=os.listdir, scandir=os.scandir)
    _real["get_data"] = _bootstrap_external.FileLoader.get_data
    builtins.open = io.open = tokenize._builtin_open = _open
    os.stat, os.lstat, os.listdir, os.scandir = _stat, _lstat, _listdir, _scandir
    for functions in (os.supports_dir_fd, os.supports_follow_symlinks, os.supports_fd):
        functions.update(new for new, name in ((_stat, "stat"), (_scandir, "scandir"), (_listdir, "listdir")) if _real[name] in functions)
    _bootstrap_external.FileLoader.get_data = _get_data
    sys.meta_path.append(_Finder)
