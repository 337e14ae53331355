"""The component engine: the wheel's component C interface behind `ringfence.engine.seam`."""

from ringfence.engine.component.engine import ComponentEngine

__all__ = ["ComponentEngine"]
