"""The vectors of the reference (TFDV's tests, as facts), and our own cases."""

import pyarrow as pa
import pytest

from tondo.core.errors import DataError, DefinitionError
from tondo.stages.data.schema import ColumnSchema, Presence, Schema
from tondo.stages.data.statistics import ColumnStatistics, Statistics, statistics
from tondo.stages.data.validation import apply_patches, check_batch, validate


def texts(counts, *, missing=0):
    top = tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
    rows = sum(counts.values()) + missing
    return ColumnStatistics(type="string", rows=rows, missing=missing, distinct=len(top), top=top)


def numbers(rows, *, missing=0, **measures):
    return ColumnStatistics(type="double", rows=rows, missing=missing, **measures)


def batch(**columns):
    rows = max((column.rows for column in columns.values()), default=0)
    return Statistics(rows=rows, columns=columns)


def schema(*, min_rows=1, **columns):
    return Schema(name="t", columns=columns, min_rows=min_rows)


def found(statistics_, schema_, **more):
    """Return (column, kind) of every anomaly, having checked that the patches accept the batch."""
    anomalies = validate(statistics_, schema_, **more)
    patched = apply_patches(schema_, anomalies)
    assert validate(statistics_, patched, **more) == []
    return [(each.column, each.kind) for each in anomalies]


AB = ColumnSchema(type="string", domain=("a", "b"))


def test_1_values_off_the_domain_are_named_with_their_share():
    data = batch(c=texts({"a": 7, "z": 3}))
    (anomaly,) = validate(data, schema(c=AB))
    assert anomaly.code == "TD-SCHEMA-013"
    assert anomaly.message.startswith("c: 3 of 10 values (30 %)")
    assert anomaly.examples == ("z",)
    assert apply_patches(schema(c=AB), [anomaly]).columns["c"].domain == ("a", "b", "z")


def test_1_a_share_below_one_percent_says_so():
    (anomaly,) = validate(batch(c=texts({"a": 999, "z": 1})), schema(c=AB))
    assert "<1 %" in anomaly.message


def test_2_a_domain_mass_met_exactly_passes():
    column = ColumnSchema(type="string", domain=("a",), min_domain_mass=0.9)
    assert found(batch(c=texts({"a": 9, "z": 1})), schema(c=column)) == []
    assert found(batch(c=texts({"a": 8, "z": 2})), schema(c=column)) == [("c", "domain")]


def test_3_a_missing_and_a_new_column():
    needed = ColumnSchema(type="double", presence=Presence(min_count=1))
    data = batch(d=numbers(3))
    assert found(data, schema(c=needed)) == [("c", "missing_column"), ("d", "new_column")]


def test_3_a_missing_column_suggests_the_near_one():
    needed = ColumnSchema(type="double", presence=Presence(min_count=1))
    anomalies = validate(batch(wind_sped=numbers(3)), schema(wind_speed=needed))
    assert anomalies[0].message.startswith("wind_speed: the column is missing")
    assert "'wind_sped'" in anomalies[0].message


def test_4_too_few_values_and_a_strange_value_are_both_reported():
    full = ColumnSchema(type="string", domain=("a",), presence=Presence(min_fraction=1.0))
    assert found(batch(c=texts({"a": 9}, missing=1)), schema(c=full)) == [("c", "fraction_present")]
    both = found(batch(c=texts({"a": 8, "z": 1}, missing=1)), schema(c=full))
    assert both == [("c", "fraction_present"), ("c", "domain")]


def test_5_another_type_is_reported_alone():
    data = batch(c=numbers(10, distinct=1, top=((5.0, 10),), min=5.0, max=5.0))
    assert found(data, schema(c=AB)) == [("c", "type")]


def test_6_numbers_beyond_both_ends_of_a_range():
    ranged = ColumnSchema(type="double", min=0, max=5)
    data = batch(c=numbers(2, min=-1.0, max=7.0))
    assert found(data, schema(c=ranged)) == [("c", "min_value"), ("c", "max_value")]
    assert found(batch(c=numbers(2, min=0.0, max=5.0)), schema(c=ranged)) == []


def test_7_a_label_is_missing_in_training_and_not_expected_in_serving():
    label = ColumnSchema(type="double", presence=Presence(min_count=1), not_in=("SERVING",))
    other = ColumnSchema(type="double")
    data = batch(x=numbers(3))
    both = schema(label=label, x=other)
    assert found(data, both, environment="TRAINING") == [("label", "missing_column")]
    assert found(data, both, environment="SERVING") == []
    assert found(batch(label=numbers(3), x=numbers(3)), both, environment="SERVING") == [
        ("label", "new_column")
    ]


def test_11_too_few_rows_belong_to_no_column():
    column = ColumnSchema(type="double")
    assert found(batch(c=numbers(2)), schema(min_rows=3, c=column)) == [(None, "few_rows")]
    assert found(batch(c=numbers(3)), schema(min_rows=3, c=column)) == []


