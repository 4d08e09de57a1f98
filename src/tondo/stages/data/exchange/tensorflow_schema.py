"""A schema as the Schema message of tensorflow-metadata, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.stages.data.exchange.converted import Converted, Fields, not_understood
from tondo.stages.data.exchange.schema_differences import schema_differences
from tondo.stages.data.exchange.tensorflow_columns import write_feature
from tondo.stages.data.exchange.tensorflow_features import (
    Rules,
    read_feature,
    read_float_domain,
    read_int_domain,
    read_rows,
)
from tondo.stages.data.schema import Schema, check_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.stages.data.constraints import ColumnSchema, RowsComparator

_NAME = "tondo.schema="
_ROWS = {
    "rows_against_previous": "num_examples_drift_comparator",
    "rows_against_version": "num_examples_version_comparator",
}
_RANGES = {"int_domain": read_int_domain, "float_domain": read_float_domain}


def to_tensorflow_schema(schema: Schema) -> Converted[dict[str, Any]]:
    """Return the document of a Schema message.

    >>> from tondo.stages.data.constraints import ColumnSchema
    >>> to_tensorflow_schema(Schema(name="t", columns={"x": ColumnSchema(type="id", max=9)})).value[
    ...     "feature"
    ... ]
    [{'name': 'x', 'type': 'INT', 'value_count': {'min': 1, 'max': 1}, 'int_domain': {'max': 9}}]
    """
    columns = [write_feature(name, column) for name, column in schema.columns.items()]
    document: dict[str, Any] = {"feature": columns}
    if schema.domains:
        document["string_domain"] = [
            {"name": name, "value": list(values)} for name, values in schema.domains.items()
        ]
    usual = schema.default_environments
    if environments := schema.environments if usual is None else usual:
        document["default_environment"] = list(environments)
    if rows := _rows(schema):
        document["dataset_constraints"] = rows
    document["annotation"] = {"tag": [f"{_NAME}{schema.name}"]}
    again, _ = _read(document, name=schema.name)
    return Converted(document, schema_differences(schema, again))


def _rows(schema: Schema) -> dict[str, Any]:
    written: dict[str, Any] = {}
    # A batch without rows is an anomaly there too unless something else is said.
    if schema.min_rows != 1:
        written["min_examples_count"] = schema.min_rows
    if schema.max_rows is not None:
        written["max_examples_count"] = schema.max_rows
    for name, field in _ROWS.items():
        comparator: RowsComparator | None = getattr(schema, name)
        if comparator is None:
            continue
        ends = {"min": comparator.min_fraction, "max": comparator.max_fraction}
        written[field] = {
            f"{end}_fraction_threshold": value for end, value in ends.items() if value is not None
        }
    return written


def from_tensorflow_schema(document: Mapping[str, Any], *, name: str) -> Converted[Schema]:
    """Return the schema of a document; `name` is its own unless it carries the one we wrote.

    Errors: TD-SCHEMA-003, -006 and -007 (it cannot be meant).
    """
    schema, left_out = _read(document, name=name)
    return Converted(check_schema(schema), left_out)


def _read(document: Mapping[str, Any], *, name: str) -> tuple[Schema, tuple[str, ...]]:
    fields, said = Fields(document), list[str]()
    shared, domains = _domains(fields, said)
    columns: dict[str, ColumnSchema] = {}
    for feature in fields.many("feature"):
        _one_feature(feature, shared, columns=columns, said=said)
    usual = tuple(fields.take("default_environment", []))
    every = _environments(usual, columns)
    note = fields.inner("annotation")
    tags = [] if note is None else note.take("tag", [])
    own = [tag.removeprefix(_NAME) for tag in tags if tag.startswith(_NAME)]
    said += [f"the tag '{tag}' is not understood" for tag in tags if not tag.startswith(_NAME)]
    rules = _batch(fields.inner("dataset_constraints"))
    said += not_understood("schema", _without_features(fields))
    schema = Schema(
        name=own[0] if own else name,
        columns=columns,
        environments=every,
        default_environments=None if set(usual) == set(every) else usual,
        domains=domains,
        **rules,
    )
    return schema, tuple(said)


def _one_feature(
    feature: Fields,
    shared: Mapping[str, tuple[str, Rules]],
    *,
    columns: dict[str, ColumnSchema],
    said: list[str],
) -> None:
    """Add the feature's column, and say what of it is not understood."""
    name = feature.take("name", "")
    of_feature: list[str] = []
    column = read_feature(feature, shared, of_feature) if name else None
    where = f"feature '{name}'"
    if not name:
        of_feature.append("it has no name, so it is left out")
    elif name in columns:
        of_feature.append("it is there twice, and the second is left out")
    elif column is not None:
        columns[name] = column
    said += [f"{where}: {sentence}" for sentence in of_feature]
    if column is not None:
        said += not_understood(where, feature)


def _without_features(fields: Fields) -> Fields:
    """Return what is left besides features, which spoke for themselves."""
    left = [each for each in fields.untaken() if not each.startswith("feature.")]
    return Fields(dict.fromkeys(left))


def _domains(
    fields: Fields, said: list[str]
) -> tuple[dict[str, tuple[str, Rules]], dict[str, tuple[str, ...]]]:
    """Return the shared domains by name with their field and rules, and those of texts."""
    shared: dict[str, tuple[str, Rules]] = {}
    texts: dict[str, tuple[str, ...]] = {}
    for domain in fields.many("string_domain"):
        name = domain.take("name", "")
        texts[name] = tuple(domain.take("value", []))
        shared[name] = ("string_domain", {})
    for field, read in _RANGES.items():
        for domain in fields.many(field):
            shared[domain.take("name", "")] = (field, read(domain, "", said))
    return shared, texts


def _environments(usual: tuple[str, ...], columns: Mapping[str, ColumnSchema]) -> tuple[str, ...]:
    """Return every environment that is named: the default ones, then the others as they come."""
    named = [each for column in columns.values() for each in (*column.in_, *column.not_in)]
    return tuple(dict.fromkeys([*usual, *named]))


def _batch(fields: Fields | None) -> Rules:
    if fields is None:
        return {}
    fewest = fields.whole("min_examples_count")
    rules: Rules = {name: read_rows(fields.inner(field)) for name, field in _ROWS.items()}
    return {
        **rules,
        "min_rows": 1 if fewest is None else fewest,
        "max_rows": fields.whole("max_examples_count"),
    }
