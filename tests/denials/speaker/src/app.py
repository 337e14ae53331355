"""A guest that speaks on the network as it is told."""

import socket

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.attempts import Family

KEPT = []


def _attempt(action):
    try:
        return action()
    except OSError as error:
        raise Err(f"{type(error).__name__}: {error}") from error


def _socket(family, kind):
    return socket.socket(socket.AF_INET if family == Family.IPV4 else socket.AF_INET6, kind)


def _all(connection):
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received.decode()


class Attempts(exports.Attempts):
    def talk(self, family, host, port, text):
        def connect():
            with _socket(family, socket.SOCK_STREAM) as connection:
                connection.connect((host, port))
                connection.sendall(text.encode())
                return _all(connection)

        return _attempt(connect)

    def serve(self, family, host, port):
        def accept():
            with _socket(family, socket.SOCK_STREAM) as listener:
                listener.bind((host, port))
                listener.listen()
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(b"hello")
                    return _all(connection)

        return _attempt(accept)

    def serve_anywhere(self):
        def listen():
            with socket.socket() as listener:
                listener.listen()
                return listener.getsockname()[1]

        return _attempt(listen)

    def squat(self, host, port):
        def listen():
            listener = socket.socket()
            KEPT.append(listener)
            listener.bind((host, port))
            listener.listen()
            return listener.getsockname()[1]

        return _attempt(listen)

    def tell(self, family, host, port, text):
        def send():
            with _socket(family, socket.SOCK_DGRAM) as datagrams:
                datagrams.sendto(text.encode(), (host, port))
                return datagrams.recvfrom(65536)[0].decode()

        return _attempt(send)

    def tell_peer(self, family, host, port, text):
        def send():
            with _socket(family, socket.SOCK_DGRAM) as datagrams:
                datagrams.connect((host, port))
                datagrams.send(text.encode())
                return datagrams.recv(65536).decode()

        return _attempt(send)

    def hear(self, host, port):
        def receive():
            heard = []
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
                datagrams.bind((host, port))
                while "end" not in heard:
                    heard.append(datagrams.recvfrom(65536)[0].decode())
            return heard

        return _attempt(receive)

    def shout(self, host, port):
        def send():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
                for option in (getattr(socket, "SO_BROADCAST", None), getattr(socket, "SO_REUSEADDR", None)):
                    try:
                        datagrams.setsockopt(socket.SOL_SOCKET, option, 1)
                    except (OSError, TypeError):
                        continue
                return datagrams.sendto(b"hello, all", (host, port))

        return _attempt(send)
