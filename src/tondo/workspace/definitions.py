"""Reading definition documents into typed values, with the place in every error."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import inspect

from tondo.core.errors import DefinitionError, near

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T", bound=msgspec.Struct)

_UNKNOWN = re.compile(r"unknown field `(.+?)`")
_WITHIN = re.compile(r" - at `\$\.?(.*)`$")
_STEPS = re.compile(r"[^.\[\]]+|\[.*?\]")


def read_body(body: Mapping[str, Any], kind: type[T], *, place: str) -> T:
    """Return a document's body as a `kind`; TD-PROJECT-005 names the place, key and near keys."""
    try:
        return msgspec.convert(dict(body), kind)
    except msgspec.ValidationError as error:
        said = str(error)
        unknown, within = _UNKNOWN.search(said), _WITHIN.search(said)
        path = within[1] if within else ""
        keys = _keys(kind, path)
        fix = "Correct that key."
        if "got `bool`" in said:
            fix = "Put it in quotes: YAML reads a bare on, off, yes or no as true or false."
        where = f"in {path}" if path else "here"
        raise DefinitionError(
            "TD-PROJECT-005",
            f"{place}: '{unknown[1]}' is not a key {where}" if unknown else f"{place}: {said}",
            expected="keys among " + ", ".join(keys) if keys else "",
            fix=near(unknown[1], keys) if unknown else fix,
            place=place,
        ) from None


def _keys(kind: type[msgspec.Struct], path: str) -> list[str]:
    """Return the keys of the mapping at a path such as `rollout.guards`; none of a value."""
    found: inspect.Type = inspect.type_info(kind)
    for step in _STEPS.findall(path):
        found = _within(found, step)
    return [each.encode_name for each in _fields(found)]


def _within(found: inspect.Type, step: str) -> inspect.Type:
    if isinstance(found, inspect.UnionType):
        found = next(each for each in found.types if not isinstance(each, inspect.NoneType))
    if isinstance(found, inspect.ListType | inspect.VarTupleType):
        return found.item_type
    if isinstance(found, inspect.DictType):
        return found.value_type
    return next((each.type for each in _fields(found) if each.encode_name == step), found)


def _fields(found: inspect.Type) -> tuple[inspect.Field, ...]:
    return found.fields if isinstance(found, inspect.StructType) else ()
