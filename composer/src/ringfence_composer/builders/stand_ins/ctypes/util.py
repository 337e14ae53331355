"""Stands in for `ctypes.util`: there are no libraries of machine code to be found."""


def find_library(name):  # noqa: ARG001 -- its signature in ctypes
    """The file of a library: there is none."""
    return None
