"""What a table's statistics tell of its label and its features."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import DataError
from tondo.language.parse import parse
from tondo.language.tree import Column

if TYPE_CHECKING:
    from collections.abc import Collection

    from tondo.stages.data.statistics import ColumnStatistics, Statistics

# Words that people use for "it happened", in lower case.
_POSITIVE = ("yes", "y", "true", "t", "1", "positive", "churned", "fraud", "default", "late")
# Text with more distinct values than this share of the rows names the row rather than says
# something of it.
_NAMES_THE_ROW = 0.5
_LARGEST_VOCABULARY = 50
# A logistic model gets a column of its own for each value: few.
_LARGEST_ONE_HOT = 8


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """An expression and why it is it."""

    text: str
    why: str = ""


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """A feature of the first spec."""

    name: str
    text: str
    categorical: bool = False


def column_text(name: str) -> str:
    """Return how the language writes a column.

    >>> column_text("distance"), column_text("Total Charges"), column_text("2nd")
    ('distance', '"Total Charges"', '"2nd"')
    """
    if re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        try:
            found = parse(name)
            if isinstance(found, Column) and found.name == name:
                return name
        except Exception:  # noqa: BLE001, S110 - whatever it is, it is no plain column name
            pass
    return '"' + name.replace('"', '""') + '"'


def guess_label(name: str, column: ColumnStatistics) -> Guess:
    """Return the yes-or-no question that a label's column asks."""
    text = column_text(name)
    values = [value for value, _ in column.top]
    if column.type == "bool":
        return Guess(text=text)
    if column.distinct is None or column.distinct < 2 or column.type not in {"double", "string"}:
        raise DataError(
            "TD-STARTER-001",
            f"the column '{name}' cannot be a label: type {column.type}, "
            f"{column.distinct if column.distinct is not None else 'no'} distinct values",
            expected="a column of numbers or text with at least two values",
            fix="Name another column with --label.",
            column=name,
        )
    if column.type == "double" and column.distinct == 2:
        return Guess(text=f"{text} = {_number(max(float(each) for each in values))}")
    if column.type == "double":
        middle = float(column.quantiles.get("0.5", column.mean or 0.0))
        why = f"{name} has {column.distinct} values; this asks for the upper half, change it"
        return Guess(text=f"{text} > {_number(middle)}", why=why)
    chosen = _positive([str(each) for each in values])
    why = "" if column.distinct == 2 else f"{name} has {column.distinct} values; this asks for one"
    return Guess(text=f"{text} = {_quoted(chosen)}", why=why)


def _positive(values: list[str]) -> str:
    """Return the value that means yes, else the rarest of those listed."""
    for word in _POSITIVE:
        for each in values:
            if each.strip().lower() == word:
                return each
    return values[-1]


def guess_features(
    statistics: Statistics, *, leave_out: Collection[str], time: str | None, trees: bool
) -> tuple[list[Feature], dict[str, str]]:
    """Return the features, and the columns that were left out with the reason."""
    features: list[Feature] = []
    left: dict[str, str] = {}
    for name, column in statistics.columns.items():
        if name in leave_out:
            continue
        why = _why_not(column, statistics.rows)
        if why:
            left[name] = why
            continue
        features += _features_of(name, column, trees=trees)
    if time is not None:
        features += _features_of_time(time, statistics.columns[time], trees=trees)
    return features, left


def _features_of_time(name: str, column: ColumnStatistics, *, trees: bool) -> list[Feature]:
    at = column_text(name)
    if column.type == "date":
        return [Feature(name="at_weekday", text=_scaled(f"day_of_week({at})", trees=trees))]
    return [
        Feature(name="at_hour", text=_scaled(f"hour({at}, 'UTC')", trees=trees)),
        Feature(name="at_weekday", text=_scaled(f"day_of_week({at}, 'UTC')", trees=trees)),
    ]


def _why_not(column: ColumnStatistics, rows: int) -> str:
    distinct = column.distinct or 0
    if distinct < 2:
        return "it has one value only"
    if column.type == "string" and distinct > max(_NAMES_THE_ROW * rows, _LARGEST_VOCABULARY):
        return "nearly each row has a value of its own"
    if column.type not in {"double", "bool", "string", "id"}:
        return f"there is no usual feature of a {column.type}"
    return "whole numbers that name something" if column.type == "id" else ""


def _features_of(name: str, column: ColumnStatistics, *, trees: bool) -> list[Feature]:
    text, plain = column_text(name), feature_name(name)
    if column.type == "double":
        return [Feature(name=plain, text=_scaled(text, trees=trees))]
    if column.type == "bool":
        return [Feature(name=plain, text=text if trees else _indicator(text))]
    if trees:
        size = min(column.distinct or 0, _LARGEST_VOCABULARY)
        return [Feature(name=plain, text=f"vocab({text}, {size})", categorical=True)]
    return [
        Feature(
            name=f"{plain}_{feature_name(str(value))}"[:64],
            text=_indicator(f"{text} = {_quoted(str(value))}"),
        )
        for value, _ in column.top[:_LARGEST_ONE_HOT]
    ]


def feature_name(text: str) -> str:
    """Return a name made of what a column or a value is called.

    >>> feature_name("Total Charges"), feature_name("2nd class")
    ('Total_Charges', 'x_2nd_class')
    """
    plain = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "value"
    return (plain if plain[0].isalpha() else f"x_{plain}")[:64]


def _scaled(text: str, *, trees: bool) -> str:
    return text if trees else f"zscore(fill_mean({text}))"


def _indicator(condition: str) -> str:
    return f"case when {condition} then 1.0 else 0.0 end"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
