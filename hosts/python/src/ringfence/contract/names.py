"""Names: WIT's kebab-case to Python's snake_case, interface names with versions, and digests."""

from __future__ import annotations

import hashlib
import keyword
import re
from typing import NamedTuple, NewType

Digest = NewType("Digest", str)
"""`sha256:` and 64 hexadecimal digits."""

_INTERFACE = re.compile(r"(?P<package>[a-z0-9-]+:[a-z0-9-]+)/(?P<name>[a-z0-9-]+)(@(?P<version>[0-9A-Za-z.+-]+))?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def snake(name: str) -> str:
    """The Python name of a WIT name; a keyword gets a trailing underscore."""
    text = name.removeprefix("%").replace("-", "_")
    return f"{text}_" if keyword.iskeyword(text) else text


def digest_of(data: bytes | memoryview) -> Digest:
    """The digest of these bytes."""
    return Digest(f"sha256:{hashlib.sha256(data).hexdigest()}")


def is_digest(text: object) -> bool:
    """Whether this is the text of a well-formed digest."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


class InterfaceName(NamedTuple):
    """`package/name@version`, taken apart; `base` is the name without its version."""

    package: str
    name: str
    version: str | None

    @property
    def base(self) -> str:
        return f"{self.package}/{self.name}"

    def __str__(self) -> str:
        return f"{self.base}@{self.version}" if self.version else self.base

    def accepts(self, other: InterfaceName) -> bool:
        """Whether an export named `other` satisfies this import by name and semver compatibility (WIT's rule).

        Same track (major, or 0.minor, or 0.0.patch); the component model's linking ignores what follows on one track,
        so a 0.2.0 and a 0.2.6 meet; whether the types fit is checked apart.
        """
        return self.base == other.base and track(self.version) == track(other.version)


def parse_interface(text: str) -> InterfaceName | None:
    """The interface name taken apart, or None where the text is no such name (a plain kebab name, say)."""
    found = _INTERFACE.fullmatch(text)
    return InterfaceName(found["package"], found["name"], found["version"]) if found else None


def track(version: str | None) -> str | None:
    """The compatibility track of a semver: `1.2.3` is on `1`, `0.2.6` on `0.2`, `0.0.4` on `0.0.4`; pre-releases match themselves only."""
    if version is None:
        return None
    release, _, _build = version.partition("+")
    if "-" in release:
        return release
    parts = release.split(".")
    if parts[0] != "0":
        return parts[0]
    return ".".join(parts[:2]) if len(parts) > 1 and parts[1] != "0" else release
