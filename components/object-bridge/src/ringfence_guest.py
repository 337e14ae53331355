"""The component's export: `ringfence:objects/library`, answered by the bridge for the modules that `ringfence_library` names."""

# ruff: noqa: E402 -- the streams are replaced before the library is imported

from ringfence_bridge import output

output.replace()

from ringfence_bridge.bridge import Bridge
from ringfence_library import MODULES
from wit_world.imports import application

_bridge = Bridge(MODULES, application.ask, application.log)


class Library:
    """The `library` interface."""

    def perform(self, operation: str) -> str:
        return _bridge.perform(operation)
