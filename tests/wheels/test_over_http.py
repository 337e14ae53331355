"""requests, with all that it requires, on its drop-in: without the network, over a granted address, and where none is granted."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from test_scripts import environment, run

from compat.environments import runtime_wheel

NEEDS = ("requests==2.34.2", "urllib3==2.8.0", "certifi==2026.10.19.post1", "charset-normalizer==3.5.3", "idna==3.20")
SCRIPT = Path(__file__).parent / "scripts" / "over_http.py"
ASK = """
import sys, requests
try:
    print(requests.get(sys.argv[1], timeout=5).status_code)
except requests.RequestException as error:
    print(type(error).__name__, *getattr(error, "__notes__", []))
"""


PAGES = {
    "/hello": (200, b"hello", {}),
    "/redirect": (302, b"", {"Location": "/hello", "Set-Cookie": "k=v"}),
    "/big": (200, b"x" * 100_000, {}),
    "/lines": (200, b"a\nb\nc\n", {}),
    "/gzip": (200, gzip.compress(b"zipped"), {"Content-Encoding": "gzip"}),
}


class Site(BaseHTTPRequestHandler):
    """Pages of several kinds."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self.path)
        self.answer(*PAGES[self.path.partition("?")[0]])

    def do_POST(self):
        self.answer(200, self.rfile.read(int(self.headers["Content-Length"])), {"Content-Type": "application/json"})

    def answer(self, code, body, headers):
        self.send_response(code)
        for name, value in {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    """A server on loopback; `asked` are the paths that were got from it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def fenced(site, tmp_path_factory):
    """The Python of an environment with the drop-in, which may reach the server and nothing else."""
    folder = tmp_path_factory.mktemp("requests")
    (folder / "grants.yaml").write_text(f'tcp: ["127.0.0.1:{site.server_port}"]')
    run(sys.executable, "-m", "ringfence_composer.cli", "wrap", NEEDS[0], "--grant", folder / "grants.yaml", "-o", folder)
    return environment(folder / "environment", runtime_wheel(), next(folder.glob("*.whl")))


def test_a_strangers_script_does_the_same_over_http(site, fenced, tmp_path):
    """Sessions, cookies, redirects, streams, errors, certificates. urllib3 tries the network at its import, when there is none yet."""
    natively = run(environment(tmp_path / "native", *NEEDS), SCRIPT, site.server_port, cwd=tmp_path)
    assert len(natively.splitlines()) > 15
    assert run(fenced, SCRIPT, site.server_port, cwd=tmp_path).splitlines() == natively.splitlines()


@pytest.mark.parametrize(
    ("policy", "address", "told"),
    [
        (None, "http://127.0.0.1:{port}/hello", "200"),  # the control
        ("[requests]\n", "http://127.0.0.1:{port}/hello", "requests: connect to 127.0.0.1:{port} denied"),
        (None, "http://127.0.0.1:1/hello", "requests: connect to 127.0.0.1:1 denied"),
        (None, "http://localhost:{port}/hello", "requests: look up localhost denied"),
        (None, "https://127.0.0.1:{port}/hello", "SSLError"),
    ],
)
def test_only_what_is_granted_is_reached(site, fenced, tmp_path, policy, address, told):
    """And the exception says what was refused, and what would allow it."""
    passed = {name: value for name, value in os.environ.items() if name in ("HOME", "PATH", "XDG_CACHE_HOME")}
    if policy is not None:
        (tmp_path / "policy.toml").write_text(policy)
        passed["RINGFENCE_POLICY"] = str(tmp_path / "policy.toml")
    site.asked.clear()
    command = [str(fenced), "-c", ASK, address.format(port=site.server_port)]
    out = subprocess.run(command, capture_output=True, text=True, env=passed, check=True, timeout=300).stdout
    assert told.format(port=site.server_port) in out
    assert site.asked == (["/hello"] if told == "200" else [])
