"""Stands in for `termios`: a guest has no terminal."""

from ringfence_gap import functions

TCSANOW, TCSADRAIN, TCSAFLUSH = range(3)
BRKINT, ICRNL, INPCK, ISTRIP, IXON, OPOST = 0x2, 0x100, 0x10, 0x20, 0x400, 0x1
CSIZE, CS8, PARENB, ECHO, ECHOE, ECHOK, ECHONL, ICANON, IEXTEN, ISIG = 0x30, 0x30, 0x100, 8, 16, 32, 64, 2, 0x8000, 1
IGNBRK, IGNPAR, PARMRK, INLCR, IGNCR, IXANY, IXOFF, NOFLSH, TOSTOP = 1, 4, 8, 64, 128, 0x800, 0x1000, 128, 256
VTIME, VMIN, TIOCGWINSZ, TIOCSWINSZ, FIONREAD = 5, 6, 0x5413, 0x5414, 0x541B


class error(Exception):  # noqa: N801 -- its name in termios
    """An error of a terminal."""


globals().update(
    functions("no terminal", "tcgetattr", "tcsetattr", "tcsendbreak", "tcdrain", "tcflush", "tcflow", "tcgetwinsize", "tcsetwinsize")
)
