raise RuntimeError("the first one")
