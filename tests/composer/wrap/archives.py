"""Archives made for tests, and an index on loopback that has them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from packaging.utils import canonicalize_name
from ringfence_composer.wrap.index import Archive


def sdist(files: Mapping[str, bytes | str], name: str = "thing-1.0") -> bytes:
    """A source archive with these files below its one folder."""
    return tarball({f"{name}/{path}": content for path, content in files.items()})


def tarball(files: Mapping[str, bytes | str]) -> bytes:
    """An archive with exactly these paths."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(path)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def wheel(files: Mapping[str, bytes | str], name: str = "thing", version: str = "1.0", metadata: str = "") -> bytes:
    """A wheel with these files, and metadata."""
    out = io.BytesIO()
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}"
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in {**files, f"{info}/METADATA": head, f"{info}/WHEEL": "Wheel-Version: 1.0\n"}.items():
            archive.writestr(path, content)
    return out.getvalue()


def archive(content: bytes, filename: str = "thing-1.0.tar.gz") -> Archive:
    """An archive as the index gives it."""
    return Archive(filename=filename, url="", sha256=hashlib.sha256(content).hexdigest(), content=content)


def tampered(file: Path, change: Callable[[dict[str, bytes]], object], *, recorded: bool = True) -> Path:
    """A wheel of ours with its files changed, and the form of its archive and its RECORD made right again, as whoever tampers would."""
    with zipfile.ZipFile(file) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    change(files)
    record = next(name for name in files if name.endswith("/RECORD"))
    if recorded:
        rows = [
            f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
            for name, data in files.items()
            if name != record
        ]
        files[record] = "\n".join([*rows, f"{record},,"]).encode()
    with zipfile.ZipFile(file, "w") as packed:
        for name, data in files.items():
            packed.writestr(plain_entry(name), data)
    return file


def plain_entry(name: str) -> zipfile.ZipInfo:
    """An entry as `compose wrap` writes it."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.external_attr, entry.compress_type, entry.create_system = 0o100644 << 16, zipfile.ZIP_DEFLATED, 3
    return entry


class Index:
    """A package index on loopback: JSON pages (PEP 691) and the files. `asked` are the paths that somebody wanted."""

    def __init__(self, files: Mapping[str, Mapping[str, bytes]]) -> None:
        self.files = {canonicalize_name(name): dict(of) for name, of in files.items()}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                data, kind = outer._answer(self.path)
                self.send_response(200 if data is not None else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()
                self.wfile.write(data or b"")

            do_HEAD = do_GET  # noqa: N815 -- its name in http.server

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/simple"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, path: str) -> tuple[bytes | None, str]:
        parts = [part for part in path.split("/") if part]
        if len(parts) == 2 and parts[0] == "simple" and parts[1] in self.files:
            listed = [
                {
                    "filename": name,
                    "url": f"/files/{parts[1]}/{name}",
                    "hashes": {"sha256": hashlib.sha256(data).hexdigest()},
                    "yanked": False,
                }
                for name, data in self.files[parts[1]].items()
            ]
            page = {"meta": {"api-version": "1.0"}, "name": parts[1], "files": listed}
            return json.dumps(page).encode(), "application/vnd.pypi.simple.v1+json"
        if len(parts) == 3 and parts[0] == "files":
            return self.files.get(parts[1], {}).get(parts[2]), "application/octet-stream"
        return None, "text/plain"
