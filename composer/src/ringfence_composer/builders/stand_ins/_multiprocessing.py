"""Stands in for `_multiprocessing`, as it is on platforms without semaphores: `import multiprocessing` works, processes do not."""

flags = {}
