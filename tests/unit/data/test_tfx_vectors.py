"""The vectors of TFDV's own tests, on statistics; where TFDV errs, what its documents intend."""

import pytest

from tondo.core.errors import DefinitionError
from tondo.stages.data.constraints import Comparator, RowsComparator, ValueCount
from tondo.stages.data.distances import (
    Histogram,
    jensen_shannon_histograms,
    l_infinity,
    measure,
    normalized_difference,
)
from tondo.stages.data.inference import infer_column
from tondo.stages.data.schema import ColumnSchema, Presence, Schema
from tondo.stages.data.statistics import ColumnStatistics, Lengths, Statistics
from tondo.stages.data.validation import apply_patches, validate


def texts(counts, *, missing=0):
    top = tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
    rows = sum(counts.values()) + missing
    return ColumnStatistics(type="string", rows=rows, missing=missing, distinct=len(top), top=top)


def numbers(values, *, type_="double", **more):
    top = tuple((each, values.count(each)) for each in sorted(set(values)))
    ends = {"min": min(values), "max": max(values)} if values else {}
    return ColumnStatistics(
        type=type_, rows=len(values), missing=0, distinct=len(top), top=top, **ends, **more
    )


def batch(rows=None, **columns):
    return Statistics(
        rows=max((each.rows for each in columns.values()), default=0) if rows is None else rows,
        columns=columns,
    )


def found(data, schema, **more):
    """Return (column, TFDV name) of every anomaly; the patches accept the batch."""
    anomalies = validate(data, schema, **more)
    assert validate(data, apply_patches(schema, anomalies), **more) == []
    return [(each.column, each.tfdv) for each in anomalies]


def schema(*, min_rows=1, **columns):
    return Schema(name="t", columns=columns, min_rows=min_rows)


AB = ColumnSchema(type="string", domain=("a", "b"))
NEEDED = Presence(min_count=1)


def test_1_values_off_the_domain():
    data = batch(c=texts({"a": 7, "z": 3}))
    (anomaly,) = validate(data, schema(c=AB))
    assert anomaly.tfdv == "ENUM_TYPE_UNEXPECTED_STRING_VALUES"
    assert "'z'" in anomaly.message
    assert "30 %" in anomaly.message
    assert apply_patches(schema(c=AB), [anomaly]).columns["c"].domain == ("a", "b", "z")
    (rare,) = validate(batch(c=texts({"a": 999, "z": 1})), schema(c=AB))
    assert "<1 %" in rare.message


def test_2_a_domain_mass_met_exactly_passes_where_tfdv_fires():
    column = ColumnSchema(type="string", domain=("a",), min_domain_mass=0.9)
    assert found(batch(c=texts({"a": 9, "z": 1})), schema(c=column)) == []
    assert len(found(batch(c=texts({"a": 8, "z": 2})), schema(c=column))) == 1


def test_3_a_missing_and_a_new_column():
    expected = schema(c=ColumnSchema(type="double", presence=NEEDED))
    assert found(batch(d=numbers([1.0])), expected) == [
        ("c", "SCHEMA_MISSING_COLUMN"),
        ("d", "SCHEMA_NEW_COLUMN"),
    ]


def test_4_a_low_fraction_alone_and_beside_a_strange_value():
    full = schema(c=ColumnSchema(type="string", domain=("a",), presence=Presence(min_fraction=1.0)))
    low, strange = "FEATURE_TYPE_LOW_FRACTION_PRESENT", "ENUM_TYPE_UNEXPECTED_STRING_VALUES"
    assert found(batch(c=texts({"a": 9}, missing=1)), full) == [("c", low)]
    both = found(batch(c=texts({"a": 8, "z": 1}, missing=1)), full)
    assert both == [("c", low), ("c", strange)]


def test_5_another_type_is_reported_alone_but_number_constraints_still_fire():
    assert found(batch(c=numbers([5.0] * 10)), schema(c=AB)) == [("c", "UNEXPECTED_DATA_TYPE")]
    number = schema(c=ColumnSchema(type="string", integer_text=True, max=3))
    assert found(batch(c=numbers([5], type_="id")), number) == [
        ("c", "UNEXPECTED_DATA_TYPE"),
        ("c", "INT_TYPE_BIG_INT"),
    ]


def test_6_both_ends_of_a_range_and_a_boolean_of_two():
    ranged = schema(c=ColumnSchema(type="id", min=0, max=5))
    assert found(batch(c=numbers([-1, 7], type_="id")), ranged) == [
        ("c", "INT_TYPE_SMALL_INT"),
        ("c", "INT_TYPE_BIG_INT"),
    ]
    boolean = schema(c=ColumnSchema(type="id", boolean=True))
    assert found(batch(c=numbers([0, 2], type_="id")), boolean) == [("c", "BOOL_TYPE_BIG_INT")]


def test_7_a_label_that_serving_does_not_have():
    label = ColumnSchema(type="double", presence=NEEDED, not_in=("SERVING",))
    both = schema(label=label, x=ColumnSchema(type="double"))
    data = batch(x=numbers([1.0]))
    missing = [("label", "SCHEMA_MISSING_COLUMN")]
    assert found(data, both, environment="TRAINING") == missing
    assert found(data, both, environment="SERVING") == []


NOW, BEFORE = {"a": 1, "b": 2, "c": 7}, {"a": 3, "b": 1, "c": 6}