def test_12_no_rows_is_the_only_anomaly():
    needed = ColumnSchema(type="string", presence=Presence(min_count=1, min_fraction=1.0))
    assert found(batch(), schema(c=needed)) == [(None, "no_rows")]
    assert found(batch(), schema(min_rows=3, c=needed)) == [(None, "no_rows")]


def test_12_a_deprecated_column_may_be_absent():
    old = ColumnSchema(type="double", presence=Presence(min_count=1), stage="deprecated")
    assert found(batch(d=numbers(1)), schema(c=old, d=ColumnSchema(type="double"))) == []


def test_12_a_fraction_above_one_is_a_fault_of_the_schema():
    wrong = ColumnSchema(type="double", presence=Presence(min_fraction=1.5))
    with pytest.raises(DefinitionError, match=r"TD-SCHEMA-003"):
        validate(batch(c=numbers(1)), schema(c=wrong))


@pytest.mark.parametrize("part", range(1, 30))
def test_a_fraction_met_exactly_passes(part):
    column = ColumnSchema(type="double", presence=Presence(min_fraction=part / 30))
    assert found(batch(c=numbers(30, missing=30 - part)), schema(c=column)) == []
    assert found(batch(c=numbers(30, missing=31 - part)), schema(c=column)) != []


def test_nan_counts_as_missing():
    column = ColumnSchema(type="double", presence=Presence(min_fraction=1.0))
    (anomaly,) = validate(batch(c=numbers(10, nan=4)), schema(c=column))
    assert "4 of 10 values (40 %) are missing (4 of them NaN)" in anomaly.message


def test_infinite_values_are_reported_until_allowed():
    data = batch(c=numbers(10, infinite=2))
    assert found(data, schema(c=ColumnSchema(type="double"))) == [("c", "infinite")]
    assert found(data, schema(c=ColumnSchema(type="double", allow_infinite=True))) == []


def test_a_boolean_that_is_two_is_reported():
    column = ColumnSchema(type="double", boolean=True)
    data = batch(c=numbers(3, min=0.0, max=2.0, distinct=2, top=((0.0, 2), (2.0, 1))))
    assert found(data, schema(c=column)) == [("c", "boolean")]
    words = ColumnSchema(type="string", boolean=True)
    assert found(batch(c=texts({"true": 1, "maybe": 1})), schema(c=words)) == [("c", "boolean")]


def test_values_off_a_domain_are_bounded_when_not_all_are_listed(engine):
    many = pa.table({"c": [f"v{number}" for number in range(1200)] + ["a"] * 5})
    data = statistics(many, engine=engine)
    (anomaly,) = validate(data, schema(c=AB))
    assert "at least 1,199 of 1,205 values" in anomaly.message
    assert apply_patches(schema(c=AB), [anomaly]).columns["c"].domain is None


def test_severities_are_the_owners_to_set():
    needed = ColumnSchema(type="double")
    loose = Schema(name="t", columns={"c": needed}, severities={"few_rows": "warning"}, min_rows=5)
    strict = Schema(name="t", columns={}, severities={"new_column": "error"})
    quiet = Schema(name="t", columns={}, severities={"new_column": "off"})
    data = batch(c=numbers(2))
    assert [each.severity for each in validate(data, loose)] == ["warning"]
    assert [each.severity for each in validate(data, strict)] == ["error"]
    assert validate(data, quiet) == []


def test_a_bad_batch_is_blocked_and_the_first_line_names_the_column():
    data = batch(origin=texts({"a": 7, "z": 3}), delay=numbers(10, missing=10))
    full = ColumnSchema(type="double", presence=Presence(min_fraction=1.0))
    with pytest.raises(DataError, match=r"TD-SCHEMA-001") as caught:
        check_batch(data, schema(origin=AB, delay=full))
    first, second = caught.value.what.splitlines()
    assert first.startswith("origin: 3 of 10")
    assert second.strip().startswith("delay: 10 of 10")
    assert [each["column"] for each in caught.value.fields["anomalies"]] == ["origin", "delay"]


def test_warnings_do_not_block():
    warnings = check_batch(batch(c=numbers(2)), schema())
    assert [each.kind for each in warnings] == ["new_column"]


def test_a_patch_touches_nothing_else():
    before = schema(c=AB, d=ColumnSchema(type="double", max=5))
    anomalies = validate(batch(c=texts({"z": 1}), d=numbers(1, max=1.0)), before)
    after = apply_patches(before, anomalies)
    assert after.columns["d"] == before.columns["d"]
    assert after.columns["c"].presence == before.columns["c"].presence


def test_anomalies_show_themselves():
    anomalies = validate(batch(c=texts({"<z>": 1})), schema(c=AB))
    assert "[TD-SCHEMA-013]" in repr(anomalies)
    assert "&lt;z&gt;" in anomalies._repr_html_()
    assert repr(validate(batch(c=texts({"a": 1})), schema(c=AB))) == "no anomalies"
