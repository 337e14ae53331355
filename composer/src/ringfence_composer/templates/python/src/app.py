"""What new-thing does: a class for each interface that its world exports."""

from wit_world import exports


class Greetings(exports.Greetings):
    def greet(self, name: str) -> str:
        return f"Hello, {name}!"
