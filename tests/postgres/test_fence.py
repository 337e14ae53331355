"""What the client may not do, each with the grant by which it may: the library is the same, and so is the call."""

import os
import socket
import struct
import threading

import pytest
from components.conftest import native_guest
from ringfence import CapabilityDenied, Graph
from ringfence.contract.layout import user_cache
from ringfence.dbapi import postgres

TCP = 'tcp: ["${postgres}"]'
PASSWORD = "env: [PGPASSWORD]"


@pytest.fixture
def fenced(composed, server, monkeypatch):
    """Opens the client with this grant; the environment of the test holds no variables of PostgreSQL's but those it sets."""
    for name in [one for one in os.environ if one.startswith("PG")]:
        monkeypatch.delenv(name)
    opened = []

    def open_with(grant, deadline="10s", **given):
        parameters = {"postgres": server.address} if "${postgres}" in grant else {}
        opened.append(Graph.load(composed(grant, deadline), parameters=parameters, **given))
        return opened[-1]

    yield open_with
    for graph in opened:
        graph.close()


class Stranger:
    """A listener on loopback that no edge grants. It counts who comes by, and says what it is told to."""

    def __init__(self, *answers):
        self.visits, self.answers = 0, answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                visitor, _ = self._listener.accept()
            except OSError:
                return
            self.visits += 1
            threading.Thread(target=self._answer, args=[visitor], daemon=True).start()

    def _answer(self, visitor):
        with visitor:
            for answer in self.answers:
                if not visitor.recv(65536):
                    return
                try:
                    for part in answer if isinstance(answer, list) else [answer]:
                        visitor.sendall(part)
                except OSError:
                    return
            while self.answers and visitor.recv(65536):
                pass

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def stranger():
    stranger = Stranger()
    yield stranger
    stranger.close()


def refusal(graph, **settings):
    """The error of a connection that the fence refuses."""
    with pytest.raises(postgres.OperationalError) as failed:
        postgres.connect(graph, **settings)
    assert isinstance(failed.value.__cause__, CapabilityDenied)
    return failed.value


def selected(graph, **settings):
    """What a session of this client answers: the control."""
    with postgres.connect(graph, **settings) as connection:
        return connection.execute("SELECT 'granted'").fetchone()[0]


def test_another_port_is_refused(fenced, server, stranger):
    graph = fenced(f"{TCP}, {PASSWORD}")
    error = refusal(graph, user=server.user, host="127.0.0.1", port=stranger.port, password=server.password)
    (denial,) = error.__cause__.denials
    assert (denial.kind, denial.value, denial.allow) == ("tcp", f"127.0.0.1:{stranger.port}", f'tcp: ["127.0.0.1:{stranger.port}"]')
    assert error.sqlstate == "08001"
    assert stranger.visits == 0
    assert server.password not in str(error)
    with pytest.raises(postgres.OperationalError):
        postgres.connect(fenced('tcp: ["127.0.0.1:*"]'), user=server.user, host="127.0.0.1", port=stranger.port, password="x")
    assert stranger.visits == 1
    assert selected(graph, user=server.user, host="127.0.0.1", port=server.port, password=server.password) == "granted"


def test_another_address_is_refused(fenced, server):
    for host in ("127.0.0.2", "10.0.0.1", "::1", "169.254.169.254"):
        refusal(fenced(TCP), user=server.user, host=host, port=server.port, password=server.password)


def test_another_name_is_refused(fenced, server):
    """Even one for the address that is granted: looking a name up tells whoever answers for it."""
    settings = {"user": server.user, "host": "localhost", "port": server.port, "password": server.password}
    assert refusal(fenced(TCP), **settings).__cause__.denials[0].kind == "dns"
    both = f'tcp: ["localhost:{server.port}", "127.0.0.1:{server.port}", "[::1]:{server.port}"]'
    assert selected(fenced(both), **settings) == "granted"


def test_a_unix_socket_is_refused(fenced, server, tmp_path):
    """It would lead past every grant of an address. The guest's system has none; the same source on another has."""
    settings = {"user": server.user, "host": server.socket_folder, "port": server.port, "password": server.password}
    with pytest.raises(postgres.OperationalError) as failed:
        postgres.connect(fenced(f"{TCP}, {PASSWORD}"), **settings)
    assert failed.value.sqlstate == "08001"
    assert "unix socket" in str(failed.value)
    assert native_answer(native_guest("postgres-client", tmp_path), **settings) == "granted"


def test_the_password_file_is_not_read(fenced, composed, server, tmp_path, monkeypatch):
    """Neither where libpq would look, nor where a variable leads that the guest is given; only what a grant of files names."""
    guest = native_guest("postgres-client", tmp_path / "guest")
    secret = server.password.replace("\\", "\\\\").replace(":", "\\:")
    entries = f"# mine\nelsewhere:5432:*:*:no\n127.0.0.1:{server.port}:*:{server.user}:{secret}\n"
    (tmp_path / ".pgpass").write_text(entries)
    settings = {"user": server.user, "host": "127.0.0.1", "port": server.port}
    home = 'files: [{ path: home, match: ["MATCH"], as: /home }], env: [{ HOME: /home }]'
    granted, beside = (f"{TCP}, {home.replace('MATCH', match)}" for match in (".pgpass", "*.txt"))
    refused = (TCP, f"{TCP}, env: [HOME]", f'{TCP}, env: [{{ PGPASSFILE: "{tmp_path}/.pgpass" }}]')
    for grant in (granted, beside, *refused):
        (composed(grant, "10s").parent / "home/.pgpass").write_text(entries)
    cache = user_cache()
    monkeypatch.setenv("HOME", str(tmp_path))
    for grant in refused:
        with pytest.raises(postgres.OperationalError, match="wants a password") as failed:
            postgres.connect(fenced(grant, cache=cache), **settings)
        assert failed.value.sqlstate == "28P01"
    error = refusal(fenced(beside, cache=cache), **settings)
    assert [one.value for one in error.__cause__.denials] == ["'/home/.pgpass'"]
    assert selected(fenced(granted, cache=cache), **settings) == "granted"
    assert native_answer(guest, **settings) == "granted"  # outside the fence nothing need be granted
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "nothing"))
    with pytest.raises(Exception) as missing:
        native_answer(guest, **settings)
    assert missing.value.value.sqlstate == "28P01"


