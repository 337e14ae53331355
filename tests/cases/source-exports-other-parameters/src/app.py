from wit_world import exports


class Words(exports.Words):
    def count(self) -> int:
        return 0


class Letters(exports.Letters):
    @staticmethod
    def count(txt: str, *, limit: int = 3) -> int:
        return min(len(txt), limit)

    def sort(self, text: str, backwards: bool) -> str:
        return "".join(sorted(text, reverse=backwards))


class Shelf(exports.Shelf):
    size = classmethod(lambda _cls: 5)
    either = lambda self, *_any: True  # noqa: E731
