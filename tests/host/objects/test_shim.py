"""The package of a wrapped library, imported by programs of their own: modules, help, forks, threads, asyncio, policies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest
from native_library import TOYS
from places import ROOT


def run(wrapped, script: str, *, cwd=None, **environment: str) -> str:
    """What a program prints that has the package on its path."""
    lines = f"import sys; sys.path.insert(0, {str(wrapped.folder)!r})\n" + textwrap.dedent(script)
    known = {name: value for name, value in os.environ.items() if name in ("HOME", "PATH", "XDG_CACHE_HOME")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", lines],
        capture_output=True,
        text=True,
        timeout=120,
        env={**known, **environment},
        check=False,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_modules_are_those_of_the_library(wrapped_yaml):
    printed = run(
        wrapped_yaml,
        """
        import yaml, inspect, pydoc, importlib
        assert yaml.__version__ == "5.3"
        assert "safe_load" in dir(yaml) and "load" in dir(yaml)
        assert yaml.nodes.ScalarNode is yaml.ScalarNode
        from yaml import *
        from yaml.loader import SafeLoader
        import yaml.constructor
        assert SafeLoader is yaml.SafeLoader and isinstance(SafeLoader, type)
        assert issubclass(yaml.scanner.ScannerError, yaml.YAMLError) and issubclass(yaml.YAMLError, Exception)
        assert str(inspect.signature(yaml.safe_load)) == "(stream)"
        assert str(inspect.signature(yaml.dump)) == "(data, stream=None, Dumper=Dumper, **kwds)"
        assert "Parse the first YAML document" in yaml.load.__doc__
        assert "safe_load" in pydoc.plain(pydoc.render_doc(yaml))
        assert yaml.safe_load.__module__ == "yaml" and inspect.isfunction(yaml.safe_load) and inspect.ismodule(yaml)
        try:
            yaml.nothing
        except AttributeError as error:
            print(error)
        assert not hasattr(yaml, "__wrapped__")
        try:
            import yaml.nothing
        except ModuleNotFoundError:
            print("no module")
        assert yaml.safe_load("a: 1") == {"a": 1}
        """,
    )
    assert "no module" in printed
    assert "nothing" in printed


def test_importing_starts_nothing(wrapped_yaml):
    """A program that imports a library and does not use it pays for no engine."""
    printed = run(
        wrapped_yaml,
        """
        import yaml, sys
        class Own: loader = yaml.SafeLoader
        late = ("wasmtime", "jsonschema", "ringfence.graph", "ringfence.contract.lock", "logging")
        print([name for name in sys.modules if name.startswith("ringfence.engine.c") or name in late])
        """,
    )
    assert printed.strip() == "[]"


def test_state_of_the_module_can_be_set(wrapped_zoo):
    run(
        wrapped_zoo,
        """
        import zoo
        zoo.state["count"] = 5
        assert zoo.state == {"count": 5, "names": ["a"]}
        zoo.LIMIT = 20
        assert zoo.LIMIT == 20
        from unittest import mock
        with mock.patch("zoo.echo", lambda value: "patched"):
            assert zoo.echo(1) == "patched"
        assert zoo.echo(1) == 1
        """,
    )


def test_what_a_module_says_of_itself_is_there(wrapped_zoo):
    """`from library import *` fails at the first name of `__all__` that is missing, whatever it looks like."""
    run(
        wrapped_zoo,
        """
        import zoo
        from zoo import *
        assert (zoo.__license__, zoo.__version_info__, zoo.__version__) == ("MIT", (1, 2), "1.2")
        assert __when__ is not None and Cat is zoo.Cat
        assert zoo.__name__ == "zoo" and zoo.__spec__.name == "zoo" and not hasattr(zoo, "__wrapped__")
        """,
    )


def test_warnings_and_logs_are_the_applications(wrapped_zoo):
    run(
        wrapped_zoo,
        """
        import zoo, warnings, logging
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            zoo.warn("careful")
            zoo.warn("old", DeprecationWarning)
        assert [(str(one.message), one.category) for one in caught] == [("careful", UserWarning), ("old", DeprecationWarning)], caught
        assert caught[0].filename == "<string>", caught[0].filename
        try:
            zoo.warn("fatal")
        except UserWarning as warning:
            assert str(warning) == "fatal"
        records = []
        class Keep(logging.Handler):
            def emit(self, record): records.append(record)
        logger = logging.getLogger("ringfence.zoo")
        logger.addHandler(Keep())
        zoo.log("zoo.cats", logging.WARNING, "100%s \\x1b[31m")
        zoo.log("zoo", logging.INFO, "quiet")
        logger.setLevel(logging.DEBUG)
        zoo.log("zoo", logging.DEBUG, "now")
        assert [record.getMessage() for record in records] == ["zoo.cats: 100%s \\\\x1b[31m", "zoo: now"], [r.getMessage() for r in records]
        assert {record.name for record in records} == {"ringfence.zoo"}
        """,
    )


def test_an_error_tells_which_files_were_looked_for_in_vain(wrapped_zoo, tmp_path):
    """They may well be there: the library sees none that it is not granted, and its own error says nothing of that."""
    (tmp_path / "cat.html").touch()
    out = run(
        wrapped_zoo,
        f"""
        import zoo
        for attempt in (lambda: zoo.find({str(tmp_path / "cat.html")!r}), lambda: zoo.read_all(3)):
            try:
                attempt()
            except Exception as error:
                print(type(error).__name__, [note for note in error.__notes__ if "looked for" in note])
        """,
    )
    first, second = out.splitlines()
    assert first.startswith("ZooError")
    assert f"it looked for {tmp_path / 'cat.html'}: it sees the folders that it is granted (files)" in first
    assert second == "AttributeError []"


def test_what_a_library_prints_is_not_lost_without_a_word(wrapped_zoo):
    """Nothing is granted: the first of it is told, once for each stream."""
    run(
        wrapped_zoo,
        """
        import logging, zoo
        records = []
        class Keep(logging.Handler):
            def emit(self, record): records.append(record.getMessage())
        logging.getLogger("ringfence.zoo").addHandler(Keep())
        for _ in range(3):
            zoo.say("hello")
        zoo.say("oh", "stderr")
        assert [record.partition(", which")[0] for record in records] == ["zoo printed to stdout", "zoo printed to stderr"], records
        assert records[0].endswith("(stdout: inherit): hello"), records
        """,
    )


def test_what_a_library_prints_comes_in_turn_with_what_the_application_prints(wrap):
    """With the grant: at once, though the interpreter inside never ends, and nothing is told."""
    granted = wrap("zoo", {"zoo.py": (TOYS / "zoo.py").read_bytes()}, grant="application: values, stdout: inherit")
    out = run(
        granted,
        """
        import logging, zoo
        logging.getLogger("ringfence.zoo").addHandler(logging.Handler(level=0))
        logging.lastResort.emit = lambda record: print("told", record)
        print("one")
        zoo.say("two")
        print("three")
        zoo.call(lambda: print("four"))
        zoo.say("five")
        """,
    )
    assert out.split() == ["one", "two", "three", "four", "five"]


def test_a_fork_gets_an_instance_of_its_own(wrapped_zoo):
    run(
        wrapped_zoo,
        """
        import os, zoo
        from ringfence.objects import StaleObject
        cat = zoo.Cat("Tom")
        zoo.keep(1)
        child = os.fork()
        if child == 0:
            try:
                assert zoo.keep(1) == 1
                assert zoo.call(lambda: zoo.Cat("K").speak()) == "K says meow"
                try:
                    cat.name
                except StaleObject:
                    os._exit(0)
                os._exit(3)
            except BaseException as error:
                print(repr(error), flush=True)
                os._exit(4)
        assert os.waitpid(child, 0)[1] == 0
        assert cat.speak() == "Tom says meow"
        assert zoo.keep(1) == 2
        """,
    )


def test_processes_of_a_pool_each_have_one(wrapped_zoo):
    run(
        wrapped_zoo,
        """
        import multiprocessing, zoo
        zoo.echo(1)
        def work(number): return zoo.echo([number])
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(work, range(6)) == [[number] for number in range(6)]
        """,
    )


def test_it_works_within_an_event_loop(wrapped_zoo):
    run(
        wrapped_zoo,
        """
        import asyncio, ringfence, zoo
        async def main():
            assert zoo.echo(1) == 1
            assert zoo.call(lambda: asyncio.get_running_loop() is not None)
            found = await asyncio.gather(*(ringfence.acall(zoo.echo, number) for number in range(5)))
            assert found == list(range(5))
            task = asyncio.ensure_future(ringfence.acall(zoo.spin))
            await asyncio.sleep(0.3)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
            assert zoo.echo(2) == 2
        asyncio.run(main())
        """,
    )


def test_ctrl_c_ends_a_call(wrapped_zoo):
    run(
        wrapped_zoo,
        """
        import os, signal, threading, time, zoo
        zoo.echo(1)
        for given in (False, True):
            if given:
                zoo.keep(print)
            threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
            try:
                zoo.spin()
            except KeyboardInterrupt:
                pass
            else:
                raise SystemExit(3)
            assert zoo.echo(1) == 1
        """,
    )


def test_threads_may_each_have_an_instance(wrapped_zoo):
    run(
        wrapped_zoo,
        """
        import threading, zoo
        from ringfence import UsageError, objects
        objects.configure("zoo", instances="thread")
        counts = []
        def work(): counts.append([zoo.keep(1), zoo.keep(2)])
        threads = [threading.Thread(target=work) for _ in range(3)]
        for one in threads: one.start()
        for one in threads: one.join()
        assert counts == [[1, 2]] * 3, counts
        zoo.echo(1)
        try:
            objects.configure("zoo", instances="process")
        except UsageError as error:
            assert "in use" in str(error)
        """,
    )


def test_a_connection_has_an_instance_of_its_own(wrapped_zoo):
    run(
        wrapped_zoo,
        """
        import zoo
        from ringfence import objects
        assert zoo.keep(1) == 1
        with objects.connect("zoo") as connection:
            assert zoo.keep(1) == 1
            cat = zoo.Cat("a")
        assert zoo.keep(1) == 2
        assert cat.speak() == "a says meow"
        connection.close()
        try:
            cat.speak()
        except ReferenceError:
            print("stale")
        """,
    )


def test_doubles_stand_for_the_library(wrapped_zoo):
    run(
        wrapped_zoo,
        """
        import sys, zoo
        from ringfence import SubstituteError, objects
        class Fake:
            @staticmethod
            def echo(value): return ["fake", value]
            class Cat:
                def __init__(self, name): self.name = name
        with objects.connect("zoo", substitutes={"zoo": Fake}):
            assert zoo.echo(1) == ["fake", 1]
            assert type(zoo.Cat("x")) is Fake.Cat
            try:
                zoo.call(print)
            except SubstituteError as error:
                assert "zoo:call" in str(error)
        assert not any(name.startswith("ringfence.engine.core") for name in sys.modules)
        assert zoo.echo(1) == 1
        """,
    )


@pytest.fixture(scope="module")
def listing_zoo(wrap, tmp_path_factory):
    """The zoo, with a folder that it may read."""
    folder = tmp_path_factory.mktemp("running")
    (folder / "data").mkdir()
    (folder / "data" / "cage.txt").write_text("x")
    grant = "application: values, files: [{ path: data, access: [read] }], env: [ZOO]"
    return wrap("zoo", {"zoo.py": (ROOT / "tests" / "host" / "objects" / "toys" / "zoo.py").read_bytes()}, grant=grant), folder


def test_an_application_takes_away_and_never_adds(listing_zoo):
    wrapped, folder = listing_zoo
    script = """
        import zoo
        from ringfence import ManifestError, objects
        assert zoo.listing("/data") == ["cage.txt"]
        assert objects.denials("zoo") == []
        with objects.connect("zoo", grants={}):
            try:
                zoo.listing("/data")
            except OSError as error:
                print(type(error).__name__)
            assert zoo.call(lambda: 5) == 5
        with objects.connect("zoo", grants={"application": None}):
            try:
                zoo.call(lambda: 5)
            except PermissionError as error:
                print(error)
            assert zoo.echo(print) is print
        for grants in ({"tcp": ["example.org:80"]}, {"files": [{"path": "/etc", "access": ["read"]}]}, {"moon": []}):
            try:
                objects.connect("zoo", grants=grants)
            except ManifestError as error:
                print("refused")
        """
    printed = run(wrapped, script, cwd=folder)
    assert printed.count("refused") == 3
    assert "denied" in printed


def test_what_is_installed_is_checked(wrapped_zoo, tmp_path):
    """A package whose files were changed runs nothing."""
    import shutil

    folder = tmp_path / "site"
    shutil.copytree(wrapped_zoo.folder, folder)
    changed = type(wrapped_zoo)(folder, "zoo")
    api = changed.data / "api.json"
    content = json.loads(api.read_text())
    fault = "try:\n    import zoo; zoo.echo(1)\nexcept ringfence.IntegrityError as error:\n    print('refused', error)"
    for broken in (
        "",
        "[]",
        json.dumps({**content, "ringfence_api": 2}),
        json.dumps({**content, "more": 1}),
        json.dumps({**content, "modules": []}),
    ):
        api.write_text(broken)
        assert "refused" in run(changed, "import ringfence\n" + fault)
    api.write_text(json.dumps(content))
    artifact = max((changed.data / ".ringfence" / "sha256").iterdir(), key=lambda one: one.stat().st_size)
    artifact.write_bytes(artifact.read_bytes()[:-1] + b"x")
    assert "refused" in run(changed, "import ringfence\n" + fault)


def test_a_hostile_api_is_data(wrapped_zoo, tmp_path):
    """Names, docstrings and defaults of a library's are read; none is run, none hides what is Python's."""
    import shutil

    folder = tmp_path / "site"
    shutil.copytree(wrapped_zoo.folder, folder)
    hostile = type(wrapped_zoo)(folder, "zoo")
    api = hostile.data / "api.json"
    content = json.loads(api.read_text())
    code = "__import__('os').mkdir('hacked')"
    content["functions"]["zoo:echo"] |= {
        "doc": f'"""\n{code}\n"""',
        "signature": {"parameters": [{"name": "value", "kind": 1, "shown": code}, {"name": "class", "kind": 3, "annotation": code}]},
    }
    content["classes"]["zoo:Cat"]["members"] |= {
        "__del__": {"kind": "method"},
        "__getattribute__": {"kind": "method"},
        "mro": {"kind": "value"},
    }
    content["modules"]["zoo"]["members"] |= {
        "__builtins__": {"kind": "value"},
        "__path__": {"kind": "value"},
        "os": {"kind": "module", "of": "os"},
    }
    content["modules"]["zoo"]["all"] = ["echo", "__builtins__"]
    api.write_text(json.dumps(content))
    printed = run(
        hostile,
        """
        import inspect, os
        from zoo import echo
        import zoo
        print(inspect.signature(echo), echo.__doc__)
        assert echo(1) == 1 and zoo.Cat("a").name == "a"
        assert "__getattribute__" not in zoo.Cat.__dict__ and "__del__" not in zoo.Cat.__dict__
        assert zoo.__builtins__ is __builtins__ or zoo.__builtins__ == vars(__builtins__)
        assert zoo.os is not os
        """,
        cwd=tmp_path,
    )
    assert "mkdir" in printed
    assert not (tmp_path / "hacked").exists()
