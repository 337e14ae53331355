"""What each error of the border of wrapped libraries means: `compose explain` reads it."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.contract.errors import RingfenceError
from ringfence.contract.explanations import Explanation
from ringfence.objects.errors import BorderViolated, ForeignObject, NotCarried, StaleObject, SubclassRefused

EXPLANATIONS: Mapping[type[RingfenceError], Explanation] = {
    StaleObject: Explanation(
        meaning="An object of a wrapped library was used whose instance has ended, and with it the object.",
        cause="A trap or a limit in an earlier call, a connection that was closed, or a fork: a child process has an instance of its own.",
        remedy="Make the object anew. Long-lived objects are best made again after an error, and after a fork.",
    ),
    ForeignObject: Explanation(
        meaning="An object of a wrapped library was given to an instance in which it does not live.",
        cause="Two connections, two threads with an instance each, or two wrapped libraries.",
        remedy="Use an object where it was made, or give a value (text, numbers, lists) in its place.",
    ),
    SubclassRefused: Explanation(
        meaning="A class derived from a wrapped library's has something that cannot be carried into the library.",
        cause="A metaclass, slots or descriptors of the application's own in the class's body.",
        remedy="Derive with methods and plain attributes only, or register an adapter for a class of the application's.",
    ),
    NotCarried: Explanation(
        meaning="Something was asked of a wrapped library that no border can carry.",
        cause="Pickling an object that the library itself could not pickle, a module of the application's, or asynchronous code.",
        remedy="Ask the library for the object's data, and keep that.",
    ),
    BorderViolated: Explanation(
        meaning="A wrapped library's component answered with what is no answer. Its instance has been ended.",
        cause="A guest that was taken over, or a defect of the bridge in it.",
        remedy="Call again: the next call gets a new instance. Where it happens on harmless input, report it.",
    ),
}
