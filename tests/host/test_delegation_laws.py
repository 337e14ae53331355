"""What passing authority on means, as laws: nothing that the giver could not do itself, and what exceeds is told exactly."""

from __future__ import annotations

from dataclasses import replace

import pytest
from host.test_grants_order import FORMS, POLICY, REQUEST, kinds, some, steady
from hypothesis import given
from hypothesis import strategies as st
from ringfence.contract.grants import KINDS, Policy, admits
from ringfence.contract.grants.delegation import exceeding, excess, joined
from ringfence.contract.lock import LockedParameter
from ringfence.contract.parameters import is_within
from ringfence.contract.span import items, span

FORMS_OF_ALL = st.fixed_dictionaries({}, optional=FORMS)


@steady
@given(giver=POLICY, own=FORMS_OF_ALL, passed=FORMS_OF_ALL, request=REQUEST)
def test_a_callee_can_do_nothing_that_neither_it_nor_its_caller_could(giver, own, passed, request):
    if [*excess(giver, Policy.bind(passed))]:
        return
    try:
        both = Policy.bind(joined(own, passed))
    except ExceptionGroup:
        return
    assert admits(both, request) == (admits(Policy.bind(own), request) or admits(Policy.bind(passed), request))
    assert not admits(both, request) or admits(Policy.bind(own), request) or admits(giver, request)


@kinds
@steady
@given(data=st.data())
def test_a_grant_exceeds_if_nothing_held_covers_it(kind, data):
    """The control for the law above: `excess` is not always empty, and never for what is held."""
    held = data.draw(st.lists(some(kind), max_size=3))
    grant = data.draw(some(kind))
    found = exceeding(kind, grant, held)
    assert (found is None) == any(KINDS[kind].covers(one, grant) for one in held)
    if found and found.nearest is not None:
        narrowed = replace(grant, **{part.field: getattr(found.nearest, part.field) for part in found.parts})
        assert KINDS[kind].covers(found.nearest, narrowed)
        for part in found.parts:
            assert not KINDS[kind].covers(found.nearest, replace(found.nearest, **{part.field: getattr(grant, part.field)}))


@kinds
@steady
@given(data=st.data())
def test_single_grants_are_all_of_a_form(kind, data):
    form = data.draw(FORMS[kind])
    single = [grant for _, _, one in items({kind: form}) for grant in KINDS[kind].parse(one)]
    assert tuple(dict.fromkeys(single)) == KINDS[kind].parse(form)


@pytest.mark.parametrize(
    ("kind", "form", "type_", "within", "values"),
    [
        ("tcp", ["${it}"], "endpoint", ("10.0.0.0/8:443", "*.vendor.example:*"), ["10.1.2.3:443", "a.vendor.example:1"]),
        ("tcp", ["${it}:5432"], "host", ("10.0.0.0/8", "db"), ["10.9.9.9", "db"]),
        ("tcp", ["db:${it}"], "port", ("80", "443"), ["80", "443"]),
        ("dns", ["${it}"], "host", ("*.vendor.example",), ["a.b.vendor.example"]),
        ("env", [{"MODE": "${it}"}], "text", ("fast", "slow"), ["fast", "slow"]),
    ],
)
def test_a_span_covers_whatever_the_parameter_may_become(kind, form, type_, within, values):
    parameter = LockedParameter(name="it", type=type_, within=within)
    spanned = span(kind, form, [parameter])
    assert spanned
    for value in values:
        assert is_within(type_, value, within)
        written = [one.replace("${it}", value) if isinstance(one, str) else {"MODE": value} for one in form]
        assert all(exceeding(kind, grant, spanned) is None for grant in KINDS[kind].parse(written))


@pytest.mark.parametrize(
    ("kind", "form", "type_", "within"),
    [
        ("tcp", ["db:${it}"], "port", ("1024..65535",)),
        ("env", [{"URL": "http://${it}"}], "endpoint", ("127.0.0.1:*",)),
        ("env", [{"WHERE": "${it}"}], "path", ("data",)),
        ("tcp", ["${it}"], "endpoint", ()),
        ("env", [{"MODE": "${it}${it}"}], "text", tuple(map(str, range(100)))),
        ("tcp", ["${other}"], "endpoint", ("10.0.0.0/8:443",)),
    ],
)
def test_what_a_parameter_may_become_is_not_guessed(kind, form, type_, within):
    """A range that is no grant, or that reads as plain text, proves nothing; then nothing may be passed on by it."""
    assert span(kind, form, [LockedParameter(name="it", type=type_, within=within)]) is None
