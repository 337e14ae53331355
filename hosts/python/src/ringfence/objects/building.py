"""Records of classes and functions, from api.json or from a running library, to classes and functions of the host.

Every name is checked before it becomes one here: a name is an identifier, and a special method is one of those that cross. Docstrings,
signatures and defaults are data.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ringfence.objects.agreed.terms import OPERATORS, Malformed
from ringfence.objects.bounds import BoundedCodec
from ringfence.objects.classes import (
    Attribute,
    ClassInfo,
    Field,
    RemoteMeta,
    StaticMethod,
    bases_of,
    class_method,
    method,
    operator,
    register_abcs,
)

if TYPE_CHECKING:
    import inspect

_MEMBERS = 5000
_reader = BoundedCodec()


def checked(name: Any) -> str:
    """A name of a library's that may become one here.

    Raises:
        Malformed: it is none.
    """
    if type(name) is not str or not name.isidentifier() or len(name) > 200:
        raise Malformed("a name that is none")
    return name


def class_name(name: Any) -> str:
    """What a class is called here: as the library calls it, where that is a name; libraries make classes of any, such as `my class`.

    Raises:
        Malformed: it is no text.
    """
    return name if type(name) is str and name.isidentifier() and len(name) <= 200 else _unnamed(name)


def _unnamed(name: Any) -> str:
    if type(name) is not str:
        raise Malformed("a name that is none")
    return "unnamed"


def listed(found: Any) -> list[Any]:
    """A list: what is iterated may be an iterator of the library's, which ends when that likes.

    Raises:
        Malformed: it is none.
    """
    if type(found) is not list:
        raise Malformed("expected a list")
    return found


def _shown(found: Any) -> str:
    """The text of a name that is shown and nothing else: in a `repr`, in tracebacks."""
    text = _text(found)
    return text if text.isprintable() else ascii(text)[1:-1]


def usable(name: str) -> bool:
    """Whether a member may be called so: special methods are those that cross, and nothing takes the border's own names."""
    if name.startswith("__") and name.endswith("__"):
        return name in OPERATORS
    return not name.startswith("_ringfence_")


def build_class(record: Mapping[str, Any], bases: list[Any], info: ClassInfo, nested: Callable[[str], Any]) -> type:
    """The class that a record describes; `nested` gives the class of a key.

    Raises:
        Malformed: the record is wrong, or no class can be made of it.
    """
    name = class_name(record["name"])
    namespace: dict[str, Any] = {
        "__module__": _shown(record["module"]),
        "__qualname__": _shown(record["qualname"]),
        "__doc__": record["doc"] if type(record.get("doc")) is str else None,
    }
    members = record["members"]
    if type(members) is not dict or len(members) > _MEMBERS:
        raise Malformed("members that are none")
    for key, member in members.items():
        if usable(checked(key)):
            namespace[key] = _member(key, member, namespace, nested)
    for index, field in enumerate(listed(record.get("fields", []))):
        namespace[checked(field)] = Field(index)
    try:
        made: type = RemoteMeta(name, bases_of(bases), namespace, info=info)
    except TypeError as error:
        raise Malformed(f"no class can be made of {name!a}: {error}") from error
    for one in made.__dict__.values():
        function = getattr(one, "__func__", one)
        if hasattr(function, "__ringfence_owner__"):
            function.__ringfence_owner__ = made
    register_abcs(made, [_text(one) for one in listed(record.get("abcs", []))])
    if record.get("signature") is not None:
        type.__setattr__(made, "__signature__", LazySignature(record["signature"]))
    return made


class LazySignature:
    """`__signature__` of a class, made when somebody looks."""

    __slots__ = ("_record",)

    def __init__(self, record: Any) -> None:
        self._record = record

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return signature(self._record)


def _member(name: str, record: Any, space: Mapping[str, Any], nested: Callable[[str], Any]) -> Any:
    match record["kind"]:
        case "method":
            made: Any = operator(name) if name in OPERATORS else method(name)
        case "classmethod":
            made = class_method(name)
        case "staticmethod":
            return StaticMethod(name)
        case "value":
            return Attribute(name)
        case "class":
            return Nested(_text(record["of"]), nested)
        case "none":
            return None
        case _:
            raise Malformed("a member of no known kind")
    dress(getattr(made, "__func__", made), name, f"{space['__qualname__']}.{name}", str(space["__module__"]), record)
    function = getattr(made, "__func__", made)
    function.__ringfence_owner__ = None
    return made


class Nested:
    """A class within a class, made when it is asked for."""

    __slots__ = ("_key", "_nested")

    def __init__(self, key: str, nested: Callable[[str], Any]) -> None:
        self._key, self._nested = key, nested

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self._nested(self._key)


def dress(function: Any, name: str, qualname: str, module: str, record: Mapping[str, Any]) -> None:
    """Give a function the name, docstring and signature of the library's."""
    function.__name__, function.__qualname__, function.__module__ = name, qualname, module
    doc = record.get("doc")
    function.__doc__ = doc if isinstance(doc, str) else None
    function.__annotations__ = {}
    if record.get("signature") is not None:
        function.__signature__ = signature(record["signature"])


def signature(record: Any) -> inspect.Signature:
    """The signature that a record describes."""
    import inspect  # -- it takes long to import

    kinds = list(inspect._ParameterKind)  # noqa: SLF001 -- by their numbers
    parameters = []
    for one in listed(record["parameters"]):
        default, annotation = _default(one), one.get("annotation")
        name = checked(one["name"])
        name = f"{name}_" if keyword.iskeyword(name) else name
        parameters.append(
            inspect.Parameter(
                name,
                kinds[one["kind"]],
                default=inspect.Parameter.empty if default is _NONE else default,
                annotation=Shown(annotation) if isinstance(annotation, str) else inspect.Parameter.empty,
            )
        )
    returns = record.get("returns")
    return inspect.Signature(
        parameters, return_annotation=Shown(returns) if isinstance(returns, str) else inspect.Signature.empty, __validate_parameters__=False
    )


class Shown:
    """A default that is no data, or an annotation: what the library shows for it. No text, which frameworks evaluate where it annotates."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text if self._text.isprintable() else ascii(self._text)


_NONE = object()


def _default(record: Mapping[str, Any]) -> Any:
    if "default" in record:
        return _reader.loads(_text(record["default"]))
    return Shown(_text(record["shown"] or "...")) if "shown" in record else _NONE


def _text(value: Any) -> str:
    if type(value) is not str:
        raise Malformed("expected text")
    return value
