"""Test doubles in the place of nodes: `Graph.load(..., substitutes={"vendor": FakeVendor()})`."""
