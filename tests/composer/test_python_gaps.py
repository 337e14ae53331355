"""What a CPython guest lacks can be imported and says so when it is used; what it may import or read later is there."""

from __future__ import annotations

import pytest

from .guests import ask, build, component

APP = b"""
import io, contextlib, getpass, os, socket
from socket import gethostbyname

TRIED = []
for attempt in (
    lambda: socket.socket(socket.AF_INET6).bind(("::1", 0)),
    lambda: socket.create_connection(("127.0.0.1", 80)),
    lambda: socket.getaddrinfo("localhost", 80),
    lambda: gethostbyname("localhost"),
):
    try:
        TRIED.append(attempt())
    except OSError as error:
        TRIED.append("no network while" in str(error))

HOME = os.path.expanduser("~")
USER = getpass.getuser()

class Probe:
    def ask(self, question):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            try:
                exec(question, {"HOME": HOME, "USER": USER, "TRIED": TRIED, "gethostbyname": gethostbyname})
            except BaseException as error:
                print(type(error).__mro__[1].__name__ if type(error).__name__ == "Lacking" else type(error).__name__, error)
        return out.getvalue().strip()
"""
IMPORTED = (
    "ssl ctypes ctypes.util ctypes.wintypes bz2 lzma fcntl mmap pwd grp resource termios tty readline syslog curses multiprocessing "
    "multiprocessing.pool concurrent.futures concurrent.futures.process urllib.request http.server email.mime.multipart colorsys xml.sax "
    "encodings.cp437 encodings.shift_jis encodings.bz2_codec unittest.mock doctest pdb tarfile zipfile shutil sqlite3 asyncio"
)
LACKING = {
    "import ssl; ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), None)": ("OSError", "no TLS"),
    "import ssl; ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations('x')": ("OSError", "no TLS"),
    "import ctypes; ctypes.CDLL(None)": ("OSError", "no machine code"),
    "import ctypes; ctypes.c_int(1)": ("OSError", "no machine code"),
    "import bz2; bz2.compress(b'')": ("OSError", "no bzip2"),
    "import lzma; lzma.decompress(b'')": ("OSError", "no LZMA"),
    "import fcntl; fcntl.flock(1, fcntl.LOCK_EX)": ("OSError", "no fcntl"),
    "import mmap; mmap.mmap(-1, 1)": ("OSError", "no mapping"),
    "import resource; resource.getrlimit(resource.RLIMIT_AS)": ("OSError", "no way to see"),
    "import termios; termios.tcgetattr(0)": ("OSError", "no terminal"),
    "import readline; readline.clear_history()": ("OSError", "no terminal"),
    "import threading; threading.Thread(target=print).start()": ("RuntimeError", "one thread"),
    "from concurrent.futures import ThreadPoolExecutor as T; T().submit(print)": ("RuntimeError", "one thread"),
    "import multiprocessing.synchronize": ("ImportError", "sem_open"),
    "import socket; socket.create_connection(('127.0.0.1', 1))": ("gaierror", ""),
    "import socket; socket.socket(socket.AF_INET6).bind(('::1', 0))": ("PermissionError", "denied"),
    "gethostbyname('localhost')": ("gaierror", ""),
    "open('/1/data.txt', 'w')": ("OSError", "read-only"),
    "open('/etc/passwd')": ("FileNotFoundError", "/etc/passwd"),
    "import absent_module": ("ModuleNotFoundError", "absent_module"),
}
WORKS = {
    "import ssl; print(ssl.CERT_REQUIRED.name, issubclass(ssl.SSLError, OSError), ssl.HAS_TLSv1_3)": "CERT_REQUIRED True False",
    "import ssl; c = ssl.create_default_context(); c.check_hostname = False; c.verify_mode = 0; print(c.verify_mode.name)": "CERT_NONE",
    "import ctypes\nclass S(ctypes.Structure): _fields_ = [('a', ctypes.c_int * 4)]\nprint(S.__name__)": "S",
    "import pwd\ntry: pwd.getpwnam('root')\nexcept KeyError: print('unknown')": "unknown",
    "print(HOME, USER)": "~ nobody",
    "print(TRIED)": "[True, True, True, True]",
    "import os; print(os.environ.get('USER'), os.path.expanduser('~/x'))": "None ~/x",
    "print(open('/1/data.txt').read(), open('/1/data.txt', 'rb').read())": "packed b'packed'",
    "import os; print(os.listdir('/1/inner'), os.path.isdir('/1/inner'))": "['__init__.py', 'more.txt'] True",
    "import os; print(os.stat('/1/data.txt').st_size, os.stat('/1').st_mode & 0o222)": "6 0",
    "import os; print([e.name for e in os.scandir('/1') if e.is_file()])": "['app.py', 'data.txt']",
    "import pathlib; print([p.name for p in pathlib.Path('/1').glob('**/*.txt')])": "['data.txt', 'more.txt']",
    "import importlib.resources as r; print(r.files('inner').joinpath('more.txt').read_text())": "more",
    "import pkgutil; print(pkgutil.get_data('inner', 'more.txt'))": "b'more'",
    "import inspect, app; print(inspect.getsource(app.Probe).splitlines()[0])": "class Probe:",
    "import os; print(os.path.exists('/1/../1/data.txt'), os.path.exists('/1/none'))": "True False",
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """One instance's answers to everything."""
    folder = tmp_path_factory.mktemp("gaps")
    files = {"app.py": APP, "data.txt": b"packed", "inner/__init__.py": b"", "inner/more.txt": b"more"}
    questions = [*(f"import {name}" for name in IMPORTED.split()), *LACKING, *WORKS]
    built = build(component(folder / "guest", files), folder / "cache")
    return dict(zip(questions, ask(built, *questions), strict=True))


@pytest.mark.parametrize("name", IMPORTED.split())
def test_a_module_that_libraries_import_can_be_imported(answers, name):
    """Also where it was not imported while building, and where a guest cannot do what it is for."""
    assert answers[f"import {name}"] == ""


@pytest.mark.parametrize(("code", "told"), LACKING.items(), ids=range(len(LACKING)))
def test_what_a_guest_lacks_is_told_when_it_is_used(answers, code, told):
    """By an error of a kind that callers of the real thing are ready for."""
    kind, text = told
    assert answers[code].startswith(kind), answers[code]
    assert text in answers[code]


@pytest.mark.parametrize(("code", "printed"), WORKS.items(), ids=range(len(WORKS)))
def test_what_needs_nothing_of_the_host_works(answers, code, printed):
    """Constants, exceptions, declarations; packed files by every way that leads to them."""
    assert answers[code] == printed