@pytest.mark.parametrize(("threshold", "fires"), [(0.1, True), (0.2, False), (0.25, False)])
def test_8_drift_by_l_infinity(threshold, fires):
    column = ColumnSchema(type="string", drift=Comparator(l_infinity=threshold))
    now, before = batch(c=texts(NOW)), batch(c=texts(BEFORE))
    reported = [("c", "COMPARATOR_L_INFTY_HIGH")] if fires else []
    assert found(now, schema(c=column), previous=before) == reported
    suggested = apply_patches(
        schema(c=column), validate(now, schema(c=column), previous=before)
    ).columns["c"]
    assert suggested.drift == Comparator(l_infinity=0.2 if fires else threshold)
    (measured,) = [
        each for each in measure(before, now, schema(c=column)) if each.measure == "l_infinity"
    ]
    assert (measured.value, measured.threshold, measured.label) == (0.2, threshold, "a")


def test_8_without_control_silence_and_a_control_without_the_column_is_told():
    column = schema(c=ColumnSchema(type="string", drift=Comparator(l_infinity=0.1)))
    now = batch(c=texts(NOW))
    assert found(now, column) == []
    lacking = batch(d=texts(BEFORE))
    assert found(now, column, previous=lacking) == [("c", "COMPARATOR_CONTROL_DATA_MISSING")]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (((1, 2, 2), (2, 3, 2)), ((2, 4, 2), (4, 6, 2)), 0.655639),
        (((1, 2, 2), (2, 3, 2)), ((1, 2, 2), (2, 3, 2)), 0),
        (((1, 2, 2),), ((2, 3, 2),), 1),
        (((1.0, 1.0, 4),), ((2.33, 2.33, 4),), 1),
    ],
)
def test_9_jensen_shannon_of_numbers(a, b, expected):
    value = jensen_shannon_histograms(Histogram(buckets=a), Histogram(buckets=b))
    assert value == pytest.approx(expected, abs=5e-7)
    assert expected not in {0, 1} or value == expected


def test_10_l_infinity_and_normalized_difference_of_labels():
    assert l_infinity({"hello": 1, "world": 9}, {"hello": 3, "world": 7})[0] == 0.2
    assert l_infinity({"b": 9, "c": 1}, {"a": 3, "b": 7}) == (0.3, "a")
    assert l_infinity({}, {}) == (0.0, None)
    assert normalized_difference({"a": 1, "b": 5}, {"a": 10, "b": 50})[0] == 45 / 66


def test_11_too_few_rows_alone_and_beside_the_previous_batch():
    data = batch(c=numbers([1.0, 2.0]))
    column = ColumnSchema(type="double")
    assert found(data, schema(min_rows=3, c=column)) == [(None, "DATASET_LOW_NUM_EXAMPLES")]
    compared = Schema(
        name="t",
        columns={"c": column},
        rows_against_previous=RowsComparator(min_fraction=0.9, max_fraction=1.1),
    )
    four = batch(c=numbers([1.0] * 4))
    assert found(data, compared, previous=four) == [(None, "COMPARATOR_LOW_NUM_EXAMPLES")]


def test_12_no_rows_and_deprecated_columns_and_a_wrong_schema():
    needed = ColumnSchema(type="string", presence=Presence(min_count=1, min_fraction=1.0))
    (empty,) = validate(batch(), schema(c=needed))
    assert (empty.kind, empty.column) == ("no_rows", None)
    old = ColumnSchema(type="double", presence=NEEDED, stage="deprecated")
    assert found(batch(d=numbers([1.0])), schema(c=old, d=ColumnSchema(type="double"))) == []
    wrong = ColumnSchema(type="double", presence=Presence(min_fraction=1.5))
    with pytest.raises(DefinitionError, match=r"TD-SCHEMA-003.*min_fraction 1.5"):
        validate(batch(c=numbers([1.0])), schema(c=wrong))


def test_13_nan_is_reported_where_it_is_not_allowed():
    data = batch(c=ColumnStatistics(type="double", rows=10, missing=0, nan=5))
    strict = schema(c=ColumnSchema(type="double", allow_nan=False))
    assert found(data, strict) == [("c", "FLOAT_TYPE_HAS_NAN")]
    assert found(data, schema(c=ColumnSchema(type="double"))) == []


def test_14_words_and_zero_to_one_are_boolean():
    assert infer_column(texts({"true": 3, "false": 2})).boolean
    assert infer_column(numbers([0, 1, 1], type_="id")).boolean
    mixed = infer_column(texts({"true": 3, "1": 2}))
    assert (mixed.boolean, mixed.domain) == (False, ("1", "true"))


def test_14_whole_numbers_as_text_and_plain_integers_have_no_domain():
    whole = infer_column(texts({"12": 1, "7": 1}))
    assert (whole.integer_text, whole.domain, whole.min, whole.max) == (True, None, None, None)
    plain = infer_column(numbers([0, 5], type_="id"))
    assert (plain.boolean, plain.min, plain.max) == (False, None, None)


def test_14_presence_and_valency():
    gappy = infer_column(texts({"a": 95}, missing=5))
    assert gappy.presence == Presence(min_count=1)
    lists = ColumnStatistics(
        type="list<id>", rows=9, missing=0, length=Lengths(min=1, max=3, mean=2.0)
    )
    assert infer_column(lists).value_count == ValueCount(min=1)
