"""Values to JSON text and back."""

from __future__ import annotations

from .reading import Reader
from .writing import Writer


class Codec(Writer, Reader):
    """Writes values and reads them."""
