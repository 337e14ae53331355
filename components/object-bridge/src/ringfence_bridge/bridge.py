"""Operations: what the host asks of a library, performed one at a time.

    perform('[7,[],"call",{"$":"A","v":"yaml:safe_load"},["a: 1"],{}]')  ->  '[0,{"a":1}]'

An operation is the instance's token, what the host has let go of, its name and its operands. An answer is 0 and a value, 1 and an
exception, or 2 where the token is another instance's; then, where there is any, what the guest let go of and the warnings.
"""

import copy
import copyreg
import gc
import importlib
import inspect
import json
import logging
import sys
import types
import warnings
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Mapping

from . import describe, output
from .agreed.terms import COMMON
from .handles import Handles, Live, Returned

_BASES = (dict, list, set, deque)
_EXACT = (*_BASES, OrderedDict, defaultdict, Counter)
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType)
_BATCH = 200
_WARNINGS = 100
_TEXT = 1000
_SAFE = tuple(
    map(type, (iter([]), iter(()), iter({}), iter({}.values()), iter({}.items()), iter(set()), iter(""), iter(b""), iter(range(0))))
)
"""Iterators that run ahead harmlessly."""


def _looked_for():
    """The files that were looked for and not found since this was last asked for."""
    missed = getattr(sys.modules.get("ringfence_shelf"), "missed", [])
    found = [path for path in missed if not path.startswith("<")]  # which name what was compiled from text
    missed.clear()
    return found


