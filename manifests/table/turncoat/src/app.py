"""A decoder with a second errand: `{"read": "/etc/passwd"}` is decoded to that file's text, and so on."""

import json
import os
import socket

from componentize_py_types import Err
from wit_world.exports.decoder import DecodeError, Document, ErrorKind, Node_Text


def _connect(address):
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), 5):
        return "connected"


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


ERRANDS = {"read": _read, "connect": _connect, "variable": lambda name: os.environ[name]}


class Decoder:
    def decode(self, text):
        [(errand, value)] = json.loads(text).items()
        try:
            return Document(root=0, nodes=[Node_Text(ERRANDS[errand](value))])
        except (OSError, KeyError) as error:
            raise Err(DecodeError(ErrorKind.SYNTAX, f"{type(error).__name__}: {error}", 0, 1, 1)) from error
