"""The only package that knows wasmtime: one narrow seam, with engines behind it."""
