"""Typed Python for a graph: `compose bindings graph.yaml -o vendor_api.py`.

The WIT of each exposed node (`read.py`) -> one model (`merge.py`) -> names (`names.py`) -> text (`module.py`, and what it uses).
Generated code holds identifiers that were checked and docs as string literals (`quoting.py`), and nothing else of foreign text.
"""
