"""Asks another node, and gives back what that says: its values as they come, its errors as the exceptions that they are."""

from wit_world import exports
from wit_world.imports import echoes, things


def passed_on(function):
    return lambda _self, *arguments: function(*arguments)


def asking(module, protocol):
    """A class with a method for each function that the protocol and the module share."""
    shared = [name for name in vars(protocol) if not name.startswith("_") and hasattr(module, name)]
    return type(protocol.__name__, (protocol,), {name: passed_on(getattr(module, name)) for name in shared})


Echoes = asking(echoes, exports.Echoes)


class Passing(asking(things, exports.Passing)):
    def new_thing(self, text):
        return things.Thing(text)

    def text(self, x):
        return x.text()

    def rename(self, x, text):
        return x.rename(text)

    def same_as(self, x, other):
        return x.same_as(other)

    def make(self, text):
        return things.Thing.make(text)

    def join(self, first, second):
        return things.Thing.join(first, second)

    def living(self):
        return things.Thing.living()

    def briefly(self, text):
        with things.Thing(text) as thing:
            return thing.text()

    def lend_all(self, texts):
        return things.look_at_all([things.Thing(text) for text in texts])


PassingLists = asking(things, exports.PassingLists)
