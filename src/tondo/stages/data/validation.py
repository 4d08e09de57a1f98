"""Validating a batch: statistics against a schema, patches, and the gate that blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DataError
from tondo.stages.data.anomalies import Anomalies, Anomaly, Change
from tondo.stages.data.rules import booleans, columns, domain, presence, ranges, rows, types
from tondo.stages.data.schema import (
    UNCHECKED_STAGES,
    Schema,
    check_environment,
    check_schema,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tondo.stages.data.statistics import Statistics

_COLUMN_RULES = (types.check, presence.check, domain.check, booleans.check, ranges.check)


def validate(
    statistics: Statistics, schema: Schema, *, environment: str | None = None
) -> Anomalies:
    """Return every anomaly, in the order of the schema's columns.

    A batch without rows has that one anomaly. Errors: TD-SCHEMA-003 (the schema itself is wrong),
    TD-SCHEMA-004 (unknown environment).
    """
    check_schema(schema)
    check_environment(schema, environment)
    found = rows.check(statistics.rows, schema)
    anomalies = list(found)
    if statistics.rows:
        anomalies += _known_columns(statistics, schema, environment)
        anomalies += [
            columns.new_column(name, column)
            for name, column in statistics.columns.items()
            if name not in schema.columns
        ]
    return Anomalies(_weighed(anomalies, schema))


def _known_columns(
    statistics: Statistics, schema: Schema, environment: str | None
) -> Iterator[Anomaly]:
    for name, expected in schema.columns.items():
        if expected.stage in UNCHECKED_STAGES:
            continue
        found = statistics.columns.get(name)
        expected_here = expected.expected_in(environment)
        if found is None:
            if expected_here and columns.required(expected):
                yield columns.missing_column(name, statistics.columns)
            continue
        if environment is not None and not expected_here:
            yield columns.unexpected_column(name, expected, environment)
        for rule in _COLUMN_RULES:
            yield from rule(name, found, expected)


def _weighed(anomalies: Iterable[Anomaly], schema: Schema) -> Iterator[Anomaly]:
    for each in anomalies:
        severity = schema.severities.get(each.kind, each.severity)
        if severity != "off":
            yield msgspec.structs.replace(each, severity=severity)


def apply_patches(schema: Schema, anomalies: Iterable[Anomaly]) -> Schema:
    """Return the schema with every patch applied; patches touch nothing else."""
    document = msgspec.to_builtins(schema)
    for anomaly in anomalies:
        for change in anomaly.patch:
            _apply(document, change)
    return check_schema(msgspec.convert(document, Schema))


def _apply(document: dict[str, Any], change: Change) -> None:
    place = document
    for key in change.path[:-1]:
        # Defaults are left out of a document, so an inner part may not be there yet.
        place = place.setdefault(key, {})
    place[change.path[-1]] = change.value


def schema_changes(before: Schema, after: Schema) -> tuple[Change, ...]:
    """Return what differs between two versions, a change a constraint."""
    old, new = _leaves(msgspec.to_builtins(before)), _leaves(msgspec.to_builtins(after))
    paths = dict.fromkeys([*old, *new])
    return tuple(
        Change(path=path, value=new.get(path)) for path in paths if old.get(path) != new.get(path)
    )


def _leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if not isinstance(value, dict):
        return {path: value}
    found: dict[tuple[str, ...], Any] = {}
    for key, each in value.items():
        found |= _leaves(each, (*path, key))
    return found


def check_batch(
    statistics: Statistics, schema: Schema, *, environment: str | None = None
) -> Anomalies:
    """Return the warnings of a batch, or block it: TD-SCHEMA-001, naming the column first.

    The error's fields hold every anomaly with its patch.
    """
    found = validate(statistics, schema, environment=environment)
    blocking = [each for each in found if each.severity == "error"]
    if not blocking:
        return found
    rest = "".join(f"\n  {each}" for each in blocking[1:])
    raise DataError(
        "TD-SCHEMA-001",
        f"{blocking[0]}{rest}",
        expected=f"a batch that meets the schema of {schema.name}",
        fix="Correct the data, or accept the patches.",
        column=blocking[0].column,
        anomalies=msgspec.to_builtins(found),
    )
