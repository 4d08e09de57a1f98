"""What statistics lose in another form: found by reading back what was written."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.stages.data.exchange.converted import of_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.statistics import Statistics

# Mean lengths have 32 bits in some forms.
_SINGLE = 1e-6


def statistics_differences(before: Statistics, after: Statistics) -> tuple[str, ...]:
    """Return a sentence for each part of `before` that `after` does not have.

    Numbers that agree to six digits count as the same.
    """
    lost: dict[str, list[str]] = {}
    for name, column in before.columns.items():
        again = after.columns.get(name)
        paths = ["everything"] if again is None else _lost(column, again)
        for path in paths:
            lost.setdefault(path, []).append(name)
    found = [f"left out: {of_columns(path, names)}" for path, names in lost.items()]
    if before.rows != after.rows:
        found.append(f"rows {before.rows} becomes {after.rows}")
    return tuple(found)


def _lost(before: Any, after: Any) -> Iterator[str]:
    for field in msgspec.structs.fields(type(before)):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if isinstance(old, msgspec.Struct) and type(new) is type(old):
            yield from (f"{field.name}.{path}" for path in _lost(old, new))
        elif not _same(old, new):
            yield field.name


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, float | int) and isinstance(new, float | int):
        return math.isclose(old, new, rel_tol=_SINGLE)
    if isinstance(old, tuple) and isinstance(new, tuple):
        return len(old) == len(new) and all(map(_same, old, new))
    return bool(old == new)
