"""Answers that no value of their type is: Python's types allow them all."""

from wit_world import exports
from wit_world.imports import shapes


class Lies(exports.Lies):
    def truth(self):
        return "true"

    def half_a_character(self):
        return "a\ud800"

    def no_text(self):
        return b"\xff\xfe"

    def half_inside(self):
        return [None, "good", "\udfff"]

    def surrogate(self):
        return "\ud800"

    def beyond_unicode(self):
        return "more than one"

    def no_label(self):
        return 4

    def no_label_of_many(self):
        return "n300"

    def no_case(self):
        return shapes.Point(1, 2)

    def more_flags(self):
        return shapes.ThirtyTwo(0xFFFF)

    def too_large(self):
        return 300

    def too_small(self):
        return -300

    def strange_bool(self):
        return "neither"

    def long_list(self):
        return range(0x1FFFFFFF)

    def much(self, bytes):
        return b"\x07" * bytes

    def many_lists(self, count):
        return [b"\x07" * (place % 3) for place in range(count)]

    def length(self, x):
        return sum(map(len, x))

    def deep(self, times):
        return 0 if times == 0 else self.deep(times - 1) + 1
