"""Statistics of parts of a table: by values, by crosses of values, by predicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.errors import CallerError, DefinitionError
from tondo.language.check import check
from tondo.language.parse import parse
from tondo.language.walk import fitted_of
from tondo.stages.data.statistics import (
    SHOWN_VALUES,
    Statistics,
    Value,
    known_column,
    of_profile,
    types_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.language.tree import Node
    from tondo.ports.engine import Profiler

SliceName = tuple[tuple[str, Value | None], ...]
"""What the rows of a slice share: (column, value) pairs, or (predicate's name, True)."""


def slice_statistics(
    table: Any,
    *,
    engine: Profiler,
    by: Sequence[str | Sequence[str]] = (),
    columns: Mapping[str, str] | None = None,
    where: Mapping[str, Node | str] | None = None,
    least_rows: int = 1,
    most: int = 100,
) -> dict[SliceName, Statistics]:
    """Return the statistics of each slice: the very numbers of the rows taken alone.

    Each of `by` is a column, or several whose values are taken together; a missing value (null
    or NaN) makes a slice of its own, None; of each the `most` largest slices are told, largest
    first, ties by value. Times are microseconds, dates days. Each of `where` is a predicate of
    the feature language, as text or tree: the slice of rows of which it is true. Slices under
    `least_rows` rows are left out. `columns` narrows or names what is told.

    Errors: TD-STATS-001 (no such column), -002 (lists make no slices), -003 (no predicate), and
    those of the language (TD-LANG).
    """
    types = types_of(table)
    wanted = types if columns is None else columns
    keys = [_keys([each] if isinstance(each, str) else each, types) for each in by]
    trees = {name: _predicate(name, each, types) for name, each in (where or {}).items()}
    if not wanted:
        return {}
    found = engine.profile_slices(
        table,
        wanted,
        by=keys,
        where=trees,
        least_rows=least_rows,
        most=most,
        top=SHOWN_VALUES,
    )
    return {
        tuple((name, value) for name, value in each["slice"]): of_profile(each["columns"], wanted)
        for each in found
    }


def _keys(names: Sequence[str], types: Mapping[str, str]) -> dict[str, str]:
    keys = {known_column(name, types): types[name] for name in names}
    if not keys:
        raise CallerError(
            "TD-STATS-002",
            "an entry of `by` names no column",
            expected="a column, or several",
            fix="Name a column; for the whole table ask for its statistics.",
        )
    for name, type_ in keys.items():
        if type_.startswith("list<"):
            raise CallerError(
                "TD-STATS-002",
                f"column '{name}' is a {type_} and makes no slices",
                expected="columns of single values",
                fix="Slice by another column, or by a predicate over the list.",
                column=name,
            )
    return keys


def _predicate(name: str, given: Node | str, types: Mapping[str, str]) -> Node:
    text = given if isinstance(given, str) else ""
    tree = check(parse(given) if isinstance(given, str) else given, types, text=text)
    if tree.type == "bool" and not fitted_of(tree):
        return tree
    what = "is learned from data" if fitted_of(tree) else f"is a {tree.type}"
    raise DefinitionError(
        "TD-STATS-003",
        f"'{name}' {what} and is no predicate",
        expected="an expression that is true or false of a row",
        fix="Compare it with something, as in: distance > 500",
        slice=name,
    )
