"""The resource, in the module of its interface's name, where componentize-py looks for it."""

from typing import Self

from wit_world.exports import things


class Thing(things.Thing):
    count = 0

    def __init__(self, text):
        self.content = text
        Thing.count += 1

    def __del__(self):
        Thing.count -= 1

    def text(self):
        return self.content

    def rename(self, text):
        old, self.content = self.content, text
        return old

    def same_as(self, other):
        return self is other

    @classmethod
    def make(cls, text) -> Self:
        return cls(text)

    @classmethod
    def join(cls, first, second) -> Self:
        return cls(first.content + second.content)

    @classmethod
    def living(cls):
        return Thing.count
