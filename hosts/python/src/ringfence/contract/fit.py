"""Does a Python value fit a WIT type? What fits becomes *parts*: what can be written to memory with no further question.

Nothing of the guest is touched here, so a value that does not fit leaves no trace. Each function takes the value and the path that
leads to it, and raises a ShapeError in the words that the component engine uses. The core engine has code of its own for the quick cases
(`engine/core/apart.py`); what comes here from there is unusual, wrong, or made of other values. `canonical.py` puts parts together again.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from operator import attrgetter, itemgetter
from struct import Struct, pack
from struct import error as StructError  # noqa: N812 (a class, whatever its name)
from typing import Any, NoReturn, TypeAlias

from ringfence.contract.errors import ShapeError
from ringfence.contract.mismatch import BOUNDS, describe, mismatch, no_such
from ringfence.contract.names import snake
from ringfence.contract.records import field_values
from ringfence.contract.types import CODES, EnumOf, FlagsOf, ListOf, Primitive, RecordOf, ResultOf, TupleOf, Type, VariantOf
from ringfence.contract.values import Err, Fill, Ok, case_of

Path: TypeAlias = tuple[str, ...]
"""Steps into a value, outermost first."""

Fit: TypeAlias = Callable[[Any, Path], Any]

_NAN = float("nan")


def along(error: ShapeError, path: Path) -> ShapeError:
    """The same error seen from where the path begins."""
    for step in reversed(path):
        error = error.within(step)
    return error


def misfit(kind: Type, value: Any, path: Path) -> NoReturn:
    """The value is of another type."""
    raise along(mismatch(kind, value), path)


def wrong(message: str, path: Path) -> NoReturn:
    """The value is wrong in the way the message says."""
    raise along(ShapeError(message), path)


def integer(kind: Primitive) -> Fit:
    """An integer in range that is no plain int, or what is none."""
    low, high = BOUNDS[kind.name]

    def fit(value: Any, path: Path) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            misfit(kind, value, path)
        return int(value)

    return fit


def real(kind: Primitive) -> Fit:
    """A float, or an int that one can hold; every NaN is the same (*Storing*, `maybe_scramble_nan32`)."""
    packer = Struct(f"<{CODES[kind.name]}").pack

    def fit(value: Any, path: Path) -> float:
        if isinstance(value, bool) or not isinstance(value, (float, int)):
            misfit(kind, value, path)
        try:
            packer(value)
            number = float(value)
        except (OverflowError, StructError):
            misfit(kind, value, path)
        return number if number == number else _NAN

    return fit


def boolean(value: Any, path: Path) -> bool:
    """A bool and nothing that is merely like one."""
    if not isinstance(value, bool):
        misfit(Primitive("bool"), value, path)
    return value


def char(value: Any, path: Path) -> int:
    """The code point of a char."""
    if not isinstance(value, str):
        misfit(Primitive("char"), value, path)
    if len(value) != 1:
        wrong(f"expected char, found text of length {len(value)}", path)
    code = ord(value)
    if 0xD800 <= code <= 0xDFFF:
        wrong("expected char, found a lone surrogate", path)
    return code


def no_text(value: Any, path: Path) -> NoReturn:
    """It could not be encoded: no str, or one with a lone surrogate."""
    try:
        str.encode(value)
    except UnicodeEncodeError as error:
        wrong(f"expected string, found a lone surrogate at index {error.start}", path)
    except TypeError:
        pass
    misfit(Primitive("string"), value, path)


def data(*, filled: bool) -> Fit:
    """Bytes of any kind; a Fill where `filled`, which is what host functions return."""

    def fit(value: Any, path: Path) -> Any:
        if isinstance(value, (bytes, bytearray)):
            return memoryview(value)  # holds a bytearray's size
        if isinstance(value, (memoryview, array)) or hasattr(value, "__array_interface__"):
            found = _buffer(value, "B")
            if found is not None:
                return found
        elif filled and isinstance(value, Fill):
            if type(value.length) is not int or value.length < 0:
                wrong(f"expected Fill with a length, found {describe(value.length)}", path)
            return value
        wanted = "bytes" if isinstance(value, (list, tuple, str)) else "list<u8>"
        return wrong(f"expected {wanted}, found {describe(value)}", path)

    return fit


def _buffer(value: Any, code: str) -> Any:
    """The elements of a buffer of such numbers, one behind the other, as a view of bytes; None where it holds others."""
    try:
        view = memoryview(value)
    except (TypeError, ValueError, BufferError):
        return None
    if isinstance(value, memoryview) and code == "B" and view.itemsize == 1:
        return view.cast("B") if view.c_contiguous else view.tobytes()
    if view.ndim != 1 or view.format.lstrip("<=@") not in _LIKE[code] or view.itemsize != Struct(f"<{code}").size:
        return None
    return view.cast("B") if view.c_contiguous else view.tobytes()


_LIKE = {code: code for code in "bBhHfd"} | {"i": "il", "I": "IL", "q": "ql", "Q": "QL", "?": "?"}


def numbers(kind: Primitive) -> Fit:
    """A list of numbers: a buffer of them as it is, a list packed all at once where every element has exactly the right type."""
    code = CODES[kind.name]
    one = boolean if kind.name == "bool" else real(kind) if code in "fd" else integer(kind)
    exact = {bool if code == "?" else float if code in "fd" else int}

    def fit(value: Any, path: Path) -> Any:
        if not isinstance(value, (list, tuple)):
            buffer = None if isinstance(value, (str, bytes, bytearray)) else _buffer(value, code)
            return misfit(ListOf(kind), value, path) if buffer is None else buffer
        if set(map(type, value)) == exact:
            try:
                return pack(f"<{len(value)}{code}", *value) if code in "f?" else memoryview(array(code, value)).cast("B")
            except (OverflowError, ValueError):
                pass
        fitted = []
        for index, element in enumerate(value):
            fitted.append(one(element, (*path, f"[{index}]")))
        return pack(f"<{len(fitted)}{code}", *fitted)

    return fit


def fields(kind: RecordOf) -> Fit:
    """The values of the fields in order, of whatever has them."""
    wit = tuple(name for name, _ in kind.fields)
    names = tuple(snake(name) for name in wit)
    getters = [itemgetter(*spelling) if len(wit) > 1 else _single(spelling[0]) for spelling in (names, wit)]

    def fit(value: Any, path: Path) -> Sequence[Any]:
        if type(value) is dict and len(value) == len(wit):
            for getter in getters:
                try:
                    found: tuple[Any, ...] = getter(value)
                except KeyError:
                    continue
                return found
        try:
            return field_values(kind, value)
        except ShapeError as error:
            raise along(error, path) from None

    return fit


def attributes(wit: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """The fields of a record object, always as a tuple."""
    names = [snake(name) for name in wit]
    if len(names) == 1:
        get = attrgetter(names[0])
        return lambda value: (get(value),)
    return attrgetter(*names)


def _single(key: str) -> Callable[[Any], tuple[Any, ...]]:
    return lambda value: (value[key],)


def elements(kind: TupleOf) -> Fit:
    """The elements of a tuple, given as a list or tuple."""
    count = len(kind.elements)

    def fit(value: Any, path: Path) -> Sequence[Any]:
        if not isinstance(value, (list, tuple)):
            misfit(kind, value, path)
        if len(value) != count:
            wrong(f"expected a tuple of {count}, found one of {len(value)}", path)
        return value

    return fit


def label(kind: EnumOf) -> Fit:
    """The discriminant of an enum's label."""
    places = {name: index for index, name in enumerate(kind.labels)}

    def fit(value: Any, path: Path) -> int:
        if not isinstance(value, str):
            misfit(kind, value, path)
        place = places.get(value)
        if place is None:
            raise along(no_such("label", value, places), path)
        return place

    return fit


