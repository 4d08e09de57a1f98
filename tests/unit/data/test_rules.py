"""Each rule by itself: what it reports, that equal passes, and that its patch accepts the batch."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

from tondo.stages.data.anomaly_kinds import KINDS
from tondo.stages.data.constraints import Comparator, RowsComparator, Unique, ValueCount
from tondo.stages.data.schema import ColumnSchema, Presence, Schema
from tondo.stages.data.statistics import ColumnStatistics, Lengths, Statistics, statistics
from tondo.stages.data.validation import apply_patches, check_batch, validate

ROOT = Path(__file__).parents[3]


def texts(counts, **more):
    top = tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
    rows = more.pop("rows", sum(counts.values()))
    return ColumnStatistics(type="string", rows=rows, missing=0, top=top, **more)


def lists(low, high):
    length = Lengths(min=low, max=high, mean=None)
    items = ColumnStatistics(type="id", rows=high, missing=0)
    return ColumnStatistics(type="list<id>", rows=5, missing=0, length=length, items=items)


def found(columns, schema, **more):
    """Return the anomalies of a batch, having applied their patches."""
    data = columns if isinstance(columns, Statistics) else batch(**columns)
    wanted = schema if isinstance(schema, Schema) else Schema(name="t", columns=schema)
    anomalies = validate(data, wanted, **more)
    assert validate(data, apply_patches(wanted, anomalies), **more) == []
    return anomalies


def kinds(columns, schema, **more):
    return [(each.column, each.kind) for each in found(columns, schema, **more)]


def batch(**columns):
    return Statistics(
        rows=max((each.rows for each in columns.values()), default=0), columns=columns
    )


def rows(count):
    return Statistics(
        rows=count, columns={"c": ColumnStatistics(type="double", rows=count, missing=0)}
    )


def test_a_column_without_any_value_is_one_anomaly_that_keeps_its_other_rules():
    column = ColumnSchema(type="double", presence=Presence(min_count=2, min_fraction=0.5), max=3)
    empty = ColumnStatistics(type="double", rows=4, missing=3, nan=1)
    (anomaly,) = found({"c": empty}, {"c": column})
    assert (anomaly.kind, anomaly.tfdv) == ("not_present", "FEATURE_TYPE_NOT_PRESENT")
    assert {each.path[-1] for each in anomaly.patch} == {"min_count", "min_fraction"}


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (ValueCount(min=1, max=3), []),
        (ValueCount(min=2), ["few_items"]),
        (ValueCount(max=2), ["many_items"]),
        (ValueCount(min=2, max=2), ["few_items", "many_items"]),
    ],
)
def test_lists_have_the_number_of_items_asked_for(count, expected):
    column = ColumnSchema(type="list<id>", value_count=count)
    assert [kind for _, kind in kinds({"c": lists(1, 3)}, {"c": column})] == expected


def test_an_empty_list_has_no_items_and_the_patch_asks_for_none():
    column = ColumnSchema(type="list<id>", value_count=ValueCount(min=1))
    (anomaly,) = found({"c": lists(0, 3)}, {"c": column})
    assert str(anomaly.patch[0]) == "columns.c.value_count.min = null"


def test_what_is_said_of_values_holds_for_the_items_of_lists(engine):
    table = pa.table({"n": [[1, 9], []], "s": [["a"], ["z", "a"]]})
    schema = {
        "n": ColumnSchema(type="list<id>", max=5),
        "s": ColumnSchema(type="list<string>", domain=("a",), unique=Unique(max=1)),
    }
    reported = kinds(statistics(table, engine=engine), schema)
    assert reported == [("n", "max_value"), ("s", "domain"), ("s", "many_distinct")]


def test_old_statistics_of_lists_say_that_items_cannot_be_checked():
    old = ColumnStatistics(type="list<id>", rows=2, missing=0)
    column = ColumnSchema(type="list<id>", max=5, value_count=ValueCount(min=1))
    assert kinds({"c": old}, {"c": column}) == [("c", "statistics_missing")] * 2


@pytest.mark.parametrize(
    ("unique", "expected"),
    [
        (Unique(min=2, max=2), []),
        (Unique(min=3), ["few_distinct"]),
        (Unique(max=1), ["many_distinct"]),
    ],
)
def test_a_column_has_the_number_of_distinct_values_asked_for(unique, expected):
    column = ColumnSchema(type="string", unique=unique)
    data = {"c": texts({"a": 1, "b": 2}, distinct=2)}
    assert [kind for _, kind in kinds(data, {"c": column})] == expected


def test_distinct_values_that_were_not_counted_are_told():
    column = ColumnSchema(type="string", unique=Unique(max=9))
    assert kinds({"c": texts({"a": 1})}, {"c": column}) == [("c", "distinct_unknown")]


SHARED = {"places": ("a", "b")}


def test_a_domain_of_one_column_grows_where_it_stands():
    schema = Schema(
        name="t",
        columns={"c": ColumnSchema(type="string", shared_domain="places")},
        domains=SHARED,
    )
    (anomaly,) = found({"c": texts({"a": 1, "z": 2})}, schema)
    assert str(anomaly.patch[0]) == 'domains.places = ["a","b","z"]'


def test_a_domain_that_others_share_is_left_as_it_is():
    column = ColumnSchema(type="string", shared_domain="places")
    schema = Schema(name="t", columns={"c": column, "d": column}, domains=SHARED)
    data = batch(c=texts({"z": 1}), d=texts({"y": 1}))
    patched = apply_patches(schema, validate(data, schema)[:1])
    assert patched.domains == SHARED
    assert patched.columns["d"] == column
    assert patched.columns["c"].domain == ("a", "b", "z")
    assert len(found(data, schema)) == 2


def test_a_long_domain_may_grow_by_a_value():
    domain = tuple(f"v{number:03}" for number in range(500))
    column = ColumnSchema(type="string", domain=domain)
    (anomaly,) = found({"c": texts({"z": 1})}, {"c": column})
    assert len(anomaly.patch[0].value) == 501


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("yes", {"boolean": True, "true_value": "yes", "false_value": "no"}, []),
        ("1", {"boolean": True, "true_value": "yes"}, ["boolean"]),
        ("12", {"integer_text": True}, []),
        ("12", {"integer_text": True, "min": 12, "max": 12}, []),
        ("1.5", {"integer_text": True, "max": 1}, ["integer_text"]),
        ("9223372036854775808", {"integer_text": True}, ["integer_text"]),
        ("1.5", {"number_text": True, "max": 1.5}, []),
        ("1.5", {"number_text": True, "max": 1}, ["max_value"]),
        ("nan", {"number_text": True}, ["number_text"]),
        (
            "1.5",
            {"integer_text": True, "number_text": True, "max": 1},
            ["integer_text", "max_value"],
        ),
    ],
)
def test_texts_read_as_what_they_stand_for(text, column, expected):
    wanted = ColumnSchema(type="string", **column)
    assert [kind for _, kind in kinds({"c": texts({text: 3})}, {"c": wanted})] == expected


def test_numbers_as_text_are_judged_by_every_value(engine):
    many = [str(number) for number in range(1500)]
    column = {"c": ColumnSchema(type="string", integer_text=True)}
    whole = statistics(pa.table({"c": many}), engine=engine)
    broken = statistics(pa.table({"c": [*many, "zz"]}), engine=engine)
    assert kinds(whole, column) == []
    assert kinds(broken, column) == [("c", "integer_text")]


def test_a_range_of_rare_texts_cannot_be_checked():
    column = ColumnSchema(type="string", integer_text=True, max=5)
    data = {"c": texts({"1": 2}, rows=9, integer_text=True)}
    (anomaly,) = found(data, {"c": column})
    assert (anomaly.kind, anomaly.severity) == ("statistics_missing", "warning")


def test_nan_is_missing_and_reported_where_it_is_not_allowed():
    data = {"c": ColumnStatistics(type="double", rows=4, missing=1, nan=1)}
    column = ColumnSchema(type="double", presence=Presence(min_fraction=0.75), allow_nan=False)
    assert kinds(data, {"c": column}) == [("c", "fraction_present"), ("c", "nan")]


def test_whole_numbers_are_compared_as_whole_numbers():
    most = 2**60
    data = {"c": ColumnStatistics(type="id", rows=1, missing=0, min=most + 1, max=most + 1)}
    assert kinds(data, {"c": ColumnSchema(type="id", max=most)}) == [("c", "max_value")]
    assert kinds(data, {"c": ColumnSchema(type="id", max=most + 1)}) == []


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (9, 10, []),
        (11, 10, []),
        (89, 100, ["fewer_rows_than"]),
        (111, 100, ["more_rows_than"]),
        (1, 0, ["more_rows_than"]),
    ],
)
@pytest.mark.parametrize("against", ["previous", "version"])
def test_rows_are_compared_with_another_batch(now, before, expected, against):
    comparator = RowsComparator(min_fraction=0.9, max_fraction=1.1)
    schema = Schema(
        name="t",
        columns={"c": ColumnSchema(type="double")},
        **{f"rows_against_{against}": comparator},
    )
    other = {"previous": "previous", "version": "previous_version"}[against]
    assert [kind for _, kind in kinds(rows(now), schema, **{other: rows(before)})] == expected
    assert kinds(rows(now), schema) == []


@pytest.mark.parametrize("against", ["drift", "skew"])
@pytest.mark.parametrize("measure", ["l_infinity", "jensen_shannon", "normalized_difference"])
def test_a_column_is_compared_by_each_measure(measure, against):
    column = ColumnSchema(type="string", **{against: Comparator(**{measure: 0.01})})
    other = {"drift": "previous", "skew": "serving"}[against]
    far = {other: batch(c=texts({"a": 9}))}
    (anomaly,) = found({"c": texts({"b": 9})}, {"c": column}, **far)
    assert (anomaly.kind, anomaly.numbers["threshold"]) == (measure, 0.01)
    assert kinds({"c": texts({"a": 9})}, {"c": column}, **far) == []


def test_numbers_that_move_are_found_by_l_infinity():
    low, high = (
        ColumnStatistics(type="double", rows=9, missing=0, histogram=((at, at + 1.0, 9),))
        for at in (0.0, 7.0)
    )
    column = ColumnSchema(type="double", drift=Comparator(l_infinity=0.5))
    assert kinds({"c": high}, {"c": column}, previous=batch(c=low)) == [("c", "l_infinity")]


def test_a_control_without_values_and_a_control_of_another_type_are_told():
    column = ColumnSchema(type="string", drift=Comparator(l_infinity=0.5))
    data = {"c": texts({"a": 2})}
    empty = batch(c=ColumnStatistics(type="string", rows=5, missing=5))
    number = batch(c=ColumnStatistics(type="double", rows=5, missing=0))
    assert kinds(data, {"c": column}, previous=empty) == [("c", "control_missing")]
    assert kinds(data, {"c": column}, previous=number) == [("c", "statistics_missing")]


def test_a_column_that_no_default_environment_has_is_let_in_by_name():
    schema = Schema(
        name="t",
        columns={"c": ColumnSchema(type="string", not_in=("SERVING",))},
        default_environments=("TRAINING",),
    )
    (anomaly,) = found({"c": texts({"a": 1})}, schema, environment="SERVING")
    assert [each.path[-1] for each in anomaly.patch] == ["not_in", "in"]


def test_a_new_column_is_let_into_the_environment_it_came_in():
    schema = Schema(name="t", columns={}, default_environments=("TRAINING",))
    (anomaly,) = found({"c": texts({"a": 1})}, schema, environment="SERVING")
    assert anomaly.patch[0].value["in"] == ("SERVING",)


def test_a_batch_is_blocked_by_drift():
    column = ColumnSchema(type="string", drift=Comparator(l_infinity=0.5))
    schema = Schema(name="t", columns={"c": column})
    with pytest.raises(Exception, match=r"TD-SCHEMA-001: c: the greatest difference of shares"):
        check_batch(batch(c=texts({"a": 1})), schema, previous=batch(c=texts({"b": 1})))


def test_every_kind_is_on_the_page_and_every_name_of_tfdv_once():
    page = (ROOT / "docs" / "reference" / "anomalies.md").read_text()
    for name, kind in KINDS.items():
        assert f"`{name}`" in page, name
        assert kind.code in page, name
        assert [each for each in kind.tfdv if each not in page] == []
    named = re.findall(r"^\| ([A-Z][A-Z_0-9, ]+) \|", page, re.MULTILINE)
    single = [each for row in named for each in row.split(", ")]
    assert len(single) == len(set(single)) == 62
