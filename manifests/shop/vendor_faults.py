"""What a vendor can do wrong, each as a fault for `VendorServer.fault`.

A fault that never ends by itself ends with its server.
"""

from __future__ import annotations

import json
import socket
import struct
from contextlib import suppress
from typing import Any

from vendor_server import ORDERS, Fault, VendorHandler

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


def status(code: int) -> Fault:
    """Answers with this status and a short JSON body."""

    def answer(handler: VendorHandler) -> bool:
        handler.answer(code, {"error": "as asked"})
        return True

    return answer


def raw(reply: bytes) -> Fault:
    """Sends exactly these bytes, then closes."""

    def answer(handler: VendorHandler) -> bool:
        handler.wfile.write(reply)
        return True

    return answer


def body(content: bytes) -> Fault:
    """A well-formed reply with status 200 around these bytes."""
    return raw(_HEAD + b"Content-Length: %d\r\n\r\n" % len(content) + content)


def garbage() -> Fault:
    """A well-formed reply whose body is not JSON."""
    return body(b'{"id": "A-17", "status": ship')


def changed(**members: Any) -> Fault:
    """The first order with these members instead of its own; one that is `...` is left out."""
    order = {name: value for name, value in {**ORDERS[0], **members}.items() if value is not ...}
    return body(json.dumps(order).encode())


def redirect(location: str, code: int = 302) -> Fault:
    """Redirects each request to `location`, absolute or relative."""

    def answer(handler: VendorHandler) -> bool:
        handler.redirect(location, code)
        return True

    return answer


def redirects(count: int, code: int = 302) -> Fault:
    """Redirects `count` times to the same path on the same server, then lets the vendor answer."""
    left = count

    def answer(handler: VendorHandler) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and redirect(handler.path, code)(handler)

    return answer


def slow(seconds: float) -> Fault:
    """Waits, then lets the vendor answer."""

    def answer(handler: VendorHandler) -> bool:
        return handler.server.ending.wait(seconds)

    return answer


def hang() -> Fault:
    """Takes the request and never answers."""

    def answer(handler: VendorHandler) -> bool:
        handler.server.ending.wait()
        return True

    return answer


def truncated() -> Fault:
    """Announces more than it sends."""
    return raw(_HEAD + b'Content-Length: 500\r\n\r\n{"id": "A-17", ')


def silent() -> Fault:
    """Closes without a word."""
    return raw(b"")


def reset() -> Fault:
    """Resets the connection in the middle of the reply."""

    def answer(handler: VendorHandler) -> bool:
        handler.wfile.write(_HEAD + b'Content-Length: 500\r\n\r\n{"id": ')
        handler.wfile.flush()
        # A linger of zero seconds makes close() send RST instead of FIN.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        return True

    return answer


def endless_body() -> Fault:
    """A body that never ends."""
    return _endless(_HEAD + b'\r\n{"id": "', b"A" * 65536)


def endless_head() -> Fault:
    """Header after header."""
    return _endless(_HEAD, b"X-More: of the same\r\n" * 3000)


def endless_interim() -> Fault:
    """Informational replies without end (RFC 9110, 15.2)."""
    return _endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def huge_header(size: int = 1024 * 1024) -> Fault:
    """One header of this many bytes."""
    return raw(_HEAD + b"X-Huge: " + b"A" * size + b"\r\nContent-Length: 2\r\n\r\n{}")


def chunked(content: bytes, size: int = 7) -> Fault:
    """A reply in chunks of this many bytes."""
    chunks = [content[start : start + size] for start in range(0, len(content), size)]
    encoded = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return raw(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + encoded + b"0\r\n\r\n")


def chunked_garbage() -> Fault:
    """Says it sends chunks, and sends none."""
    return raw(_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nnot a chunk\r\n")


def _endless(head: bytes, more: bytes) -> Fault:
    def answer(handler: VendorHandler) -> bool:
        with suppress(OSError):
            handler.wfile.write(head)
            while not handler.server.ending.is_set():
                handler.wfile.write(more)
        return True

    return answer
