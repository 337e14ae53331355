"""What a library prints: line by line to where the streams lead, and the first of it told to the host, in case that is nowhere.

The streams are replaced before the library is imported, since it may keep one (`def show(self, file=sys.stdout)`).
"""

import io
import json
import sys

_TEXT = 200
_PRINTED = -1
"""In the place of a log record's level."""
_streams = []


class Output(io.TextIOWrapper):
    """A standard stream. What is printed gets out at once: this interpreter never ends, so that nothing is written at its end."""

    def __init__(self, name):
        super().__init__(getattr(sys, name).buffer, encoding="utf-8", errors="backslashreplace", line_buffering=True)
        self.stream, self.tell_first, self.waiting = name, None, False

    def write(self, text):
        self.waiting = True
        if self.tell_first is not None and text.strip():
            tell, self.tell_first = self.tell_first, None
            tell(json.dumps([_PRINTED, self.stream, text[:_TEXT]]))
        return super().write(text)


def replace():
    """Have stdout and stderr be such streams from now on."""
    for name in ("stdout", "stderr"):
        made = Output(name)
        setattr(sys, name, made)
        _streams.append(made)


def begin(tell):
    """An application is there, which is told of what is printed first."""
    for one in _streams:
        one.tell_first = tell


def flush():
    """Have out what waits for the end of its line."""
    for one in _streams:
        if one.waiting:
            one.waiting = False
            one.flush()
