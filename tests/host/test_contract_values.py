"""Values, names and limits of the contract: what applications hold in their hands must not surprise them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.contract.limits import Limits, parse_limit, parse_size, parse_time, show_size
from ringfence.contract.names import parse_interface, snake, track
from ringfence.contract.values import label_class, record_class


def test_a_record_is_frozen_and_equal_by_fields():
    line = record_class(("sku", "unit-price"))("pen", 250)
    assert (line.sku, line.unit_price) == ("pen", 250)
    assert line == record_class(("sku", "unit-price"))("pen", 250)
    assert line != record_class(("sku", "price"))("pen", 250)
    with pytest.raises(AttributeError, match="frozen"):
        line.sku = "ink"
    with pytest.raises(AttributeError, match="fields are sku, unit_price"):
        _ = line.unit_prise


def test_labels_compare_to_wit_names_and_have_python_names():
    status = label_class(("pending", "in-transit"))
    assert status.IN_TRANSIT == "in-transit"
    assert str(status.PENDING) == "pending"


@pytest.mark.parametrize(("name", "python"), [("unit-price", "unit_price"), ("from", "from_"), ("%list", "list"), ("x", "x")])
def test_wit_names_become_python_names(name, python):
    assert snake(name) == python


@pytest.mark.parametrize(
    ("wanted", "given_", "fits"),
    [
        ("wasi:io/streams@0.2.0", "wasi:io/streams@0.2.6", True),
        ("wasi:io/streams@0.2.6", "wasi:io/streams@0.2.0", True),
        ("wasi:io/streams@0.2.0", "wasi:io/streams@0.3.0", False),
        ("a:b/c@1.2.0", "a:b/c@1.9.9", True),
        ("a:b/c@1.2.0", "a:b/c@2.0.0", False),
        ("a:b/c@0.0.1", "a:b/c@0.0.2", False),
        ("a:b/c@1.0.0-rc1", "a:b/c@1.0.0", False),
        ("a:b/c", "a:b/c", True),
        ("a:b/c", "a:b/c@1.0.0", False),
        ("a:b/c@1.0.0", "a:b/d@1.0.0", False),
    ],
)
def test_interfaces_match_by_name_and_semver(wanted, given_, fits):
    assert parse_interface(wanted).accepts(parse_interface(given_)) is fits


def test_a_release_is_on_its_own_track_only_below_one():
    assert track("0.2.6+build") == "0.2"
    assert track("0.0.4") == "0.0.4"


@pytest.mark.parametrize("text", ["128", "lots", "0MiB", "-1MiB", "1.5MiB", "128MB", "١MiB", "", "1 MiB"])
def test_a_size_needs_a_count_and_a_binary_unit(text):
    with pytest.raises(ValueError, match="expected a size such as 128MiB"):
        parse_size(text)


@pytest.mark.parametrize("text", ["2", "0s", "s", "-1s", "1e3s", "inf s"])
def test_a_time_needs_a_count_and_a_unit(text):
    with pytest.raises(ValueError, match="expected a time such as 2s"):
        parse_time(text)


@given(st.integers(1, 10**15))
def test_a_size_reads_back_as_it_is_shown(count):
    assert parse_size(show_size(count)) == count


def test_the_smaller_of_two_limits_counts():
    node, edge = Limits(memory=1 << 20, deadline=9.0), Limits(memory=1 << 30, deadline=1.5)
    assert (node.smaller(edge).memory, node.smaller(edge).deadline) == (1 << 20, 1.5)


def test_a_stack_beyond_the_threads_own_is_refused():
    with pytest.raises(ValueError, match="at most 4MiB"):
        parse_limit("stack", "8MiB")
