"""The component's export: `ringfence:json/decoder`, answered by `tree`."""

import tree
from componentize_py_types import Err
from wit_world.exports.decoder import DecodeError, Document


class Decoder:
    """The `decoder` interface."""

    def decode(self, text: str) -> Document:
        """The document that `text` holds.

        Raises:
            Err: With a `DecodeError`; it becomes the error case of the WIT result.
        """
        try:
            return tree.decode(text)
        except tree.Refused as refused:
            raise Err(_located(refused, text)) from None


def _located(refused: tree.Refused, text: str) -> DecodeError:
    """The WIT record for `refused`; lines and columns count from 1."""
    offset = refused.offset
    return DecodeError(
        kind=refused.kind,
        message=str(refused),
        offset=offset,
        line=text.count("\n", 0, offset) + 1,
        column=offset - text.rfind("\n", 0, offset),
    )
