"""Stands in for `_curses`: a guest has no terminal."""

from ringfence_gap import functions


class error(Exception):  # noqa: N801 -- its name in curses
    """An error of curses."""


_NAMES = (
    "initscr setupterm tigetstr tigetnum tigetflag tparm start_color newwin newpad endwin cbreak noecho raw curs_set has_colors color_pair"
)
globals().update(functions("no terminal", *_NAMES.split()))


def has_key(_key):
    """Whether the terminal knows a key; there is none."""
    return False
