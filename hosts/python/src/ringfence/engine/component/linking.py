"""What instances of one component with one stack size share: its code, its linker, and where its exports are."""

from __future__ import annotations

from collections.abc import Mapping

from wasmtime import Engine
from wasmtime.component import Component, ExportIndex, Linker, LinkerInstance, ResourceType

from ringfence.contract.errors import UsageError
from ringfence.contract.types import InterfaceType, ResourceName
from ringfence.engine.callbacks import CFunction
from ringfence.engine.component import ffi
from ringfence.engine.component.functions import ExportPlan
from ringfence.engine.component.lift import ResourceIds
from ringfence.engine.component.store import drop_object
from ringfence.engine.component.types import ComponentTypes
from ringfence.engine.faults import plain
from ringfence.engine.library import take_message
from ringfence.engine.seam import FunctionName

Callbacks = Mapping[FunctionName, CFunction]


class LinkedCode:
    """A component ready to instantiate. Kept alive by every store it runs in."""

    def __init__(self, engine: Engine, component: Component, exports: Mapping[FunctionName, ExportPlan]) -> None:
        self.engine, self.component, self._exports = engine, component, exports
        self.linker = Linker(engine)
        self._indexes: dict[FunctionName, ExportIndex] = {}
        self._callbacks: Callbacks = {}

    def define(self, types: ComponentTypes, ids: ResourceIds, callbacks: Callbacks) -> None:
        """Define every import: the functions, and one type for each resource, whatever it is called in other interfaces."""
        self._callbacks = callbacks
        kinds = {resource: ResourceType.host(number) for resource, number in ids.items()}
        with self.linker.root() as root:
            for interface, declared in types.imports.items():
                if interface:
                    with root.add_instance(interface) as instance:
                        self._define(instance, interface, declared, types.named, kinds)
                else:
                    self._define(root, interface, declared, types.named, kinds)

    def _define(
        self,
        instance: LinkerInstance,
        interface: str,
        declared: InterfaceType,
        named: Mapping[tuple[str, str], ResourceName],
        kinds: Mapping[ResourceName, ResourceType],
    ) -> None:
        pointer = instance.ptr()
        for name in declared.resources:
            data, kind = name.encode(), kinds[named[interface, name]]
            _defined(ffi.linker_add_resource(pointer, data, len(data), kind.ptr(), drop_object.address, None, None))
        for name in declared.functions:
            data, callback = name.encode(), self._callbacks[interface, name]
            _defined(ffi.linker_add_function(pointer, data, len(data), callback.address, None, None))

    def plan(self, function: FunctionName) -> ExportPlan:
        """The plan of an exported function.

        Raises:
            UsageError: there is none of that name.
        """
        found = self._exports.get(function)
        if found is None:
            interface, name = function
            raise UsageError(f"the component exports no function {name!r}" + (f" in {interface!r}" if interface else ""))
        return found

    def index(self, function: FunctionName) -> ExportIndex:
        """Where the component has this export."""
        found = self._indexes.get(function)
        if found is None:
            interface, name = function
            outer = self.component.get_export_index(interface) if interface else None
            found = self.component.get_export_index(name, outer)
            if found is None:
                raise UsageError(f"the component has lost its export {name!r}")
            self._indexes[function] = found
        return found


def _defined(error: int | None) -> None:
    if error:
        raise ValueError(plain(take_message(error)))
