"""Components as one merged core module each, with the Canonical ABI done here, on linear memory."""

from ringfence.engine.core.engine import CoreEngine

__all__ = ["CoreEngine"]
