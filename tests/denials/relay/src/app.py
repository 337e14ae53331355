"""A guest that passes everything on to another."""

import os

from wit_world import exports
from wit_world.imports import attempts

CALLS = 0
KEPT = []


class Relaying(exports.Relaying):
    def spin(self):
        attempts.spin()

    def trap(self):
        attempts.trap()

    def counter(self):
        global CALLS
        CALLS += 1
        return (CALLS - 1, attempts.counter())

    def connect(self, host, port, text):
        return attempts.connect(host, port, text)

    def getenv(self, name):
        return (os.environ.get(name), attempts.getenv(name))

    def read_file(self, path):
        return attempts.read_file(path)

    def hoard(self, count):
        return attempts.hoard(count)

    def sleep(self, seconds):
        attempts.sleep(seconds)

    def print(self, text, times):
        attempts.print(text, times)

    def flood(self, count):
        return len(attempts.flood(count))

    def spell(self, text):
        with attempts.Token(text) as token:
            return token.text()

    def lend_out(self, text):
        return attempts.Token(text)

    def keep(self, count):
        KEPT.extend(attempts.Token(str(number)) for number in range(count))
        return len(KEPT)

    def take_back(self, token):
        with token:
            return token.text()

    def look_at(self, token):
        return token.text()
