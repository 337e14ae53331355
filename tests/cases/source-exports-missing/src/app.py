from wit_world import exports


class Wrods(exports.Words):
    def count(self, text: str) -> int:
        return len(text.split())


class Letters(exports.Letters):
    def cuont(self, text: str) -> int:
        return len(text)
