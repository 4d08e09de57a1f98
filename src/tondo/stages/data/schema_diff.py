"""The difference of two schemas as lines that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.stages.data.schema import to_document

if TYPE_CHECKING:
    from tondo.stages.data.schema import Schema

_SHOWN = 10
_ABSENT = object()


def schema_diff(before: Schema, after: Schema, *, column: str | None = None) -> list[str]:
    """Return a line for each difference, of one column or of all.

    `+` was added, `-` was removed, `~` was changed; lists show what joined and what left.

    >>> from tondo.stages.data.schema import ColumnSchema, Schema
    >>> old = Schema(name="t", columns={"x": ColumnSchema(type="double", max=5)})
    >>> new = Schema(name="t", columns={"x": ColumnSchema(type="double", max=6)}, max_rows=9)
    >>> schema_diff(old, new)
    ['~ columns.x.max: 5 -> 6', '+ max_rows: 9']
    """
    old, new = to_document(before), to_document(after)
    if column is not None:
        old, new = ({"columns": _only(each["columns"], column)} for each in (old, new))
    return _lines((), old, new)


def _only(columns: dict[str, Any], column: str) -> dict[str, Any]:
    return {column: columns[column]} if column in columns else {}


def _lines(path: tuple[str, ...], old: Any, new: Any) -> list[str]:
    if old == new:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for key in dict.fromkeys([*old, *new]):
            found += _lines((*path, key), old.get(key, _ABSENT), new.get(key, _ABSENT))
        return found
    place = ".".join(path)
    if old is _ABSENT:
        return [f"+ {place}: {_shown(new)}"]
    if new is _ABSENT:
        return [f"- {place}: {_shown(old)}"]
    if isinstance(old, list) and isinstance(new, list):
        return [f"~ {place}: {_joined_and_left(old, new)}"]
    return [f"~ {place}: {_shown(old)} -> {_shown(new)}"]


def _joined_and_left(old: list[Any], new: list[Any]) -> str:
    joined = [each for each in new if each not in old]
    left = [each for each in old if each not in new]
    parts = [f"added {_listed(joined)}"] if joined else []
    parts += [f"removed {_listed(left)}"] if left else []
    return "; ".join(parts) or "another order"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"[{_listed(value)}]"
    return msgspec.json.encode(value).decode()


def _listed(values: list[Any]) -> str:
    shown = ", ".join(msgspec.json.encode(each).decode() for each in values[:_SHOWN])
    return shown + (f", ... ({len(values)} in all)" if len(values) > _SHOWN else "")
