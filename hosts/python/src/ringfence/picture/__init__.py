"""Pictures of graphs: a lock (or what compose knows before there is one) as a record, drawn as text, as SVG and as Mermaid. No I/O.

The host shows a loaded graph in a notebook with it, `compose show` a graph that need not be built.
"""
