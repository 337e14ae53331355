"""A library's API into stub files for type checkers: names that were checked, and types made anew of annotations that could be read.

Nothing of the library's text is copied: an annotation is parsed, and what is known of it is written again; the rest is `Any`. Names that no
file of ours may have are left out.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import EllipsisType
from typing import Any

from ringfence_composer.wrap.shim import is_name, module_names, module_path

_HEAD = """\
# Written by `compose wrap`: the types of a ring-fenced library, as far as it says them.
# mypy: disable-error-code="override, misc"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
"""
_EXCEPTIONS = frozenset(name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException))
_BUILTINS: Mapping[str, int] = {
    **dict.fromkeys(("bool", "bytearray", "bytes", "complex", "float", "int", "object", "range", "slice", "str"), 0),
    **dict.fromkeys(("frozenset", "list", "set", "type"), 1),
    "dict": 2,
}
"""Built-in types with the number of types that each takes."""
_TYPING: Mapping[str, int] = {
    **dict.fromkeys(("Any", "BinaryIO", "Hashable", "NoReturn", "Sized", "Text", "TextIO"), 0),
    **dict.fromkeys(("Collection", "Container", "FrozenSet", "Iterable", "Iterator", "List", "MutableSequence", "MutableSet"), 1),
    **dict.fromkeys(("IO", "Match", "Optional", "Pattern", "Sequence", "Set", "Type"), 1),
    **dict.fromkeys(("Dict", "Mapping", "MutableMapping"), 2),
}
_DERIVED = frozenset({"bytes", "complex", "float", "int", "object", "str"}) | _EXCEPTIONS
"""Built-in classes that stubs name as bases."""
_DEEPEST = 20
_CONSTANTS = {bool: "bool", int: "int", float: "float", str: "str"}


def stub_files(api: Mapping[str, Any], tops: tuple[str, ...]) -> dict[str, bytes]:
    """The stubs of the modules that an application imports, by their paths in site-packages, with the mark that packages have types."""
    modules = module_names(api, tops)
    files = {module_path(name, api, ".pyi"): _module(name, api, frozenset(modules)).encode("ascii") for name in modules}
    marked = {path.rpartition("/")[0].partition("/")[0] for path in files if "/" in path}
    return files | {f"{top}/py.typed": b"" for top in marked}


def _module(name: str, api: Mapping[str, Any], modules: frozenset[str]) -> str:
    types = _Types(api, name, modules)
    body: list[str] = []
    for member, about in _members(api["modules"][name].get("members")):
        body += _declared(member, about, api, types)
    body.append("def __getattr__(name: str) -> _t.Any: ...")
    imports = ["import typing as _t", *(f"import {one}" for one in sorted(types.used))]
    return "\n".join([_HEAD + "\n".join(imports), "", *body]) + "\n"


def _members(found: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The members whose names may stand in a file, with what is said of them."""
    for name, about in sorted(found.items()) if isinstance(found, Mapping) else ():
        if is_name(name) and isinstance(about, Mapping) and name not in ("_t", "__getattr__"):
            yield name, about


def _declared(name: str, about: Mapping[str, Any], api: Mapping[str, Any], types: _Types) -> list[str]:
    """The lines of one member of a module."""
    key = str(about.get("of", ""))
    match about.get("kind"):
        case "function":
            return [f"def {name}{_signature(api['functions'].get(key, {}).get('signature'), types)}: ..."]
        case "class" if key.partition(":")[0] == types.module and key in api["classes"] and api["classes"][key].get("name") == name:
            return _class(name, api["classes"][key], types)
        case "class":
            return [f"{name} = {found}"] if (found := types.known(key)) else [f"{name}: _t.Any"]
        case "constant":
            return [f"{name}: {_constant(about.get('value'))}"]
        case "module":
            return []
        case _:
            return [f"{name}: _t.Any"]


def _constant(text: Any) -> str:
    """The type of a constant, whose text is JSON where it is plain."""
    try:
        value = ast.literal_eval(text) if isinstance(text, str) else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return "bool" if text in ("true", "false") else "_t.Any"
    return _CONSTANTS.get(type(value), "_t.Any")


def _class(name: str, about: Mapping[str, Any], types: _Types) -> list[str]:
    bases = [*dict.fromkeys(filter(None, (types.base(str(one)) for one in about.get("bases", ()))))]
    lines = [f"class {name}({', '.join(bases)}):" if bases else f"class {name}:"]
    members = [*_members(about.get("members"))]
    for member, inner in members:
        lines += [f"    {line}" for line in _class_member(member, inner, types)]
    if not any(member == "__init__" for member, _ in members):
        lines.append(f"    def __init__{_signature(_with_self(about.get('signature')), types, returns='None', first='self')}: ...")
    return [*lines, "    def __getattr__(self, name: str) -> _t.Any: ..."]


def _class_member(name: str, about: Mapping[str, Any], types: _Types) -> list[str]:
    match about.get("kind"):
        case "method":
            returns = "None" if name == "__init__" else ""
            return [f"def {name}{_signature(about.get('signature'), types, returns=returns, first='self')}: ..."]
        case "classmethod":
            return ["@classmethod", f"def {name}{_signature(about.get('signature'), types, first='cls')}: ..."]
        case "staticmethod":
            return ["@staticmethod", f"def {name}{_signature(about.get('signature'), types)}: ..."]
        case "none":
            return [f"{name}: _t.Any"]
        case _:
            return [f"{name}: _t.Any"]


def _with_self(signature: Any) -> Any:
    """The signature of a class's call as that of its `__init__`."""
    if not isinstance(signature, Mapping):
        return None
    return {**signature, "parameters": [{"name": "self", "kind": 1}, *signature.get("parameters", ())]}


