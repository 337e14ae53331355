"""What files written by `compose bindings` stand on: their base classes, and the client that a Protocol gets through a graph.

A generated file declares, with ordinary annotations, everything that crosses the border; this package reads those annotations once, holds
them against the types of the graph, and puts the declared classes in the place of plain WIT values.
"""

from ringfence.bindings.client import bind
from ringfence.bindings.connection import Connection
from ringfence.bindings.declarations import Resource, raises
from ringfence.bindings.double import substitute
from ringfence.contract.errors import Failure
from ringfence.contract.values import Err, Ok, Some

__all__ = ["Connection", "Err", "Failure", "Ok", "Resource", "Some", "bind", "raises", "substitute"]
