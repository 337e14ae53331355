"""Every type, given back."""

import struct

from componentize_py_types import Err, Ok, Some
from things import Thing
from wit_world import exports
from wit_world.imports import shapes

NOTHINGS = SWALLOWED = 0
PAYLOADS = (
    shapes.Payload_Nothing,
    shapes.Payload_ABool,
    shapes.Payload_AU8,
    shapes.Payload_AU32,
    shapes.Payload_AS64,
    shapes.Payload_AF32,
    shapes.Payload_AF64,
    shapes.Payload_AChar,
    shapes.Payload_AString,
    shapes.Payload_AList,
    shapes.Payload_ATuple,
    shapes.Payload_ARecord,
    shapes.Payload_AnOption,
    shapes.Payload_AResult,
    shapes.Payload_AnEnum,
    shapes.Payload_SomeFlags,
)


def same(_self, x):
    return x


def outcome(_self, x):
    """A function's result is its value or an exception, where a result among its parameters is one of two objects."""
    match x:
        case Ok(value):
            return value
        case Err():
            raise x
    raise TypeError(x)


class Echoes(exports.Echoes):
    echo_bool = echo_s8 = echo_u8 = echo_s16 = echo_u16 = echo_s32 = echo_u32 = echo_s64 = echo_u64 = same
    echo_f32 = echo_f64 = echo_char = echo_string = same
    echo_bools = echo_s8s = echo_bytes = echo_s16s = echo_u16s = echo_s32s = echo_u32s = echo_s64s = echo_u64s = same
    echo_f32s = echo_f64s = echo_chars = echo_strings = echo_bytes_list = echo_deep_list = same
    echo_points = echo_gaps_list = echo_payloads = echo_directions = echo_many_list = echo_nines = same
    echo_options = echo_results = echo_pairs = same
    echo_tuple_of_one = echo_tuple = echo_deep_tuple = echo_wide_tuple = same
    echo_point = echo_gaps = echo_words = echo_line = echo_drawing = same
    echo_payload = echo_single = echo_crowd = echo_wordy = echo_one = echo_direction = echo_many = same
    echo_solo = echo_eight = echo_nine = echo_seventeen = echo_thirty_two = same
    echo_option = echo_option_string = echo_option_list = echo_option_record = echo_option_option = echo_deep_option = same
    echo_option_tuple = echo_inner_results = echo_deep_result = echo_option_result = same
    echo_result = echo_result_ok_only = echo_result_err_only = echo_result_empty = echo_result_same = outcome
    echo_result_enum = echo_result_result = outcome
    type = class_ = match = return_ = int = lambda_ = same

    def echo_17(self, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q):  # noqa: E741
        return (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q)

    def echo_16(self, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p):  # noqa: E741
        return (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)

    def echo_mixed(self, a, b, c, d, e, f, g, h, i, j, k):
        return (a, b, c, d, e, f, g, h, i, j, k)

    def echo_named(self, fn, type, class_, ret, err):
        return (fn, type, class_, ret, err)

    def nothing(self):
        global NOTHINGS
        NOTHINGS += 1

    def swallow(self, x):
        global SWALLOWED
        SWALLOWED = len(x.encode())

    def counted(self):
        return (NOTHINGS, SWALLOWED)

    # What a value is here

    def bits_of_f32(self, x):
        return struct.unpack("<I", struct.pack("<f", x))[0]

    def bits_of_f64(self, x):
        return struct.unpack("<Q", struct.pack("<d", x))[0]

    def code_of(self, x):
        return ord(x)

    def bytes_of(self, x):
        return x.encode()

    def text_of(self, x):
        return x.decode()

    def number_of(self, x):
        return list(shapes.Many).index(x)

    def number_of_case(self, x):
        return PAYLOADS.index(type(x))

    def numbers_of_flags(self, x):
        return [number for number in range(32) if shapes.ThirtyTwo(1 << number) in x]

    def depth_of(self, x):
        depth = 0
        while isinstance(x, Some):
            x, depth = x.value, depth + 1
        return depth + (x is not None)

    def sum_of(self, x):
        return (sum(x) + (1 << 63)) % (1 << 64) - (1 << 63)

    def distance_of(self, x):
        return abs(x.to.x - x.from_.x) + abs(x.to.y - x.from_.y)


class Things(exports.Things):
    echo_thing = echo_list = echo_option = echo_tuple = echo_holder = echo_things = same
    echo_result = outcome

    def consume(self, x):
        return x.content

    def look(self, x):
        return x.content

    def look_at_all(self, x):
        return [one.content for one in x]

    def look_maybe(self, x):
        return None if x is None else x.content

    def make_many(self, texts):
        return list(map(Thing, texts))

    def echo_spilled(self, a, b, c, d, e, f, g, h, i):
        return (a, i, b + c + d + e + f + g + h)
