"""What is measured of languages, but for the builds, which take minutes."""

from places import ROOT

from benchmarks.languages import COMPONENTS, _memory


def test_an_instance_in_c_takes_memory_and_one_of_cpython_far_more(tmp_path):
    """The two decoders, each with one call of its own."""
    taken = {}
    for language, folder, function, arguments in COMPONENTS:
        if function == "decode":
            (tmp_path / language).mkdir()
            taken[language] = _memory(ROOT / folder, tmp_path / language, function, arguments)
    assert 4096 < taken["C"] < 4 << 20 < taken["Python"]
