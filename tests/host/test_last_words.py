"""What a runtime's last words tell: the line of the guest's source, and no more than they say."""

import pytest
from ringfence.last_words import out_of_memory, plain, source_of

CPYTHON = """Traceback (most recent call last):
  File "/1/app.py", line 12, in get
  File "/1/vendor/client.py", line 7, in fetch
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/1/app.py", line 14, in get
ValueError: no x

thread '<unnamed>' (1) panicked at runtime/src/lib.rs:1280:25:
Python function threw an unexpected exception
"""


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (CPYTHON, "app.py:14"),
        (CPYTHON.partition("During")[0], "vendor/client.py:7"),
        ("thread '<unnamed>' panicked at src/lib.rs:12:5:\nindex out of bounds\n", "src/lib.rs:12"),
        ("thread 'main' (1) panicked at /home/x/.cargo/registry/a.rs:3:1:\n", "/home/x/.cargo/registry/a.rs:3"),
        ('  File "<string>", line 1, in <module>\n', "<string>:1"),
        ("", ""),
        ("RuntimeError: no traceback\n", ""),
        ('a line that says File "/1/app.py", line 3, in f\n', ""),
        (f'  File "{"x" * 500}", line 3, in f\n', ""),
        ('  File "a\nb", line 3\n', ""),
        ('  File "a", line 99999999999999999999\n', ""),
        ("thread 'x' panicked at: y\n", ""),
    ],
)
def test_the_line_is_the_innermost_that_the_guest_names(text, source):
    assert source_of(text) == source


def test_a_terminal_gets_no_control_characters():
    assert plain(b"a\x1b[31m\nb\xff\xe2\x80\xae") == "a\\x1b[31m\nb\\xff\\u202e"


@pytest.mark.parametrize("text", ["MemoryError\n", "x\nmemory allocation of 100 bytes failed\n"])
def test_the_end_of_memory_is_told_by_both_runtimes(text):
    assert out_of_memory(text)
    assert not out_of_memory(f"said: {text}".replace("\n", " "))
