"""Statistics by weight in messages of tensorflow-metadata: TFDV's own are read, ours come back."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from tondo.adapters.messages.tensorflow_metadata.messages import TensorflowMetadata
from tondo.stages.data.constraints import ColumnSchema, Presence
from tondo.stages.data.exchange.statistics_differences import statistics_differences
from tondo.stages.data.exchange.tensorflow_feature_statistics import read_statistics
from tondo.stages.data.exchange.tensorflow_statistics import to_tensorflow_statistics
from tondo.stages.data.schema import Schema
from tondo.stages.data.statistics import Weighted, statistics
from tondo.stages.data.validation import validate

KEPT = json.loads(Path(__file__).with_name("tfdv_weighted.json").read_text(encoding="utf-8"))
ARROW = {"INT": pa.float64(), "FLOAT": pa.float64(), "BYTES": pa.string()}
messages = TensorflowMetadata()


def array(column):
    type_ = ARROW[column["type"]]
    values = column["values"]
    if column["type"] != "BYTES":
        values = [None if each is None else float(each) for each in values]
    return pa.array(values, pa.list_(type_) if column["list"] else type_)


@pytest.fixture(scope="module")
def table():
    columns = {name: array(each) for name, each in KEPT["table"].items()}
    return pa.table(columns | {"b": columns["b"].cast(pa.bool_())})


@pytest.fixture(scope="module")
def ours(engine, table):
    return statistics(table, engine=engine, weight=KEPT["weight"])


@pytest.fixture(scope="module")
def theirs():
    return read_statistics(KEPT["message"]).value


@pytest.mark.parametrize("name", KEPT["table"])
def test_what_tfdv_weighed_has_the_weights_of_our_own_count(ours, theirs, name):
    mine, other = ours.columns[name].weighted, theirs.columns[name].weighted
    assert other.rows == pytest.approx(mine.rows)
    # A row with NaN is there in TFDV's message, and its weight is found again.
    assert other.missing == pytest.approx(mine.missing)


@pytest.mark.parametrize("name", ["x", "n", "w"])
def test_the_moments_that_tfdv_weighed_are_ours(ours, theirs, name):
    mine, other = ours.columns[name].weighted, theirs.columns[name].weighted
    assert (other.mean, other.sd) == pytest.approx((mine.mean, mine.sd))


def test_the_values_that_tfdv_weighed_are_ours(ours, theirs):
    mine, other = ours.columns["s"].weighted, theirs.columns["s"].weighted
    assert dict(other.top) == pytest.approx(dict(mine.top))


def test_the_moments_of_weighed_truth_values_are_tfdvs(ours):
    numbers = _features(to_tensorflow_statistics(ours).value)["b"]["num_stats"]
    wanted = _features(KEPT["message"])["b"]["num_stats"]["weighted_numeric_stats"]
    written = numbers["weighted_numeric_stats"]
    for each in ("mean", "std_dev"):
        assert written[each] == pytest.approx(wanted[each])


def test_what_is_weighed_is_written_as_tfdv_writes_it(ours):
    written, wanted = _features(to_tensorflow_statistics(ours).value), _features(KEPT["message"])
    for name in ("n", "b", "s", "w"):
        mine, other = (
            each[name]["string_stats" if name == "s" else "num_stats"]["common_stats"]
            for each in (written, wanted)
        )
        # A number that is 0 is not set in a message.
        told = {name: each for name, each in mine["weighted_common_stats"].items() if each}
        assert told == pytest.approx(other["weighted_common_stats"])


def _features(message):
    return {each["path"]["step"][0]: each for each in message["datasets"][0]["features"]}


@pytest.mark.parametrize("form", ["binary", "json", "text"])
def test_weights_come_back_but_for_what_is_named(ours, form):
    written = to_tensorflow_statistics(ours)
    data = messages.write(written.value, kind="statistics", form=form)
    again = read_statistics(messages.read(data, kind="statistics"))
    assert again.left_out == ()
    lost = statistics_differences(ours, again.value)
    assert set(written.left_out) - set(lost) == {"by weight NaN is missing: weighted of x"}
    assert [each for each in lost if "weighted" in each] == ["left out: weighted.top of x, n, w"]


def test_every_weighed_text_comes_back_not_only_the_most_frequent(engine):
    table = pa.table({"c": [f"v{number}" for number in range(50)], "w": [2.0] * 50})
    found = statistics(table, engine=engine, weight="w")
    again = read_statistics(to_tensorflow_statistics(found).value).value.columns["c"]
    assert again.weighted.top == found.columns["c"].weighted.top
    assert len(again.weighted.top) == 50


def test_without_any_value_the_weights_are_of_nothing(engine):
    table = pa.table(
        {
            "t": pa.array([None, None], pa.bool_()),
            "x": pa.array([None, None], pa.float64()),
            "w": [1.5, 2.5],
        }
    )
    found = statistics(table, engine=engine, weight="w")
    again = read_statistics(to_tensorflow_statistics(found).value).value
    nothing = Weighted(rows=4.0, missing=4.0)
    assert (again.columns["t"].weighted, again.columns["x"].weighted) == (nothing, nothing)


def test_statistics_without_weights_stay_without(engine, table):
    found = statistics(table, engine=engine)
    message = to_tensorflow_statistics(found).value
    assert "weighted" not in json.dumps(message)
    assert all(each.weighted is None for each in read_statistics(message).value.columns.values())


def test_a_schema_judges_what_was_read_by_weight(theirs):
    # s is there in 7 rows of 8, which weigh 12.75 of 13.
    wanted = {"s": ColumnSchema(type="string", presence=Presence(min_fraction=0.95))}
    found = validate(theirs, Schema(name="t", columns=wanted))
    assert [each.kind for each in found if each.column == "s"] == []
