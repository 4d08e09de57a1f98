"""Inferring a schema from statistics: only what the data shows, no human knowledge.

Rules: presence of at least one value if there is one, of all rows if none is missing; lists that
all have the same number of items keep it, lists that are never empty have at least one; boolean for
numbers 0 and 1 (a 1 occurs) and for one true word and one false word; text that reads as whole
numbers says so; other text with up to 100 distinct values gets them as its domain. Ranges, shares,
comparators and environments are for people to add; `suggest_ranges` proposes ranges.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from tondo.core.columns import STRING, item_type
from tondo.stages.data.anomalies import Change, column_change
from tondo.stages.data.constraints import NUMERIC, ColumnSchema, Presence, ValueCount
from tondo.stages.data.schema import Schema

if TYPE_CHECKING:
    from tondo.stages.data.statistics import ColumnStatistics, Statistics, Value

LARGEST_DOMAIN = 100
# What validation proposes for a new column may be longer, since a person reads the proposal.
LONGEST_NEW_DOMAIN = 400
TRUE_WORDS = frozenset({"TRUE", "true", "SET", "set", "1", ""})
FALSE_WORDS = frozenset({"FALSE", "false", "CLEAR", "clear", "0"})
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def infer_schema(statistics: Statistics, *, name: str) -> Schema:
    """Return the schema that the table of these statistics satisfies."""
    return Schema(
        name=name,
        columns={column: infer_column(found) for column, found in statistics.columns.items()},
        min_rows=1 if statistics.rows else 0,
    )


def infer_column(column: ColumnStatistics, *, largest_domain: int = LARGEST_DOMAIN) -> ColumnSchema:
    """Return the column schema that a column of these statistics satisfies."""
    presence = Presence(
        min_count=1 if column.present else 0,
        min_fraction=1.0 if column.present and column.present == column.rows else None,
    )
    values = values_of(column)
    boolean = is_boolean(values)
    whole = not boolean and values.present > 0 and bool(all_read_as("integer_text", values))
    return ColumnSchema(
        type=column.type,
        presence=presence,
        value_count=infer_value_count(column),
        boolean=boolean,
        integer_text=whole,
        domain=None if boolean or whole else infer_domain(values, largest=largest_domain),
        allow_infinite=values.infinite > 0,
    )


def values_of(column: ColumnStatistics) -> ColumnStatistics:
    """Return the statistics of a list column's items where there are any, else the column's."""
    return column if column.items is None else column.items


def infer_value_count(column: ColumnStatistics) -> ValueCount | None:
    """Return the number of items when all lists agree, else at least 1 when none is empty.

    >>> from tondo.stages.data.statistics import ColumnStatistics, Lengths
    >>> lists = Lengths(min=1, max=3, mean=2.0)
    >>> infer_value_count(ColumnStatistics(type="list<id>", rows=9, missing=0, length=lists))
    ValueCount(min=1, max=None)
    """
    if item_type(column.type) is None:
        return None
    sizes = column.valency or column.length
    if sizes is None or not sizes.min:
        return None
    return ValueCount(min=sizes.min, max=sizes.max) if sizes.min == sizes.max else ValueCount(min=1)


def infer_domain(
    column: ColumnStatistics, *, largest: int = LARGEST_DOMAIN
) -> tuple[str, ...] | None:
    """Return the sorted distinct texts when there are at most `largest`, else None."""
    few = bool(column.distinct) and (column.distinct or 0) <= largest
    if column.type != STRING or not few or column.tail:
        return None
    return tuple(sorted(str(value) for value, _ in column.top))


def is_boolean(column: ColumnStatistics) -> bool:
    """Say whether the values read as true and false."""
    values = [value for value, _ in column.top]
    if column.type == STRING:
        return bool(values) and column.tail == 0 and are_boolean_words(values)
    if column.type not in NUMERIC or column.max != 1:
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


def integer_of(text: str) -> int | None:
    """Return the whole number of 64 bits that a text reads as, else None.

    >>> integer_of("-12"), integer_of("1.0"), integer_of("9223372036854775808")
    (-12, None, None)
    """
    # Longer texts hold no number of 64 bits, leading zeros aside, and are slow to read.
    digits = text.lstrip("+-").lstrip("0")
    if not _INTEGER.fullmatch(text) or len(digits) > len(str(2**63)):
        return None
    number = int(digits or "0") * (-1 if text[0] == "-" else 1)
    return number if -(2**63) <= number < 2**63 else None


def number_of(text: str) -> float | None:
    """Return the finite number that a text reads as, else None.

    >>> number_of("1e3"), number_of("nan"), number_of("1e999")
    (1000.0, None, None)
    """
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def all_read_as(kind: str, column: ColumnStatistics) -> bool | None:
    """Say whether every text reads as `integer_text` or `number_text`; None when it is not known.

    The statistics say it of every value; older ones are judged by the values that they kept.
    """
    if column.type != STRING:
        return False
    if column.integer_text if kind == "integer_text" else column.number_text:
        return True
    reader = integer_of if kind == "integer_text" else number_of
    if any(reader(str(value)) is None for value, _ in column.top):
        return False
    if column.tail == 0:
        return True
    # Statistics from before texts were read as numbers have no tokens either.
    return None if column.tokens is None else False


def suggest_ranges(statistics: Statistics) -> tuple[Change, ...]:
    """Return the changes that would hold numeric columns to the range seen, for people to read.

    Nothing is imposed: `apply_changes` takes those that a person accepts. Columns of 0 and 1 and
    columns without finite values get none.
    """
    changes = []
    for name, column in statistics.columns.items():
        if column.type not in NUMERIC or column.min is None or is_boolean(column):
            continue
        changes += [column_change(name, end, value=getattr(column, end)) for end in ("min", "max")]
    return tuple(changes)
