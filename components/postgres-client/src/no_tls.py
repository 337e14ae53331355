"""The names of `ssl` that the driver imports, where this Python has none: without that module its SCRAM would not even load.

They are classes of nothing. The driver is always told to speak in the clear, and nothing here can encrypt.
"""

import sys
from importlib.util import find_spec
from types import ModuleType


def install() -> None:
    """Stand in for `ssl` where it can't be imported."""
    if find_spec("_ssl") is None:
        stand_in = ModuleType("ssl", __doc__)
        stand_in.__dict__.update(SSLObject=type("SSLObject", (), {}), SSLSocket=type("SSLSocket", (), {}))
        sys.modules["ssl"] = stand_in
