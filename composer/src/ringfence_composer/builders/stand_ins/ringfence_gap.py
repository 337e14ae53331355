"""What a guest lacks, told when it is used and not when it is imported."""

import contextlib
import errno
import functools


class Lacking(OSError, NotImplementedError, KeyError):
    """Something that no guest has. It is what callers of the real thing are ready for: an OSError; of look-ups, a KeyError."""

    __str__ = OSError.__str__


def lacking(what):
    """The error that says that there is no such thing here."""
    return Lacking(errno.ENOTSUP, f"there is {what} in a ring-fenced guest; do this outside, in the application")


def functions(what, *names):
    """Functions of these names, each of which raises."""

    def make(name):
        def function(*_arguments, **_named):
            raise lacking(what)

        function.__name__ = function.__qualname__ = name
        return function

    return {name: make(name) for name in names}


def classes(what, *names):
    """Classes of these names, which can be derived from and never made."""

    def refuse(_cls, *_arguments, **_named):
        raise lacking(what)

    return {name: type(name, (), {"__new__": refuse, "__doc__": f"There is {what} in a guest."}) for name in names}


def prepare():
    """Have what the interpreter itself lacks tell so, and look-ups of what is not there go on as they would without their module."""
    import _thread
    import hashlib
    import os
    import posixpath
    import threading

    def no_thread(*_arguments, **_named):
        raise RuntimeError("can't start new thread: there is one thread in a ring-fenced guest; do this outside, in the application")

    _thread.start_new_thread = _thread.start_joinable_thread = no_thread
    threading._start_joinable_thread = no_thread
    expand = posixpath.expanduser

    def expanduser(path):
        """As ever where HOME says where; else the path as it is, since there are no users to be looked up."""
        return expand(path) if "HOME" in os.environ else os.fspath(path)

    posixpath.expanduser = expanduser
    hashlib.pbkdf2_hmac = pbkdf2_hmac
    hashlib.scrypt = functions("no scrypt", "scrypt")["scrypt"]


def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
    """As `hashlib.pbkdf2_hmac`, which is OpenSSL's elsewhere; slower than that."""
    import hashlib

    inner, outer = hashlib.new(hash_name), hashlib.new(hash_name)
    length = inner.digest_size if dklen is None else dklen
    if iterations < 1 or length < 1:
        raise ValueError("iterations and length of the key are at least 1")
    key = bytes(password) if len(password) <= inner.block_size else hashlib.new(hash_name, password).digest()
    key = key.ljust(inner.block_size, b"\0")
    inner.update(bytes(byte ^ 0x36 for byte in key))
    outer.update(bytes(byte ^ 0x5C for byte in key))

    def keyed(data):
        first, second = inner.copy(), outer.copy()
        first.update(data)
        second.update(first.digest())
        return second.digest()

    found = b""
    for block in range(1, -(-length // inner.digest_size) + 1):
        last = keyed(bytes(salt) + block.to_bytes(4, "big"))
        mixed = int.from_bytes(last, "big")
        for _ in range(iterations - 1):
            last = keyed(last)
            mixed ^= int.from_bytes(last, "big")
        found += mixed.to_bytes(inner.digest_size, "big")
    return found[:length]


@contextlib.contextmanager
def no_network():
    """While the interpreter is built nobody has the network, though libraries try it at their import (urllib3 looks for IPv6).

    The C library would keep its handle of it, which is none in the instances that are made of what was built: each use there would trap.
    """
    import _socket
    import socket

    building = [True]

    def refuse():
        if building:
            raise Lacking(errno.ENETDOWN, "there is no network while a component is built; use it later, not at import")

    def guarded(function):
        @functools.wraps(function)
        def lookup(*arguments, **named):
            refuse()
            return function(*arguments, **named)

        return lookup

    make = socket.socket.__init__
    lookups = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo")
    kept = [(place, name, getattr(place, name)) for place in (_socket, socket) for name in lookups if hasattr(place, name)]
    socket.socket.__init__ = guarded(make)
    for place, name, function in kept:
        setattr(place, name, guarded(function))
    try:
        yield
    finally:
        building.clear()
        socket.socket.__init__ = make
        for place, name, function in kept:
            setattr(place, name, function)
