"""Functions that stand in for the application's, with its parameters: libraries look at them, or try how many arguments one takes.

A call with arguments that the function does not take fails here, where the library called, as it does natively.
"""

_LEFT_OUT = type("_LeftOut", (), {"__slots__": (), "__repr__": lambda _: "..."})()
"""The default of what may be left out; the application has the real one."""
_MAKERS = {}


def standin(parameters, call):
    """A function of these parameters (name, kind, whether it may be left out; None: any), which calls `call(arguments, named)`."""
    if parameters is None:
        return _any(call)
    key = tuple(map(tuple, parameters))
    if key not in _MAKERS:
        _MAKERS[key] = _maker(key)
    return _MAKERS[key](call)


def constructor(parameters, call):
    """A `__new__` that does so: what a class makes, if its arguments are right."""
    if parameters is not None:
        parameters = [("_class_", 0 if parameters and parameters[0][1] == 0 else 1, False), *parameters]
    return standin(parameters, lambda arguments, named: call(arguments[1:], named))


def _any(call):
    def function(*arguments, **named):
        return call(list(arguments), named)

    function.__kwdefaults__ = {}
    return function


def _maker(parameters):
    """What makes such functions: compiled, since only the interpreter itself refuses a call before the function is entered."""
    positional = tuple(name for name, kind, _ in parameters if kind < 2)
    named = tuple(name for name, kind, _ in parameters if kind == 3)
    rest, more = (next((name for name, kind, _ in parameters if kind == wanted), None) for wanted in (2, 4))
    sent = f"[{', '.join(positional)}], {rest or '()'}, [{', '.join(named)}], {more or '{}'}"
    text = f"def make(_sent_):\n def function({_written(parameters)}):\n  return _sent_({sent})\n return function"
    space = {"_default_": _LEFT_OUT}
    exec(compile(text, __file__, "exec"), space)
    make = space["make"]
    return lambda call: make(lambda *values: call(*_given(positional, named, *values)))


def _written(parameters):
    """The parameters as they are written in a definition."""
    parts = []
    for index, (name, kind, optional) in enumerate(parameters):
        before = parameters[index - 1][1] if index else 1
        if before == 0 and kind != 0:
            parts.append("/")
        if kind == 3 and before < 2:
            parts.append("*")
        parts.append(("*" * (kind // 2) + name if kind in (2, 4) else name) + ("=_default_" if optional and kind not in (2, 4) else ""))
    if parameters and parameters[-1][1] == 0:
        parts.append("/")
    return ", ".join(parts)


def _given(positional, named, values, rest, named_values, more):
    """Arguments and named ones, without what was left out; what comes after that goes by name."""
    arguments, found = [], dict(more)
    for index, value in enumerate(values):
        if value is not _LEFT_OUT and len(arguments) == index:
            arguments.append(value)
        elif value is not _LEFT_OUT:
            found[positional[index]] = value
    found.update((name, value) for name, value in zip(named, named_values, strict=True) if value is not _LEFT_OUT)
    return [*arguments, *rest], found
