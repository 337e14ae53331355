"""Libraries' own tests against their drop-ins: a part of what `just compat` runs, of two libraries; docs/compat.md has all of it."""

from __future__ import annotations

import pytest

from compat.examine import compare
from compat.library import libraries
from compat.suite import run_suite


@pytest.mark.parametrize(("name", "least"), [("pyyaml", 0.97), ("simpleeval", 0.85)])
def test_a_librarys_own_tests_pass_against_its_drop_in(environments, tmp_path, name, least):
    """Of those that pass natively; `least` is what passed when this was written, less what may depend on the machine's speed."""
    library, results = libraries()[name], []
    for kind in ("native", "fenced"):
        folder = tmp_path / kind
        folder.mkdir()
        results.append(run_suite(library, environments(name, kind), folder, lambda done: None, only=library.quick))
    found = compare(library, *results)
    assert found.native > 50, "the part of the suite that runs natively"
    told = "\n".join(f"{group.count} {group.reason}: {group.test}: {group.error}" for group in found.groups)
    assert found.passed >= least * found.native, told
