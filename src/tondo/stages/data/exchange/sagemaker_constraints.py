"""A schema as SageMaker's constraints.json, anomalies as constraint_violations.json, and back."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tondo.core.columns import BOOL, STRING
from tondo.stages.data.anomalies import Anomalies, Anomaly
from tondo.stages.data.anomaly_kinds import KINDS
from tondo.stages.data.constraints import NUMERIC, ColumnSchema, Comparator, Presence
from tondo.stages.data.exchange.converted import Converted, Fields, not_understood
from tondo.stages.data.exchange.sagemaker_documents import (
    COLUMN_TYPES,
    TYPES,
    UNKNOWN,
    Document,
    read_fields,
)
from tondo.stages.data.exchange.schema_differences import schema_differences
from tondo.stages.data.schema import Schema, check_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Switch = Literal["Enabled", "Disabled"]
VIOLATIONS = {
    "type": "data_type_check",
    "integer_text": "data_type_check",
    "number_text": "data_type_check",
    "fraction_present": "completeness_check",
    "count_present": "completeness_check",
    "not_present": "completeness_check",
    "l_infinity": "baseline_drift_check",
    "jensen_shannon": "baseline_drift_check",
    "normalized_difference": "baseline_drift_check",
    "missing_column": "missing_column_check",
    "new_column": "extra_column_check",
    "domain": "categorical_values_check",
    "boolean": "categorical_values_check",
}
"""Kind of anomaly to the check that it is there; the first kind of a check is read back."""
_TRUTH = ("false", "true")


class _Numbers(msgspec.Struct):
    is_non_negative: bool = False


class _Strings(msgspec.Struct):
    domains: list[str]


class _Feature(msgspec.Struct):
    name: str
    inferred_type: str = UNKNOWN
    completeness: float = 0.0
    num_constraints: _Numbers | None = None
    string_constraints: _Strings | None = None


class _Distribution(msgspec.Struct):
    perform_comparison: Switch = "Enabled"
    comparison_threshold: float = 0.1
    comparison_method: str = "Simple"
    categorical_comparison_threshold: float | None = None
    categorical_drift_method: str = "LInfinity"


class _Monitoring(msgspec.Struct):
    domain_content_threshold: float = 0.1
    distribution_constraints: _Distribution = msgspec.field(default_factory=_Distribution)


class _File(msgspec.Struct):
    features: list[_Feature]
    monitoring_config: _Monitoring = msgspec.field(default_factory=_Monitoring)


class _Violation(msgspec.Struct):
    constraint_check_type: str
    feature_name: str = ""
    description: str = ""


def to_sagemaker_constraints(schema: Schema) -> Converted[Document]:
    """Return the document of constraints.json.

    Thresholds are there for all columns alike: the strictest of ours.
    """
    masses = [each.min_domain_mass for each in schema.columns.values() if _listed(each, schema)]
    document: Document = {
        "version": 0,
        "features": [_written(name, each, schema) for name, each in schema.columns.items()],
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": 0.0,
            "domain_content_threshold": _rest(max(masses, default=1.0)),
            "distribution_constraints": _distribution(schema),
        },
    }
    again, _ = _read(document, name=schema.name)
    return Converted(document, schema_differences(schema, again))


def _rest(share: float) -> float:
    """Return what a share leaves, as people write it: 0.1 of 0.9."""
    return float(1 - Decimal(str(share)))


def _listed(column: ColumnSchema, schema: Schema) -> tuple[str, ...] | None:
    if column.shared_domain is not None:
        return schema.domains[column.shared_domain]
    return column.domain


def _written(name: str, column: ColumnSchema, schema: Schema) -> Document:
    written: Document = {
        "name": name,
        "inferred_type": TYPES.get(column.type, UNKNOWN),
        "completeness": column.presence.min_fraction or 0.0,
    }
    if column.type in NUMERIC:
        least = column.min
        written["num_constraints"] = {"is_non_negative": least is not None and least >= 0}
    values = _TRUTH if column.type == BOOL else _listed(column, schema)
    if column.type in {STRING, BOOL} and values is not None:
        written["string_constraints"] = {"domains": list(values)}
    return written


def _distribution(schema: Schema) -> Document:
    limits: dict[bool, list[float]] = {True: [], False: []}
    for column in schema.columns.values():
        if column.drift is not None and column.drift.l_infinity is not None:
            limits[column.type in NUMERIC].append(column.drift.l_infinity)
    written: Document = {
        "perform_comparison": "Enabled" if any(limits.values()) else "Disabled",
        "comparison_threshold": min(limits[True], default=1.0),
        "comparison_method": "Simple",
        "categorical_comparison_threshold": min(limits[False], default=1.0),
        "categorical_drift_method": "LInfinity",
    }
    return written


def from_sagemaker_constraints(document: Mapping[str, Any], *, name: str) -> Converted[Schema]:
    """Return the schema of a constraints.json; TD-EXCHANGE-003 when it is none.

    `completeness` is the least share present; a comparison is drift against the previous batch.
    """
    schema, left_out = _read(document, name=name)
    return Converted(check_schema(schema), left_out)


def _read(document: Mapping[str, Any], *, name: str) -> tuple[Schema, tuple[str, ...]]:
    file = read_fields(dict(document), _File, key="features")
    said = _strange(document, file.monitoring_config.distribution_constraints)
    columns = {}
    for feature in file.features:
        kind = COLUMN_TYPES.get(feature.inferred_type)
        if kind is None:
            where = f"feature '{feature.name}'"
            said.append(f"{where}: its type {feature.inferred_type} is unknown, so it is left out")
            continue
        columns[feature.name] = _column(feature, kind, file.monitoring_config)
    return Schema(name=name, columns=columns), tuple(said)


def _strange(document: Mapping[str, Any], comparison: _Distribution) -> list[str]:
    """Say what is not understood of the comparison and of single features."""
    said = []
    if comparison.perform_comparison == "Enabled":
        for method, ours in (
            (comparison.comparison_method, "Simple"),
            (comparison.categorical_drift_method, "LInfinity"),
        ):
            if method != ours:
                said.append(f"monitoring_config: the method {method} is read as {ours}")
    monitoring = Fields(document.get("monitoring_config", {}))
    for known in ("evaluate_constraints", "emit_metrics", "domain_content_threshold"):
        monitoring.take(known)
    monitoring.take("distribution_constraints")
    # Column types are exact here: no share of other types passes.
    if not monitoring.take("datatype_check_threshold", 0.0):
        said += not_understood("monitoring_config", monitoring)
    else:
        said.append("monitoring_config: datatype_check_threshold is read as 0")
    for feature in document["features"]:
        if feature.get("monitoringConfigOverrides"):
            said.append(f"feature '{feature['name']}': monitoringConfigOverrides is not understood")
    return said


def _column(feature: _Feature, kind: str, monitoring: _Monitoring) -> ColumnSchema:
    rules: dict[str, Any] = {}
    if feature.num_constraints is not None and feature.num_constraints.is_non_negative:
        rules["min"] = 0
    if feature.string_constraints is not None and kind == STRING:
        rules["domain"] = tuple(feature.string_constraints.domains)
        rules["min_domain_mass"] = _rest(monitoring.domain_content_threshold)
    comparison = monitoring.distribution_constraints
    limit = comparison.comparison_threshold
    if kind == STRING:
        limit = comparison.categorical_comparison_threshold or limit
    # No distance is above 1.
    if comparison.perform_comparison == "Enabled" and limit < 1:
        rules["drift"] = Comparator(l_infinity=limit)
    fraction = feature.completeness or None
    return ColumnSchema(type=kind, presence=Presence(min_fraction=fraction), **rules)


def to_sagemaker_violations(anomalies: Iterable[Anomaly]) -> Converted[Document]:
    """Return the document of constraint_violations.json; kinds without a check are told."""
    found, said = [], []
    for each in anomalies:
        check = VIOLATIONS.get(each.kind)
        if check is None or each.column is None:
            said.append(f"no check there is `{each.kind}`: {each.message}")
            continue
        found.append(
            {
                "feature_name": each.column,
                "constraint_check_type": check,
                "description": each.message,
            }
        )
    return Converted({"violations": found}, tuple(said))


def from_sagemaker_violations(document: Mapping[str, Any]) -> Converted[Anomalies]:
    """Return the anomalies of a constraint_violations.json: kind, column and sentence."""
    kinds = {check: kind for kind, check in reversed(VIOLATIONS.items())}
    found, said = Anomalies(), []
    for each in read_fields(document["violations"], list[_Violation], key="violations"):
        kind = kinds.get(each.constraint_check_type)
        if kind is None:
            check = each.constraint_check_type
            said.append(f"feature '{each.feature_name}': the check {check} is not understood")
            continue
        known = KINDS[kind]
        found.append(
            Anomaly(
                code=known.code,
                kind=kind,
                column=each.feature_name,
                severity="error",
                message=each.description,
                tfdv=next(iter(known.tfdv), None),
            )
        )
    return Converted(found, tuple(said))