def test_a_variable_that_is_not_granted_is_not_there(fenced, server, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", server.password)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://127.0.0.1:{server.port}")
    settings = {"user": server.user, "host": "127.0.0.1", "port": server.port}
    with pytest.raises(postgres.OperationalError, match="wants a password"):
        postgres.connect(fenced(TCP), **settings)
    assert selected(fenced(f"{TCP}, {PASSWORD}"), **settings) == "granted"
    # Without DATABASE_URL it is libpq's default, which is another place.
    refusal(fenced(f"{TCP}, {PASSWORD}"), user=server.user)
    assert selected(fenced(f"{TCP}, env: [PGPASSWORD, DATABASE_URL]"), user=server.user) == "granted"


def test_the_graph_of_the_table_is_this_clients(table_graph, server, password, stranger):
    """The row that the project promises: no files, its server, its password; and nothing is denied in ordinary work."""
    with Graph.load(table_graph, parameters={"postgres": server.address}) as graph:
        assert selected(graph, user=server.user) == "granted"
        assert list(graph.all_denials) == []
        refusal(graph, user=server.user, host="127.0.0.1", port=stranger.port)
    assert stranger.visits == 0


def message(code, body=b""):
    return code + struct.pack("!i", len(body) + 4) + body


AUTHENTICATED = message(b"R", struct.pack("!i", 0)) + message(b"Z", b"I")
ROW = message(b"D", struct.pack("!hi", 1, 1_000_000) + b"x" * 1_000_000)
COLUMN = message(b"T", struct.pack("!h", 1) + b"c\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0))
NUMBERS = COLUMN.replace(struct.pack("!i", 25), struct.pack("!i", 20))


@pytest.mark.parametrize(
    "answers",
    [
        [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
        [b""],
        [struct.pack("!ci", b"R", -5)],
        [struct.pack("!ci", b"R", 2**31 - 1)],
        [message(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-512\0\0")],
        [message(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0"), message(b"R", struct.pack("!i", 11) + b"r=x,s=eA==,i=4096")],
        [message(b"R", struct.pack("!i", 7))],
        [message(b"E", b"SFATAL\0C\xff\0M\x1b[31m\0P-1\0\0")],
        [AUTHENTICATED, b"\xff" * 100],
        [AUTHENTICATED, message(b"T", b"\xff\xff")],
        [AUTHENTICATED, message(b"D", b"\0\x01")],
        [AUTHENTICATED, COLUMN + message(b"D", struct.pack("!hi", 1, 2) + b"\xff\xfe")],
        [AUTHENTICATED, [COLUMN] + [ROW] * 1000],
        [AUTHENTICATED, message(b"C", b"SELECT 1\0") + message(b"Z", b"?")],
        [
            AUTHENTICATED,
            COLUMN.replace(struct.pack("!i", 25), struct.pack("!i", 20)) + message(b"D", struct.pack("!hi", 1, 30) + b"9" * 30),
        ],
        [AUTHENTICATED, b""],
    ],
    ids=lambda answers: repr(answers)[:30],
)
def test_whatever_speaks_in_the_servers_place_ends_in_an_error_in_time(fenced, answers):
    """Garbage, lies and floods: the host goes on, and so does the next connection."""
    impostor = Stranger(*answers)
    graph = fenced('tcp: ["127.0.0.1:*"]', "3s")
    with pytest.raises(postgres.Error):
        postgres.connect(graph, user="ada", host="127.0.0.1", port=impostor.port, password="x").execute("SELECT 1")
    impostor.close()
    friend = Stranger(
        AUTHENTICATED, COLUMN + message(b"D", struct.pack("!hi", 1, 2) + b"ok") + message(b"C", b"SELECT 1\0") + message(b"Z", b"I")
    )
    connection = postgres.connect(graph, user="ada", host="127.0.0.1", port=friend.port, autocommit=True)
    assert connection.execute("SELECT 1").fetchone() == ("ok",)
    friend.close()


def native_answer(guest, **settings):
    """What the client's source answers outside the fence, on this machine's Python."""
    types = guest["wit_world.exports.client"]
    every = {
        "host": None,
        "port": None,
        "database": None,
        "password": None,
        "application_name": None,
        "ssl": types.SslMode.PREFER,
        **settings,
    }
    connection = guest["client"].Connection.open(types.Settings(**every))
    try:
        return connection.execute("SELECT 'granted'", [], 1).rows[0][0].value.value
    finally:
        connection.disconnect()
