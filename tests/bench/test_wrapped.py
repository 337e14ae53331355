"""What the wrapped library is compared with: the same release, natively."""

import sys

import yaml as installed
from places import ROOT

from benchmarks.work import Place
from benchmarks.wrapped import VERSION, document, native


def test_the_native_one_is_that_release_in_pure_python_and_leaves_the_process_as_it_was(tmp_path):
    """Another release of it may be here, with its C code: that would be a comparison with something else."""
    found = native(Place(folder=tmp_path, root=ROOT))
    space = found.safe_load.__globals__
    assert (space["__version__"], space["__with_libyaml__"]) == (VERSION, False)
    assert space["__file__"].startswith(str(tmp_path))
    assert sys.modules["yaml"] is installed
    assert str(found.folder) not in sys.path


def test_a_document_has_the_records_that_are_counted(tmp_path):
    text, count = document(1000)
    assert 800 < len(text) <= 1000
    assert len(native(Place(folder=tmp_path, root=ROOT)).safe_load(text)) == count