class Bridge:
    """One library in one instance. `ask` and `log` are the application's side."""

    def __init__(self, modules, ask, log):
        self._asked, self._logged = ask, log
        self._modules = modules
        self._token = None
        self._warnings = []
        self._handles = None
        self._operations = {name[4:]: getattr(self, name) for name in dir(self) if name.startswith("_op_")}
        self.prepare()

    def prepare(self):
        """Everything that can be made ready before the first call: while building."""
        for name in (*COMMON, *self._modules):
            importlib.import_module(name)
        self.still_event_loops()
        self._handles = Handles(describe.Names(self._modules), self.ask)
        self._originals = {name: dict(vars(sys.modules[name])) for name in self._modules}
        self._files = {getattr(sys.modules[name], "__file__", None): name for name in self._modules}
        gc.collect()
        gc.freeze()  # the collector need never look again at all that is imported

    def perform(self, text):
        """The answer to an operation."""
        handles = self._handles
        _looked_for()
        try:
            token, released, name, *operands = handles.loads(text)
            if token != self._token:
                if name != "hello":
                    return "[2]"
                self._token = token
                self._handles = Handles(handles.names, self.ask)  # a host that begins anew knows nothing of what was
            if released:
                handles.release(released)
        except BaseException as error:
            return self._failed(error)
        return self._answer(name, operands)

    def _answer(self, name, operands):
        handles = self._handles
        try:
            answer = [0, self._operations[name](*operands)]
            if self._warnings or handles.standins.released or handles.standins.new:
                answer = self._with_extras(answer)
            return handles.dumps(answer)
        except BaseException as error:
            return self._failed(error)
        finally:
            output.flush()

    def _failed(self, error):
        try:
            if paths := _looked_for():
                error.add_note(f"it looked for {', '.join(paths)[:_TEXT]}: it sees the folders that it is granted (files), and no others")
            return self._handles.dumps(self._with_extras([1, error]))
        except BaseException as second:
            error = second
            return self._handles.dumps([1, TypeError(f"an exception that cannot cross: {type(error).__name__}")])
        finally:
            error.__traceback__ = None  # frames hold what the library worked on

    def _with_extras(self, answer):
        standins = self._handles.standins
        standins.settle()
        extras = {}
        if standins.released:
            extras["r"] = standins.released[:]
            standins.released.clear()
        if self._warnings:
            extras["w"] = self._warnings[:]
            self._warnings.clear()
        return [*answer, extras] if extras else answer

    def ask(self, request):
        """What the application answers. It may have something performed first, which nobody else could: this instance is in a call."""
        handles = self._handles
        output.flush()
        lent = _containers(request)
        answer = handles.loads(self._asked(handles.dumps(request)))
        while answer[0] == 2:
            done = self._answer(answer[1], answer[2:])
            answer = handles.loads(self._asked('["did",' + done + "]"))
        if answer[0] == 1:
            raise answer[1]
        for key, content in answer[2] if len(answer) > 2 else ():
            _change(*lent[key], content)
        return answer[1]

    # operations

    def _op_hello(self, settings):
        self._handles.api_known = bool(settings["api"])
        self.move_in()
        self._op_level(settings["level"])

    def still_event_loops(self):
        """An event loop wakes itself up by sockets, for threads and signals: there are none here, and nobody is granted sockets for it."""
        loop = importlib.import_module("asyncio.selector_events").BaseSelectorEventLoop
        for name in ("_make_self_pipe", "_close_self_pipe"):
            setattr(loop, name, lambda self: None)
        loop._csock = loop._ssock = None

    def move_in(self):
        """Have the interpreter's warnings and logs go to the host, which decides what becomes of them."""
        output.begin(self._logged)
        sys.argv = sys.argv or [""]  # as any interpreter has it that runs no program
        logging.getLogger().addHandler(_Handler(self._logged))
        warnings.simplefilter("always")
        warnings._showwarnmsg_impl = self._warned  # where they all pass, filters of the library's own included

    def _op_level(self, level):
        logging.getLogger().setLevel(level)

    def _warned(self, message):
        if len(self._warnings) < _WARNINGS:
            place = self._files.get(message.filename)  # None: it is about who called the library
            self._warnings.append([message.category, str(message.message)[:10_000], place, message.lineno])

    def _op_call(self, target, arguments, named=None):
        found = target(*arguments, **named) if named else target(*arguments)
        return Returned(found) if isinstance(target, _FUNCTIONS) else found

    def _op_method(self, target, name, arguments, named):
        return _read(target, name, getattr(target, name)(*arguments, **named))

    def _op_own(self, cls, name, target, arguments, named):
        """A class's own method, whatever subclasses make of it."""
        found = inspect.getattr_static(cls, name)
        bound = found.__get__(target, type(target)) if not isinstance(found, classmethod) else found.__get__(None, target)
        return _read(target, name, bound(*arguments, **named))

    def _op_operator(self, target, name, arguments):
        return _read(target, name, getattr(type(target), name)(target, *arguments))

    def _op_get(self, target, name):
        return Live(getattr(target, name))

    def _op_read(self, target, name, arguments, named):
        """What a container's method gives: a part of it, which stays here as it does."""
        return Live(getattr(target, name)(*arguments, **named))

    def _op_property(self, target, cls, name):
        """An object's attribute as a class has it, whatever subclasses make of it."""
        return Live(inspect.getattr_static(cls, name).__get__(target, type(target)))

    def _op_subscript(self, target, key):
        return target[key]

    def _op_set(self, target, name, value):
        setattr(target, name, value)

    def _op_delete(self, target, name):
        delattr(target, name)

    def _op_restore(self, module, name):
        """Undo what the application set in a module."""
        if name in self._originals.get(module.__name__, {}):
            setattr(module, name, self._originals[module.__name__][name])
        else:
            delattr(module, name)

    def _op_dir(self, target):
        return [name for name in dir(target) if isinstance(name, str)]

    def _op_import(self, name):
        return importlib.import_module(name)

    def _op_copy(self, target):
        """A container's content."""
        for base in _BASES:
            if issubclass(type(target), base):
                return target if type(target) in _EXACT else base(target)
        return target

    def _op_clone(self, target, deep):
        return copy.deepcopy(target) if deep else copy.copy(target)

    def _op_reduce(self, target):
        """What an object is made anew of: whether without its constructor, its class or a function, arguments, state, items, pairs."""
        found = target.__reduce_ex__(2)
        if not isinstance(found, tuple):
            raise TypeError(f"a {type(target).__name__} is pickled by its name alone")
        function, arguments, state, items, pairs, *_ = (*found, None, None, None)
        plainly = function is copyreg.__newobj__
        if plainly:
            function, *arguments = arguments
        return [plainly, function, tuple(arguments), state, *(None if one is None else list(one) for one in (items, pairs))]

    def _op_make(self, cls, arguments):
        return cls.__new__(cls, *arguments)

    def _op_state(self, target, state):
        """As `pickle` sets what it has read."""
        if hasattr(target, "__setstate__"):
            target.__setstate__(state)
            return
        attributes, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
        if attributes:
            vars(target).update(attributes)
        for name, value in (slots or {}).items():
            setattr(target, name, value)

    def _op_items(self, target):
        """What a container holds; containers in it stay here."""
        if issubclass(type(target), dict):
            return [[key, Live(value)] for key, value in target.items()]
        return [Live(one) for one in target]

    def _op_iterate(self, target):
        return iter(target)

    def _op_next(self, iterator, count):
        """The next items, and whether there are no more; more than one where running ahead changes nothing."""
        items = []
        for _ in range(min(count, _BATCH) if isinstance(iterator, _SAFE) else 1):
            try:
                items.append(Live(next(iterator)))
            except StopIteration as end:
                return [items, True, end.value]
        return [items, False, None]

    def _op_generator(self, generator, name, arguments):
        try:
            return [[getattr(generator, name)(*arguments)], False, None]
        except StopIteration as end:
            return [[], True, end.value]

    def _op_define(self, name, bases, namespace, named):
        """A subclass that the application defines."""
        made = types.new_class(name, tuple(bases), named, lambda space: space.update(namespace))
        return self._handles.announce(made)

    def _op_ready(self, *_):
        """Nothing: that its operands were read was all."""

    def _op_describe(self):
        return describe.api(self._handles.names)

    def _op_held(self):
        return self._handles.held()


def _read(target, name, found):
    """What a method gives: `graph["a"]["weight"] = 5` sets an item of the library's own dict, as with an attribute."""
    if name == "__getitem__" or (name in ("get", "setdefault") and isinstance(target, Mapping)):
        return Live(found)
    return found


def _containers(request):
    """Lists, dicts and sets among the arguments that the application gets, and what they hold: by their places or names."""
    if len(request) < 4 or type(request[-1]) is not dict:
        return {}
    given = (*enumerate(request[-2]), *request[-1].items())
    return {key: (one, one.copy()) for key, one in given if type(one) in (list, dict, set)}


def _change(container, before, content):
    """Have a container hold what the application's function has made of its copy; what is as it was stays the same object."""
    if isinstance(container, list):
        container[:] = [before[one[0]] if len(one) == 1 else one[1] for one in content]
        return
    container.clear()
    container.update([(one[0], before[one[0]] if len(one) == 1 else one[1]) for one in content] if isinstance(container, dict) else content)


class _Handler(logging.Handler):
    def __init__(self, log):
        super().__init__()
        self._log = log

    def emit(self, record):
        try:
            self._log(json.dumps([record.levelno, record.name[:200], record.getMessage()[:10_000]]))
        except Exception:
            self.handleError(record)