def labels(kind: FlagsOf) -> Fit:
    """The bits of flags (*Storing*, `pack_flags_into_int`)."""
    bits = {name: 1 << index for index, name in enumerate(kind.labels)}

    def fit(value: Any, path: Path) -> int:
        if not isinstance(value, (AbstractSet, list, tuple)) or not all(isinstance(one, str) for one in value):
            misfit(kind, value, path)
        found = 0
        for one in value:
            bit = bits.get(one)
            if bit is None:
                raise along(no_such("label", one, bits), path)
            found |= bit
        return found

    return fit


def chosen(kind: VariantOf, payloads: Mapping[str, tuple[int, Callable[[Any, Any], Any] | None]]) -> Callable[[Any, Any, Path], Any]:
    """The discriminant of a variant's case and the parts of its payload."""

    def fit(scope: Any, value: Any, path: Path) -> tuple[int, Any]:
        name, payload = case_of(value) or misfit(kind, value, path)
        found = payloads.get(name) if isinstance(name, str) else misfit(kind, value, path)
        if found is None:
            raise along(no_such("case", name, payloads), path)
        if isinstance(value, str) and found[1] is not None:
            wrong(f"expected Case({name!r}, value), found only its name", path)
        return found[0], _payload(scope, name, found[1], payload, path)

    return fit


def settled(kind: ResultOf, ok: Callable[[Any, Any], Any] | None, err: Callable[[Any, Any], Any] | None) -> Callable[[Any, Any, Path], Any]:
    """The discriminant of a result and the parts of its payload."""

    def fit(scope: Any, value: Any, path: Path) -> tuple[int, Any]:
        if isinstance(value, Ok):
            return 0, _payload(scope, "ok", ok, value.value, path)
        if isinstance(value, Err):
            return 1, _payload(scope, "err", err, value.value, path)
        return misfit(kind, value, path)

    return fit


def _payload(scope: Any, name: str, fit: Callable[[Any, Any], Any] | None, value: Any, path: Path) -> Any:
    if fit is None:
        if value is not None:
            wrong(f"expected no value for {name}, found {describe(value)}", path)
        return None
    try:
        return fit(scope, value)
    except ShapeError as error:
        raise along(error.within(name), path) from None
