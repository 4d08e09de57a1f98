"""What a schema loses on its way through another form: found by reading back what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.stages.data.constraints import (
    ColumnSchema,
    Comparator,
    RowsComparator,
    Unique,
    ValueCount,
)
from tondo.stages.data.exchange.converted import changed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.schema import Schema

_OF_BATCH = (
    "name",
    "min_rows",
    "max_rows",
    "environments",
    "default_environments",
    "severities",
    "domains",
    "rows_against_previous",
    "rows_against_version",
)
_ASK_NOTHING = (ValueCount(), Unique(), Comparator(), RowsComparator())


def schema_differences(before: Schema, after: Schema) -> tuple[str, ...]:
    """Return a sentence for each constraint of `before` that `after` does not have.

    What means the same counts as the same: a range without ends and none, 5 and 5.0, the order of
    environments.
    """
    return (*_of_batch(before, after), *_of_columns(before, after))


def _of_batch(before: Schema, after: Schema) -> Iterator[str]:
    for name in _OF_BATCH:
        old, new = _meaning(before, name), _meaning(after, name)
        if old != new:
            yield changed(name, _plain(old), _plain(new))


def _of_columns(before: Schema, after: Schema) -> Iterator[str]:
    for column, constraints in before.columns.items():
        again = after.columns.get(column)
        if again is None:
            yield f"column '{column}' is left out"
            continue
        for field in msgspec.structs.fields(ColumnSchema):
            old, new = (_asked(getattr(each, field.name)) for each in (constraints, again))
            if old != new:
                yield f"column '{column}': {changed(field.encode_name, _plain(old), _plain(new))}"


def _meaning(schema: Schema, name: str) -> Any:
    value = getattr(schema, name)
    if name == "default_environments":
        return tuple(sorted(set(schema.environments if value is None else value)))
    return tuple(sorted(value)) if name == "environments" else _asked(value)


def _asked(value: Any) -> Any:
    """Return None for a constraint that asks nothing."""
    return (
        None if any(type(value) is type(each) and value == each for each in _ASK_NOTHING) else value
    )


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)
