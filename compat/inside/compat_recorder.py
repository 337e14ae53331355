"""A pytest plugin that tells each test's result; see `lines.py`."""

from __future__ import annotations

import pytest
from lines import Lines

_lines = Lines()
_names: dict[str, str] = {}
_outcomes: dict[str, tuple[str, str]] = {}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was run before, and give each of the others a name of its own."""
    for item in items:
        _names[item.nodeid] = _lines.unique(item.nodeid)
    left = [item for item in items if _names[item.nodeid] not in _lines.done]
    config.hook.pytest_deselected(items=[item for item in items if _names[item.nodeid] in _lines.done])
    items[:] = left


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Tell of files that could not be imported."""
    if report.failed:
        lines = [line[1:].strip() for line in report.longreprtext.splitlines() if line.startswith("E ")]
        _lines.broken(report.nodeid, " ".join(lines) or report.longreprtext[-300:])


def pytest_runtest_logstart(nodeid: str) -> None:
    """Tell before it may crash."""
    _lines.begin(_names[nodeid])


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A test has as many reports as it has phases, and parts: the worst of them counts."""
    name = report.nodeid
    if report.failed:
        _outcomes[name] = ("failed", _error_of(report))
    elif report.skipped:
        _outcomes.setdefault(name, ("skipped", ""))
    elif report.when == "call":
        _outcomes.setdefault(name, ("passed", ""))
    if report.when == "teardown":
        _lines.end(_names[name], *_outcomes.pop(name, ("skipped", "")))


def _error_of(report: pytest.TestReport) -> str:
    lines = [line[1:].strip() for line in report.longreprtext.splitlines() if line.startswith("E ")]
    return " ".join(lines) or report.longreprtext[-300:]
