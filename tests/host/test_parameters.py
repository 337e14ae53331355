"""Parameters: a value may vary a graph, never widen it or break out of its place."""

import pytest
from ringfence.contract.errors import ManifestError
from ringfence.contract.lock import LockedParameter
from ringfence.contract.parameters import checked, references, settle, substitute

VENDOR = LockedParameter(name="vendor", type="endpoint", default="127.0.0.1:8017", within=("127.0.0.1:*",))


@pytest.mark.parametrize(
    "value",
    [
        "127.0.0.1:80@evil",
        "127.0.0.1",
        "127.1:80",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:80/x",
        "0x7f.1:80",
        "a b:80",
        "::1:80",
        "x:08",
        ":80",
        "[::1]",
        "x:80\n",
    ],
)
def test_an_endpoint_is_a_canonical_host_and_a_port(value):
    with pytest.raises(ValueError, match="expected"):
        checked("endpoint", value)


@pytest.mark.parametrize(
    ("value", "canonical"), [("127.0.0.1:80", "127.0.0.1:80"), ("DB.internal:5432", "db.internal:5432"), ("[0::1]:80", "[::1]:80")]
)
def test_an_endpoint_has_one_spelling(value, canonical):
    assert checked("endpoint", value) == canonical


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../b", "~/x", "a//b", "", ".", "a\\b", "a\x00b"])
def test_a_path_stays_below_its_folder(path):
    with pytest.raises(ValueError, match="expected"):
        checked("path", path)


def test_a_value_outside_within_is_refused_and_one_inside_taken():
    assert settle((VENDOR,), {"vendor": "127.0.0.1:9"}) == {"vendor": "127.0.0.1:9"}
    assert settle((VENDOR,), {}) == {"vendor": "127.0.0.1:8017"}
    with pytest.raises(ManifestError, match=r"parameters.vendor: expected a value within 127.0.0.1:\*, found '10.0.0.1:9'"):
        settle((VENDOR,), {"vendor": "10.0.0.1:9"})


def test_all_wrong_parameters_are_reported_at_once():
    with pytest.raises(ManifestError) as caught:
        settle((VENDOR, LockedParameter(name="size", type="int")), {"vendor": "evil:1", "colour": "red"})
    assert {problem.path for problem in caught.value.problems} == {"parameters.vendor", "parameters.size", "parameters.colour"}


@pytest.mark.parametrize(
    ("kind", "ranges", "good", "bad"),
    [
        ("port", ("1024..2048", "80"), "80", "81"),
        ("int", ("-3..3",), "-3", "4"),
        ("host", ("*.vendor.example", "10.0.0.0/8"), "a.vendor.example", "vendor.example.evil"),
        ("path", ("data",), "data/x", "database"),
        ("text", ("red", "green"), "red", "re"),
    ],
)
def test_within_is_evaluated_in_the_parameters_type(kind, ranges, good, bad):
    one = LockedParameter(name="p", type=kind, within=ranges)
    assert settle((one,), {"p": good}) == {"p": good}
    with pytest.raises(ManifestError):
        settle((one,), {"p": bad})


def test_substitution_is_one_pass_over_strings():
    form = {"tcp": ["${a}"], "env": [{"URL": "http://${a}/$$${b}"}], "n": 3}
    assert references(form) == ["a", "a", "b"]
    assert substitute(form, {"a": "${b}", "b": "x"}) == {"tcp": ["${b}"], "env": [{"URL": "http://${b}/$x"}], "n": 3}


@pytest.mark.parametrize("text", ["$", "$a", "${a", "a$"])
def test_a_stray_dollar_is_an_error(text):
    with pytest.raises(ValueError, match=r"expected \$\{name\}"):
        references([text])


def test_a_secret_given_as_text_stands_in_no_message():
    """The classic: a token read from a file, with its line break."""
    token = LockedParameter(name="token", type="text", within=("a", "b"))
    for value in ("s3cret\n", "s3cret", b"s3cret"):
        with pytest.raises(ManifestError) as wrong:
            settle((token,), {"token": value})
        assert "s3cret" not in str(wrong.value)


@pytest.mark.parametrize("value", ["0.0.0.0:80", "255.255.255.255:80", "[::ffff:127.0.0.1]:80"])
def test_an_address_that_no_grant_can_name_is_a_problem_of_the_parameter(value):
    with pytest.raises(ManifestError) as wrong:
        settle((VENDOR,), {"vendor": value})
    assert wrong.value.problems[0].path == "parameters.vendor"
