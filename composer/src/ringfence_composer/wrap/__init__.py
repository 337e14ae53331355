"""A library of a package index into a wheel that runs it ring-fenced, behind its own import names.

wanted -> releases -> distributions (laid out by reading) -> guest (a component's folder and a graph) -> composed -> API -> wheel.
Nothing of the library runs but in a WebAssembly guest.
"""
