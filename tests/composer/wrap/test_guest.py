"""What a library finds around itself in its component."""

from __future__ import annotations

from importlib.metadata import Distribution

from ringfence_composer.wrap.guest import Authority, lay_out_guest
from ringfence_composer.wrap.layout import lay_out

from .archives import archive, wheel

POINTS = "[thing.extensions]\nextra = thing.extra:make\n"


def test_a_library_finds_its_own_metadata(tmp_path):
    """Libraries take `__version__` from there, and Markdown its extensions by the names that users write."""
    files = {"thing/__init__.py": "", "thing/extra.py": "", "My_thing-1.0.dist-info/entry_points.txt": POINTS}
    told = "Summary: does things\nRequires-Dist: other>1; python_version > '3'\nRequires-Dist: more[x]\n"
    content = wheel(files, name="My-thing", metadata=told)
    graph = lay_out_guest([lay_out(archive(content, "my_thing-1.0-py3-none-any.whl"))], Authority(), tmp_path)
    (found,) = Distribution.discover(path=[str(graph.parent / "library" / "packages")])
    assert (found.name, found.version, found.metadata["Summary"]) == ("My-thing", "1.0", "does things")
    assert found.requires == ['other>1; python_version > "3"', "more[x]"]
    assert [(one.group, one.name, one.value) for one in found.entry_points] == [("thing.extensions", "extra", "thing.extra:make")]
