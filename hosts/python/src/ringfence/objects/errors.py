"""Errors of the border of wrapped libraries.

RingfenceError
├── StaleObject        (also ReferenceError) an object of a library whose instance has ended
├── ForeignObject      (also TypeError) an object of another connection, or of another library
├── SubclassRefused    (also TypeError) a subclass of a library's class that cannot be carried
├── NotCarried         (also TypeError) what no border can carry: iterators in pickles, asynchronous code
└── BorderViolated     a library's component answered with what is no answer; its instance has been ended
"""

from __future__ import annotations

from ringfence.contract.errors import RingfenceError


class StaleObject(RingfenceError, ReferenceError):
    """The instance in which an object of a library lived has ended: it trapped, passed a limit, was closed, or is another process's."""

    code = "stale-object"
    __str__ = RingfenceError.__str__


class ForeignObject(RingfenceError, TypeError):
    """An object of a library was given to an instance in which it does not live."""

    code = "foreign-object"
    __str__ = RingfenceError.__str__


class SubclassRefused(RingfenceError, TypeError):
    """A class that the application derives from a library's has something that cannot be carried into the library."""

    code = "subclass"
    __str__ = RingfenceError.__str__


class NotCarried(RingfenceError, TypeError):
    """Something that no border can carry."""

    code = "not-carried"
    __str__ = RingfenceError.__str__


class BorderViolated(RingfenceError):
    """A library's component answered with what is no answer. Its instance has been ended; the next call gets a new one."""

    code = "border"
