"""Faults of a schema itself: what contradicts itself or cannot be checked is refused."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tondo.core.columns import STRING, check_type, item_type
from tondo.core.errors import DefinitionError, near
from tondo.stages.data.anomaly_kinds import KINDS
from tondo.stages.data.constraints import MEASURES, NUMERIC, value_type
from tondo.stages.data.time_bounds import TIMES, bound_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.constraints import ColumnSchema, RowsComparator
    from tondo.stages.data.schema import Schema

_SPECIFICATION, _DOMAIN, _TYPE = "TD-SCHEMA-003", "TD-SCHEMA-006", "TD-SCHEMA-007"
Fault = tuple[str, str]
"""The code and what is wrong."""


def refuse_faults(schema: Schema) -> None:
    """Raise TD-SCHEMA-003 (specification), -006 (domain) or -007 (constraint of another type)."""
    for code, what in _of_schema(schema):
        raise DefinitionError(
            code,
            f"schema of {schema.name}: {what}",
            fix="Correct the schema; the data was not looked at.",
        )
    for name, column in schema.columns.items():
        check_type(column.type, where=f"schema column '{name}'")
        for code, what in _of_column(column, schema):
            raise DefinitionError(
                code,
                f"schema of {schema.name}, column '{name}': {what}",
                fix="Correct the schema; the data was not looked at.",
                column=name,
            )


def _of_schema(schema: Schema) -> Iterator[Fault]:
    if "" in schema.columns:
        yield _SPECIFICATION, "a column has no name"
    if schema.min_rows < 0:
        yield _SPECIFICATION, f"min_rows {schema.min_rows} is below 0"
    yield from _order("min_rows", schema.min_rows, "max_rows", schema.max_rows)
    for unknown in set(schema.default_environments or ()) - set(schema.environments):
        yield _SPECIFICATION, f"default_environments names {unknown}, which is no environment"
    for kind in schema.severities:
        if kind not in KINDS:
            yield _SPECIFICATION, f"severities names '{kind}', no kind ({near(kind, KINDS)})"
    for name in ("rows_against_previous", "rows_against_version"):
        yield from _of_rows(name, getattr(schema, name))
    for name, values in schema.domains.items():
        if len(set(values)) < len(values):
            yield _DOMAIN, f"the domain '{name}' lists a value twice"


def _of_rows(name: str, comparator: RowsComparator | None) -> Iterator[Fault]:
    if comparator is None:
        return
    low, high = comparator.min_fraction, comparator.max_fraction
    for each in (low, high):
        if each is not None and not (math.isfinite(each) and each >= 0):
            yield _SPECIFICATION, f"{name}: the fraction {each} is not a number from 0"
    yield from _order(f"{name}: min_fraction", low, "max_fraction", high)


def _of_column(column: ColumnSchema, schema: Schema) -> Iterator[Fault]:
    yield from _presence(column)
    yield from _domain(column, schema)
    yield from _range(column)
    yield from _counts(column)
    yield from _words(column)
    yield from _comparators(column)
    unknown = [each for each in (*column.in_, *column.not_in) if each not in schema.environments]
    if unknown:
        yield _SPECIFICATION, f"the schema has no environment {', '.join(unknown)}"


def _presence(column: ColumnSchema) -> Iterator[Fault]:
    fraction = column.presence.min_fraction
    if fraction is not None and not 0 <= fraction <= 1:
        yield _SPECIFICATION, f"min_fraction {fraction} is not between 0 and 1"
    if column.presence.min_count < 0:
        yield _SPECIFICATION, "min_count is below 0"
    if not 0 <= column.min_domain_mass <= 1:
        yield _SPECIFICATION, f"min_domain_mass {column.min_domain_mass} is not between 0 and 1"


def _domain(column: ColumnSchema, schema: Schema) -> Iterator[Fault]:
    listed, shared = column.domain, column.shared_domain
    if (listed is not None or shared is not None) and value_type(column.type) != STRING:
        yield _TYPE, f"a domain is for text, not for {column.type}"
    if listed is not None and len(set(listed)) < len(listed):
        yield _DOMAIN, "the domain lists a value twice"
    if listed is not None and shared is not None:
        yield _DOMAIN, "domain and shared_domain are both given; one of them decides"
    if shared is not None and shared not in schema.domains:
        yield _DOMAIN, f"there is no domain '{shared}' ({near(shared, schema.domains)})"


def _range(column: ColumnSchema) -> Iterator[Fault]:
    ends = [end for end in (column.min, column.max) if end is not None]
    as_text = column.integer_text or column.number_text
    kind = value_type(column.type)
    if ends and kind not in (*NUMERIC, *TIMES) and not as_text:
        yield _TYPE, f"a range is for numbers and times, not for {column.type}"
    if not all(math.isfinite(end) for end in ends):
        yield _SPECIFICATION, "an end of the range is not finite; leave it out instead"
    if kind not in TIMES or not all(math.isfinite(end) for end in ends):
        yield from _order("min", column.min, "max", column.max)
    elif len(ends) == 2 and ends[0] > ends[1]:
        low, high = (bound_text(end, kind) for end in ends)
        yield _SPECIFICATION, f"min {low} is above max {high}"


def _counts(column: ColumnSchema) -> Iterator[Fault]:
    if column.value_count is not None and item_type(column.type) is None:
        yield _TYPE, f"value_count is for lists, not for {column.type}"
    for name in ("value_count", "unique"):
        span = getattr(column, name)
        if span is None:
            continue
        if any(end is not None and end < 0 for end in (span.min, span.max)):
            yield _SPECIFICATION, f"{name} has an end below 0"
        yield from _order(f"{name}.min", span.min, "max", span.max)


def _words(column: ColumnSchema) -> Iterator[Fault]:
    words = [each for each in (column.true_value, column.false_value) if each is not None]
    as_text = column.integer_text or column.number_text
    if words and value_type(column.type) != STRING:
        yield _TYPE, f"true_value and false_value are for text, not for {column.type}"
    if words and not column.boolean:
        yield _DOMAIN, "true_value and false_value need boolean: true"
    if len(words) != len(set(words)):
        yield _DOMAIN, f"true_value and false_value are both {words[0]!r}"
    if as_text and value_type(column.type) != STRING:
        yield _TYPE, f"integer_text and number_text are for text, not for {column.type}"
    if as_text and (column.domain is not None or column.shared_domain is not None):
        yield _DOMAIN, "a domain and numbers as text are both given; one of them decides"


def _comparators(column: ColumnSchema) -> Iterator[Fault]:
    for name in ("drift", "skew"):
        comparator = getattr(column, name)
        for measure in MEASURES:
            limit = None if comparator is None else getattr(comparator, measure)
            if limit is not None and not 0 <= limit <= 1:
                yield _SPECIFICATION, f"{name}.{measure} {limit} is not between 0 and 1"


def _order(name: str, low: float | None, other: str, high: float | None) -> Iterator[Fault]:
    if low is not None and high is not None and low > high:
        yield _SPECIFICATION, f"{name} {low} is above {other} {high}"
