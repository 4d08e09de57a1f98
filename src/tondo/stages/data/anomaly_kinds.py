"""The kinds of anomalies: their stable codes, usual severities, and the names TFDV has for them."""

from __future__ import annotations

from typing import Literal, NamedTuple

UsualSeverity = Literal["error", "warning"]


class Kind(NamedTuple):
    """One kind of anomaly."""

    code: str
    tfdv: tuple[str, ...]
    """Names in anomalies.proto of tensorflow-metadata that this kind stands for."""
    severity: UsualSeverity = "error"


KINDS: dict[str, Kind] = {
    "type": Kind("TD-SCHEMA-010", ("UNEXPECTED_DATA_TYPE",)),
    "fraction_present": Kind("TD-SCHEMA-011", ("FEATURE_TYPE_LOW_FRACTION_PRESENT",)),
    "count_present": Kind("TD-SCHEMA-012", ("FEATURE_TYPE_LOW_NUMBER_PRESENT",)),
    "domain": Kind("TD-SCHEMA-013", ("ENUM_TYPE_UNEXPECTED_STRING_VALUES",)),
    "new_column": Kind("TD-SCHEMA-014", ("SCHEMA_NEW_COLUMN",), "warning"),
    "missing_column": Kind("TD-SCHEMA-015", ("SCHEMA_MISSING_COLUMN",)),
    "min_value": Kind("TD-SCHEMA-016", ("FLOAT_TYPE_SMALL_FLOAT", "INT_TYPE_SMALL_INT")),
    "max_value": Kind("TD-SCHEMA-017", ("FLOAT_TYPE_BIG_FLOAT", "INT_TYPE_BIG_INT")),
    "boolean": Kind(
        "TD-SCHEMA-018",
        (
            "BOOL_TYPE_UNEXPECTED_FLOAT",
            "BOOL_TYPE_UNEXPECTED_STRING",
            "BOOL_TYPE_BIG_INT",
            "BOOL_TYPE_SMALL_INT",
        ),
    ),
    "infinite": Kind("TD-SCHEMA-019", ("FLOAT_TYPE_HAS_INF",)),
    "no_rows": Kind("TD-SCHEMA-020", ()),
    "few_rows": Kind("TD-SCHEMA-021", ("DATASET_LOW_NUM_EXAMPLES",)),
    "many_rows": Kind("TD-SCHEMA-022", ("DATASET_HIGH_NUM_EXAMPLES",)),
    "not_present": Kind("TD-SCHEMA-023", ("FEATURE_TYPE_NOT_PRESENT",)),
    "few_items": Kind("TD-SCHEMA-024", ("FEATURE_TYPE_LOW_NUMBER_VALUES",)),
    "many_items": Kind("TD-SCHEMA-025", ("FEATURE_TYPE_HIGH_NUMBER_VALUES",)),
    "few_distinct": Kind("TD-SCHEMA-026", ("FEATURE_TYPE_LOW_UNIQUE",)),
    "many_distinct": Kind("TD-SCHEMA-027", ("FEATURE_TYPE_HIGH_UNIQUE",)),
    "distinct_unknown": Kind("TD-SCHEMA-028", ("FEATURE_TYPE_NO_UNIQUE",)),
    "nan": Kind("TD-SCHEMA-029", ("FLOAT_TYPE_HAS_NAN",)),
    "integer_text": Kind("TD-SCHEMA-030", ("INT_TYPE_NOT_INT_STRING",)),
    "number_text": Kind("TD-SCHEMA-031", ("FLOAT_TYPE_STRING_NOT_FLOAT",)),
    "l_infinity": Kind("TD-SCHEMA-032", ("COMPARATOR_L_INFTY_HIGH",)),
    "jensen_shannon": Kind("TD-SCHEMA-033", ("COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH",)),
    "normalized_difference": Kind(
        "TD-SCHEMA-034", ("COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH",)
    ),
    "control_missing": Kind("TD-SCHEMA-035", ("COMPARATOR_CONTROL_DATA_MISSING",)),
    "fewer_rows_than": Kind("TD-SCHEMA-036", ("COMPARATOR_LOW_NUM_EXAMPLES",)),
    "more_rows_than": Kind("TD-SCHEMA-037", ("COMPARATOR_HIGH_NUM_EXAMPLES",)),
    "statistics_missing": Kind("TD-SCHEMA-038", ("STATS_NOT_AVAILABLE",), "warning"),
    "reference_moved": Kind("TD-SCHEMA-060", ()),
    "reference_nulls": Kind("TD-SCHEMA-061", ()),
    "reference_far": Kind("TD-SCHEMA-062", ()),
    "reference_flood": Kind("TD-SCHEMA-063", ()),
    "reference_distinct": Kind("TD-SCHEMA-064", ()),
    "reference_order": Kind("TD-SCHEMA-065", ()),
    "reference_drift": Kind("TD-SCHEMA-066", (), "warning"),
    "reference_relation": Kind("TD-SCHEMA-067", ()),
}
"""Kind to what it is; where it has several TFDV names, an anomaly carries the one that fits."""
