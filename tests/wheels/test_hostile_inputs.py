"""Known hostile inputs, unedited: each of them does its harm natively, none does through the drop-in wheel.

Two controls for every input: the native library really does it, so that the input is a right one; and with grants of files, a variable and
an address the drop-in does it as well, so that it is the missing grant that stops it, not a library that works differently in there.
A process starts in no case: there is no grant for that.
"""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from attacks import ATTACKS, FROM_HOST

SCRIPT = Path(__file__).with_name("attacks.py")
VARIABLE = "COMPAT_TEST_SECRET"
GRANTS = f"""
files:
  - {{ path: box, access: [read, write, create] }}
env: [{VARIABLE}]
tcp: ["127.0.0.1:*"]
"""
ATTEMPTS = [(library, name, effect) for library, attacks in ATTACKS.items() for name, (_, effects) in attacks.items() for effect in effects]


class Listener:
    """A server on loopback that keeps what it is sent."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.got: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self.got.append(connection.recv(1000))

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def harm_done(environment, library, folder):
    """Make all attempts on a library in one process; which of them had their effect, and what each answered."""
    (folder / "box").mkdir()
    listener, secret = Listener(), f"secret-{secrets.token_hex(8)}"
    todo, proofs = [], {}
    for place, (_, name, effect) in enumerate(attempt for attempt in ATTEMPTS if attempt[0] == library):
        file, token = folder / "box" / f"{effect}-{place}", f"secret-{secrets.token_hex(8)}"
        target = {"variable": VARIABLE, "connect": f"{listener.port} {token}"}.get(effect, f"box/{file.name}")
        if effect == "read":
            file.write_text(token)
        proofs[name, effect] = {
            "read": lambda answer, token=token: token in answer,
            "variable": lambda answer: secret in answer,
            "connect": lambda _, token=token: any(token.encode() in got for got in listener.got),
        }.get(effect, lambda _, file=file: file.exists())
        todo.append([library, name, effect, target])
    done = subprocess.run(
        [environment.python, SCRIPT],
        input=json.dumps(todo),
        env=environment.variables({VARIABLE: secret}),
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    time.sleep(0.5)  # for processes that nobody waits for
    listener.close()
    answers = {(name, effect): answer for _, name, effect, answer in map(json.loads, done.stdout.splitlines())}
    assert answers.keys() == proofs.keys()
    return {key: (proof(answers[key]), answers[key]) for key, proof in proofs.items()}


@pytest.fixture(scope="session")
def harm(environments, tmp_path_factory):
    """The harm that all attempts on a library do in an environment, found out once."""
    known = {}

    def of(library, kind, grants=""):
        key = library, kind + grants
        if key not in known:
            known[key] = harm_done(environments(library, kind, grants), library, tmp_path_factory.mktemp("attacks"))
        return known[key]

    return of


@pytest.mark.parametrize(("library", "name", "effect"), ATTEMPTS)
def test_natively_the_input_does_its_harm(harm, library, name, effect):
    happened, answer = harm(library, "native")[name, effect]
    assert happened, answer


@pytest.mark.parametrize(("library", "name", "effect"), ATTEMPTS)
def test_through_the_drop_in_nothing_happens(harm, library, name, effect):
    happened, answer = harm(library, "fenced")[name, effect]
    assert not happened, answer


@pytest.mark.parametrize(("library", "name", "effect"), [one for one in ATTEMPTS if one[1] not in FROM_HOST])
def test_with_grants_it_happens_but_for_processes(harm, library, name, effect):
    happened, answer = harm(library, "fenced", GRANTS)[name, effect]
    assert happened == (effect != "process"), answer


@pytest.mark.parametrize(("library", "name", "effect"), [one for one in ATTEMPTS if one[1] in FROM_HOST])
def test_no_grant_opens_a_way_from_the_applications_own_values(harm, library, name, effect):
    """The library gets of them what it may have, and no attribute beyond."""
    happened, answer = harm(library, "fenced", GRANTS)[name, effect]
    assert not happened, answer
