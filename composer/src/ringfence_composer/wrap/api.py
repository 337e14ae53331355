"""What a guest, or somebody's wheel, says of a library's API: foreign data, held against its shape before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.contract.errors import IntegrityError
from ringfence.objects.api import checked

from ringfence_composer.errors import InputInvalid


def checked_api(content: Any, where: str) -> dict[str, Any]:
    """The content, if it is an API in all that is read of it here: records of modules, functions and classes, members, signatures.

    Raises:
        InputInvalid: it is none; with the first place that is wrong.
    """
    try:
        api = checked(content, where)
    except IntegrityError as error:
        raise InputInvalid(error.message) from error
    for place, is_right in _looked_at(api):
        if not is_right:
            raise InputInvalid(f"{where}: no API: {ascii(place)[:100]} is not in its form")
    return api


def _looked_at(api: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Each place, and whether it is right."""
    for name, module in api["modules"].items():
        yield f"modules.{name}", _is_records(module.get("members")) and _is_texts(module.get("all"))
    for key, function in api["functions"].items():
        yield f"functions.{key}", _is_signature(function.get("signature"))
    for key, one in api["classes"].items():
        yield f"classes.{key}", _is_texts(one.get("bases")) and _is_signature(one.get("signature")) and _is_records(one.get("members"))
        for name, member in (one.get("members") or {}).items() if isinstance(one.get("members"), dict) else ():
            yield f"classes.{key}.{name}", isinstance(member, dict) and _is_signature(member.get("signature"))


def _is_records(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, dict) for one in value.values())


def _is_texts(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _is_signature(value: Any) -> bool:
    if value is None:
        return True
    parameters = value.get("parameters") if isinstance(value, dict) else None
    return isinstance(parameters, list) and all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in parameters)
