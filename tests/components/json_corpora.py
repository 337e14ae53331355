"""The JSON parsing corpora, as the crate `justjson` carries them, and where the decoder and CPython's `json` part, with the reason.

JSONTestSuite/      Nicolas Seriot's: y_ is JSON, n_ is not, i_ is left to the implementation (RFC 8259)
jsonorg/            JSON_checker, of json.org: passN is JSON, failN is not, by rules that are older than RFC 8259
"""

from __future__ import annotations

from collections.abc import Mapping

from crates import Crate

CRATE = Crate(name="justjson", version="0.3.0", sha256="d7e253b574775d0ebd7975c471fc18f72f0775a4d42b563b5fbc3c4068aa1075")
SUITE, CHECKER = "JSONTestSuite/", "jsonorg/"

_CONSTANT = "NaN and Infinity are not JSON; CPython takes them"
_SURROGATE = "half of a surrogate pair: no WIT string can hold it; CPython's strings can"
_UTF_16 = "UTF-16: WIT hands texts over, not bytes, so whoever reads the bytes decodes them; CPython guesses the encoding"
_MARK = "a byte order mark is no part of JSON; CPython takes it before bytes, not before text"

DIFFERENCES: Mapping[str, str] = {
    "JSONTestSuite/i_object_key_lone_2nd_surrogate.json": _SURROGATE,
    "JSONTestSuite/i_string_1st_surrogate_but_2nd_missing.json": _SURROGATE,
    "JSONTestSuite/i_string_1st_valid_surrogate_2nd_invalid.json": _SURROGATE,
    "JSONTestSuite/i_string_incomplete_surrogate_and_escape_valid.json": _SURROGATE,
    "JSONTestSuite/i_string_incomplete_surrogate_pair.json": _SURROGATE,
    "JSONTestSuite/i_string_incomplete_surrogates_escape_valid.json": _SURROGATE,
    "JSONTestSuite/i_string_invalid_lonely_surrogate.json": _SURROGATE,
    "JSONTestSuite/i_string_invalid_surrogate.json": _SURROGATE,
    "JSONTestSuite/i_string_inverted_surrogates_U+1D11E.json": _SURROGATE,
    "JSONTestSuite/i_string_lone_second_surrogate.json": _SURROGATE,
    "JSONTestSuite/i_string_UTF8_surrogate_U+D800.json": _SURROGATE,
    "JSONTestSuite/i_string_UTF-16LE_with_BOM.json": _UTF_16,
    "JSONTestSuite/i_string_utf16BE_no_BOM.json": _UTF_16,
    "JSONTestSuite/i_string_utf16LE_no_BOM.json": _UTF_16,
    "JSONTestSuite/i_structure_UTF-8_BOM_empty_object.json": _MARK,
    "JSONTestSuite/n_number_NaN.json": _CONSTANT,
    "JSONTestSuite/n_number_infinity.json": _CONSTANT,
    "JSONTestSuite/n_number_minus_infinity.json": _CONSTANT,
}
"""Each file on which the two differ, and why the decoder does what it does. One that is listed and does not differ fails the test, too."""

OLDER: Mapping[str, str] = {
    "jsonorg/fail1.json": "a text may be any value since RFC 7159",
    "jsonorg/fail18.json": "twenty levels are too deep for JSON_checker; the RFC leaves that to the implementation",
}
"""What JSON_checker calls wrong, and both the decoder and CPython rightly take."""


def corpora() -> Mapping[str, bytes]:
    """Every text by its name; raises as `Crate.tests` does."""
    return {name: text for name, text in CRATE.tests().items() if name.startswith((SUITE, CHECKER)) and name.endswith(".json")}