def _signature(signature: Any, types: _Types, *, returns: str = "", first: str = "") -> str:
    """A signature as it stands in a stub; whatever arguments there may be, where it is not known or has names that may not stand there."""
    parameters = signature.get("parameters") if isinstance(signature, Mapping) else None
    unknown = f"({first + ', ' if first else ''}*args: _t.Any, **kwargs: _t.Any)"
    result = returns or types.annotation(signature.get("returns") if isinstance(signature, Mapping) else None)
    written = _parameters(parameters, types, bare=bool(first)) if isinstance(parameters, list) else None
    return f"{unknown if written is None else f'({written})'} -> {result}"


def _parameters(parameters: Iterable[Any], types: _Types, *, bare: bool) -> str | None:
    """The parameters as they stand in a stub; None where one of them cannot. `bare`: the first, which is bound, has no type."""
    parts: list[str] = []
    kind, optional, seen = 0, False, set()
    for one in parameters:
        name = one.get("name") if isinstance(one, Mapping) else None
        if not is_name(name) or name in seen or one.get("kind") not in range(kind, 5):
            return None
        seen.add(name)
        if kind == 0 and one["kind"] > 0 and parts:
            parts.append("/")
        if one["kind"] == 3 and kind < 2:
            parts.append("*")
        kind = one["kind"]
        default = "default" in one or "shown" in one
        if kind < 2 and optional and not default:
            return None
        optional = optional or (kind < 2 and default)
        star = {2: "*", 4: "**"}.get(kind, "")
        typed = "" if bare and len(seen) == 1 and kind < 2 else f": {types.annotation(one.get('annotation'))}"
        parts.append(f"{star}{name}{typed}{' = ...' if default and not star else ''}")
    if parts and kind == 0:
        parts.append("/")
    return ", ".join(parts)


class _Types:
    """Annotations of one module, made anew of what is known. `used` are the modules that the stub has to import for it."""

    def __init__(self, api: Mapping[str, Any], module: str, modules: frozenset[str]) -> None:
        self.module, self.used = module, set[str]()
        self._api, self._modules = api, modules

    def annotation(self, text: Any) -> str:
        """A type for this text; `Any` where it is not known."""
        try:
            tree = ast.parse(text, mode="eval").body if isinstance(text, str) else None
            return self._type(tree, 0) if tree is not None else "_t.Any"
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return "_t.Any"

    def base(self, key: str) -> str | None:
        """What a class derives from; None where that is not to be told."""
        module, _, name = key.partition(":")
        if module == "builtins":
            return name if name in _DERIVED and name != "object" else None
        return self.known(key)

    def known(self, key: str) -> str | None:
        """How the stub names a class of the library; None where it has no such class."""
        module, _, path = key.partition(":")
        about = self._api["classes"].get(key)
        member = self._api["modules"].get(module, {}).get("members", {}).get(path) if about else None
        if module not in self._modules or not is_name(path) or not isinstance(member, Mapping) or member.get("of") != key:
            return None
        if module == self.module:
            return path
        self.used.add(module)
        return f"{module}.{path}"

    def _type(self, node: ast.expr, depth: int) -> str:
        if depth > _DEEPEST:
            return "_t.Any"
        match node:
            case ast.Constant(value=None):
                return "None"
            case ast.Constant(value=str() as text):  # a forward reference
                return self._type(ast.parse(text, mode="eval").body, depth + 1)
            case ast.Name(id=name):
                return self._named(name)
            case ast.Attribute(value=ast.Name(id="typing" | "t" | "abc" | "collections"), attr=name):
                return self._named(name)
            case ast.Attribute():
                return self._dotted(node)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return f"{self._type(left, depth + 1)} | {self._type(right, depth + 1)}"
            case ast.Subscript(value=of, slice=inner):
                return self._generic(of, inner, depth)
            case _:
                return "_t.Any"

    def _named(self, name: str) -> str:
        if name in _BUILTINS or name in ("tuple", *_EXCEPTIONS):
            return name
        if name in _TYPING or name in ("Callable", "Tuple", "Union"):
            return f"_t.{name}" if name != "Union" else "_t.Any"
        member = self._api["modules"][self.module].get("members", {}).get(name)
        key = str(member.get("of", "")) if isinstance(member, Mapping) and member.get("kind") == "class" else ""
        return (self.known(key) if key else None) or "_t.Any"

    def _dotted(self, node: ast.Attribute) -> str:
        module, _, name = ast.unparse(node).rpartition(".")
        return self.known(f"{module}:{name}") or "_t.Any"

    def _generic(self, of: ast.expr, inner: ast.expr, depth: int) -> str:
        """A type with its arguments, where they are types, and as many as it takes; else the bare one, or `Any`."""
        items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        plain = ast.unparse(of).removeprefix("typing.").removeprefix("t.")
        if plain == "Union":
            return " | ".join(self._type(one, depth + 1) for one in items) if items else "_t.Any"
        name = self._type(of, depth + 1)
        bare = name.removeprefix("_t.")
        if bare in ("tuple", "Tuple"):
            return self._tuple(items, depth)
        if bare == "Callable":
            return "_t.Callable[..., _t.Any]"
        count = _TYPING.get(bare, 0) if name.startswith("_t.") else _BUILTINS.get(bare, 0)
        if count and count == len(items):
            return f"{name}[{', '.join(self._type(one, depth + 1) for one in items)}]"
        return name  # a class of the library: whether it takes arguments is not known

    def _tuple(self, items: Sequence[ast.expr], depth: int) -> str:
        match items:
            case [one, ast.Constant(value=EllipsisType())]:
                return f"tuple[{self._type(one, depth + 1)}, ...]"
            case []:
                return "tuple[_t.Any, ...]"
            case _:
                return f"tuple[{', '.join(self._type(one, depth + 1) for one in items)}]"
