"""Validating a batch: statistics against a schema, patches, and the gate that blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DataError
from tondo.stages.data.anomalies import Anomalies, Anomaly, Change
from tondo.stages.data.inference import values_of
from tondo.stages.data.rules import (
    booleans,
    columns,
    comparators,
    domain,
    items,
    presence,
    ranges,
    reference,
    rows,
    texts,
    types,
    unique,
)
from tondo.stages.data.rules.counted import rows_of
from tondo.stages.data.schema import (
    UNCHECKED_STAGES,
    Schema,
    check_environment,
    check_schema,
)
from tondo.stages.data.time_bounds import read_times

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tondo.stages.data.distances import Against
    from tondo.stages.data.movement import Movement
    from tondo.stages.data.statistics import ColumnStatistics, Statistics


def validate(
    statistics: Statistics,
    schema: Schema,
    *,
    environment: str | None = None,
    previous: Statistics | None = None,
    serving: Statistics | None = None,
    previous_version: Statistics | None = None,
    movements: Sequence[Movement] = (),
) -> Anomalies:
    """Return every anomaly, in the order of the schema's columns.

    `previous` is the batch before (drift), `serving` what was served (skew), `previous_version`
    this very batch as it was before (rows only), `movements` how far it is from the accepted rows
    (`movement.py`); what is not given is not compared. A batch without rows has that one anomaly.
    Where the statistics are weighted, weights are counted for presence, domains and rows.
    Errors: TD-SCHEMA-003, -006, -007 (the schema itself is wrong), TD-SCHEMA-004 (unknown
    environment).
    """
    check_schema(schema)
    check_environment(schema, environment)
    size = rows_of(statistics)
    anomalies = list(rows.check(size, schema))
    if statistics.rows:
        for against, other in (("previous", previous), ("version", previous_version)):
            if other is not None:
                anomalies += rows.compare(size, rows_of(other), schema, against=against)
        controls: dict[Against, Statistics | None] = {"drift": previous, "skew": serving}
        anomalies += _known_columns(statistics, schema, environment, controls)
        anomalies += [
            columns.new_column(name, column, schema, environment)
            for name, column in statistics.columns.items()
            if name not in schema.columns
        ]
        anomalies += reference.check(movements, schema.columns)
    return Anomalies(_weighed(anomalies, schema))


def _known_columns(
    statistics: Statistics,
    schema: Schema,
    environment: str | None,
    controls: dict[Against, Statistics | None],
) -> Iterator[Anomaly]:
    for name, expected in schema.columns.items():
        if expected.stage in UNCHECKED_STAGES:
            continue
        found = statistics.columns.get(name)
        expected_here = schema.expects(name, environment)
        if found is None:
            if expected_here and expected.required:
                yield columns.missing_column(name, statistics.columns)
            continue
        if environment is not None and not expected_here:
            yield columns.unexpected_column(name, schema, environment)
        yield from _one_column(name, found, schema)
        for against, control in controls.items():
            yield from comparators.check(name, found, expected, control=control, against=against)


def _one_column(name: str, found: ColumnStatistics, schema: Schema) -> Iterator[Anomaly]:
    expected = schema.columns[name]
    yield from types.check(name, found, expected)
    yield from presence.check(name, found, expected)
    yield from items.check(name, found, expected)
    values = values_of(found)
    yield from domain.check(name, values, schema)
    yield from booleans.check(name, values, expected)
    yield from texts.check(name, values, expected)
    yield from ranges.check(name, values, expected)
    yield from unique.check(name, values, expected)


def _weighed(anomalies: Iterable[Anomaly], schema: Schema) -> Iterator[Anomaly]:
    for each in anomalies:
        severity = schema.severities.get(each.kind, each.severity)
        if severity != "off":
            yield msgspec.structs.replace(each, severity=severity)


def apply_patches(schema: Schema, anomalies: Iterable[Anomaly]) -> Schema:
    """Return the schema with every patch applied; patches touch nothing else."""
    return apply_changes(schema, (change for each in anomalies for change in each.patch))


def apply_changes(schema: Schema, changes: Iterable[Change]) -> Schema:
    """Return the schema with each change made (TD-SCHEMA-003, -006, -007 when it breaks it)."""
    document = msgspec.to_builtins(schema)
    for change in changes:
        _apply(document, change)
    read = read_times(document, origin=f"schema of {schema.name}")
    return check_schema(msgspec.convert(read, Schema))


def _apply(document: dict[str, Any], change: Change) -> None:
    place = document
    for key in change.path[:-1]:
        # Defaults are left out of a document or None, so an inner part may not be there yet.
        if place.get(key) is None:
            place[key] = {}
        place = place[key]
    place[change.path[-1]] = change.value


def check_batch(
    statistics: Statistics,
    schema: Schema,
    *,
    environment: str | None = None,
    previous: Statistics | None = None,
    serving: Statistics | None = None,
    previous_version: Statistics | None = None,
    movements: Sequence[Movement] = (),
) -> Anomalies:
    """Return the warnings of a batch, or block it: TD-SCHEMA-001, naming the column first.

    The error's fields hold every anomaly with its patch.
    """
    found = validate(
        statistics,
        schema,
        environment=environment,
        previous=previous,
        serving=serving,
        previous_version=previous_version,
        movements=movements,
    )
    wrong = blocking(found)
    if not wrong:
        return found
    rest = "".join(f"\n  {each}" for each in wrong[1:])
    raise DataError(
        "TD-SCHEMA-001",
        f"{wrong[0]}{rest}",
        expected=f"a batch that meets the schema of {schema.name}",
        fix="Correct the data, or accept the patches.",
        column=wrong[0].column,
        anomalies=msgspec.to_builtins(found),
    )


def blocking(found: Iterable[Anomaly]) -> Anomalies:
    """Return the anomalies that keep a batch from being trained on."""
    return Anomalies(each for each in found if each.severity == "error")
