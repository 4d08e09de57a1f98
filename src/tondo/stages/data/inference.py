"""Inferring a schema from statistics: only what the data shows, no human knowledge.

Rules: presence of at least one value if there is one, of all rows if none is missing; boolean for
numbers 0 and 1 (a 1 occurs) and for one true word and one false word; text with up to 100
distinct values gets them as its domain. Ranges, shares and environments are for people to add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.stages.data.schema import ColumnSchema, Presence, Schema

if TYPE_CHECKING:
    from tondo.stages.data.statistics import ColumnStatistics, Statistics, Value

LARGEST_DOMAIN = 100
TRUE_WORDS = frozenset({"TRUE", "true", "SET", "set", "1", ""})
FALSE_WORDS = frozenset({"FALSE", "false", "CLEAR", "clear", "0"})


def infer_schema(statistics: Statistics, *, name: str) -> Schema:
    """Return the schema that the table of these statistics satisfies."""
    return Schema(
        name=name,
        columns={column: infer_column(found) for column, found in statistics.columns.items()},
        min_rows=1 if statistics.rows else 0,
    )


def infer_column(column: ColumnStatistics) -> ColumnSchema:
    """Return the column schema that a column of these statistics satisfies."""
    presence = Presence(
        min_count=1 if column.present else 0,
        min_fraction=1.0 if column.present and column.present == column.rows else None,
    )
    boolean = is_boolean(column)
    return ColumnSchema(
        type=column.type,
        presence=presence,
        boolean=boolean,
        domain=None if boolean else infer_domain(column),
        allow_infinite=column.infinite > 0,
    )


def infer_domain(column: ColumnStatistics) -> tuple[str, ...] | None:
    """Return the sorted distinct texts when there are at most 100, else None."""
    few = bool(column.distinct) and (column.distinct or 0) <= LARGEST_DOMAIN
    if column.type != "string" or not few or column.tail:
        return None
    return tuple(sorted(str(value) for value, _ in column.top))


def is_boolean(column: ColumnStatistics) -> bool:
    """Say whether the values read as true and false."""
    values = [value for value, _ in column.top]
    if column.type == "string":
        return bool(values) and column.tail == 0 and are_boolean_words(values)
    if column.type not in {"double", "id"} or column.max != 1:
        return False
    return column.infinite == 0 and all(value in {0, 1} for value in values)


def are_boolean_words(values: list[Value]) -> bool:
    """Say whether texts are at most one word for true and one for false.

    >>> are_boolean_words(["true", "false"]), are_boolean_words(["true", "1"])
    (True, False)
    """
    words = {str(value) for value in values}
    return (
        words <= TRUE_WORDS | FALSE_WORDS
        and len(words & TRUE_WORDS) <= 1
        and len(words & FALSE_WORDS) <= 1
    )
