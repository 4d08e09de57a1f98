"""Statistics and anomalies in the forms of tensorflow-metadata and SageMaker, and back."""

import datetime as dt
import math

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

from tondo.adapters.messages.tensorflow_metadata.messages import TensorflowMetadata
from tondo.core.errors import DataError
from tondo.stages.data.anomaly_kinds import KINDS
from tondo.stages.data.conform import conform
from tondo.stages.data.constraints import Comparator
from tondo.stages.data.distances import measure
from tondo.stages.data.exchange.sagemaker_constraints import (
    from_sagemaker_violations,
    to_sagemaker_violations,
)
from tondo.stages.data.exchange.sagemaker_documents import read_document
from tondo.stages.data.exchange.sagemaker_statistics import (
    from_sagemaker_statistics,
    to_sagemaker_statistics,
)
from tondo.stages.data.exchange.statistics_differences import statistics_differences
from tondo.stages.data.exchange.tensorflow_anomalies import (
    from_tensorflow_anomalies,
    to_tensorflow_anomalies,
)
from tondo.stages.data.exchange.tensorflow_feature_statistics import read_statistics
from tondo.stages.data.exchange.tensorflow_statistics import to_tensorflow_statistics
from tondo.stages.data.inference import infer_schema
from tondo.stages.data.statistics import statistics
from tondo.stages.data.validation import validate

messages = TensorflowMetadata()
DELAYS = [1.0, math.nan, math.inf, 3.5, -2.0, None]
TABLE = pa.table(
    {
        "flag": [True, False, None, True, True, True],
        "delay": DELAYS,
        "code": pa.array([1, 2, 2, 0, 5, 2], pa.int64()),
        "word": ["a", "b", "", None, "a", "a"],
        "digits": ["1", "2", "2", "3", "3", "3"],
        "at": pa.array([dt.datetime(2020, 1, 1, tzinfo=dt.UTC)] * 6, pa.timestamp("us", tz="UTC")),
        "day": pa.array([dt.date(2020, 1, 1)] * 6),
        "words": [["a"], [], None, ["b", "c"], ["a"], ["a"]],
        "ones": [[1.0], [2.0], [3.0], [1.0], [1.0], [1.0]],
        "none": pa.array([None] * 6, pa.string()),
    }
)


@pytest.fixture(scope="module")
def found(engine):
    return statistics(conform(TABLE, {"code": "id"}, zone="UTC", where="t"), engine=engine)


@pytest.fixture(scope="module")
def message(found):
    data = messages.write(to_tensorflow_statistics(found).value, kind="statistics", form="binary")
    read = statistics_pb2.DatasetFeatureStatisticsList()
    read.ParseFromString(data)
    return {feature.path.step[0]: feature for feature in read.datasets[0].features}


@pytest.mark.parametrize("form", ["binary", "json", "text"])
def test_statistics_come_back_but_for_what_is_named(found, form):
    written = to_tensorflow_statistics(found)
    data = messages.write(written.value, kind="statistics", form=form)
    again = read_statistics(messages.read(data, kind="statistics"))
    assert again.left_out == ()
    assert statistics_differences(found, again.value) == written.left_out
    types = {name: column.type for name, column in found.columns.items()}
    assert {name: column.type for name, column in again.value.columns.items()} == types


def test_only_what_a_message_has_no_place_for_is_left_out(found):
    paths = {each.split(" of ")[0] for each in to_tensorflow_statistics(found).left_out}
    lost = {"distinct", "top", "quantiles", "tokens", "length.min", "length.max", "length.total"}
    assert {path.removeprefix("left out: ").removeprefix("items.") for path in paths} == lost | {
        "empty"
    }


def test_numbers_in_the_message_are_those_of_numpy(message):
    stats = message["delay"].num_stats
    finite = np.array([1.0, 3.5, -2.0])
    assert stats.mean == pytest.approx(finite.mean())
    assert stats.std_dev == pytest.approx(finite.std())
    assert (stats.min, stats.max) == (-2.0, math.inf)
    common = stats.common_stats
    assert (common.num_non_missing, common.num_missing, common.tot_num_values) == (5, 1, 5)
    standard = stats.histograms[0]
    assert (standard.num_nan, sum(each.sample_count for each in standard.buckets)) == (1, 4)
    assert standard.buckets[-1].low_value == math.inf


def test_truth_values_are_the_numbers_0_and_1(message):
    stats = message["flag"].num_stats
    values = np.array([1, 0, 1, 1, 1])
    assert (stats.mean, stats.num_zeros, stats.median) == (values.mean(), 1, 1.0)
    assert stats.std_dev == pytest.approx(values.std())
    assert [each.sample_count for each in stats.histograms[0].buckets] == [1, *[0] * 8, 4]


def test_texts_have_their_values_by_rank(message):
    stats = message["word"].string_stats
    assert [(each.value, each.frequency) for each in stats.top_values] == [
        ("a", 3),
        ("", 1),
        ("b", 1),
    ]
    assert [each.low_rank for each in stats.rank_histogram.buckets] == [0, 1, 2]
    assert (stats.unique, stats.avg_length) == (3, pytest.approx(0.8))


def test_lists_have_their_counts_of_items(message):
    common = message["words"].string_stats.common_stats
    assert (common.min_num_values, common.max_num_values, common.tot_num_values) == (0, 2, 5)


def test_estimated_counts_of_another_tool_become_whole():
    text = """datasets { num_examples: 4 features { path { step: "x" } type: FLOAT num_stats {
      common_stats { num_non_missing: 4 min_num_values: 1 max_num_values: 1 tot_num_values: 4 }
      mean: nan min: -2 max: inf histograms { buckets { low_value: -2 high_value: 0 sample_count: 1.0007 }
        buckets { low_value: 0 high_value: 3.5 sample_count: 1.996 }
        buckets { low_value: inf high_value: inf sample_count: 1 } } } } }"""
    column = read_statistics(messages.read(text.encode(), kind="statistics")).value.columns["x"]
    assert column.histogram == ((-2.0, 0.0, 1), (0.0, 3.5, 2))
    assert (column.infinite, column.min, column.max, column.mean) == (1, -2.0, 3.5, None)


def test_what_is_not_understood_of_statistics_is_named():
    text = """datasets { name: "All Examples" num_examples: 1
      features { name: "i" type: BYTES bytes_stats { common_stats { num_non_missing: 1 } } }
      features { name: "n" type: INT num_stats { common_stats { num_non_missing: 1 } }
        custom_stats { name: "mine" num: 3 } } cross_features { } }
      datasets { name: "slice" }"""
    assert read_statistics(messages.read(text.encode(), kind="statistics")).left_out == (
        "the slice 'slice' is left out",
        "feature 'i': its statistics are of no column, so it is left out",
        "not understood: custom_stats of n",
        "not understood: cross_features",
    )


def test_a_message_without_a_data_set_is_refused():
    with pytest.raises(DataError, match="TD-EXCHANGE-003"):
        read_statistics({})


def test_every_kind_has_a_name_that_the_message_knows():
    names = {name for kind in KINDS.values() for name in kind.tfdv}
    assert names <= set(anomalies_pb2.AnomalyInfo.Type.keys())


@pytest.fixture(scope="module")
def checked(found, engine):
    before = conform(TABLE.slice(3), {"code": "id"}, zone="UTC", where="t")
    schema = infer_schema(statistics(before, engine=engine), name="t")
    columns = dict(schema.columns)
    drift = Comparator(jensen_shannon=0.01)
    columns["word"] = msgspec.structs.replace(columns["word"], drift=drift)
    schema = msgspec.structs.replace(schema, columns=columns, max_rows=5)
    previous = statistics(before, engine=engine)
    return validate(found, schema, previous=previous), schema, measure(previous, found, schema)


@pytest.mark.parametrize("form", ["binary", "json", "text"])
def test_anomalies_come_back_with_kind_column_severity_and_sentence(checked, form):
    anomalies, schema, distances = checked
    written = to_tensorflow_anomalies(anomalies, schema=schema, distances=distances)
    data = messages.write(written.value, kind="anomalies", form=form)
    again = from_tensorflow_anomalies(messages.read(data, kind="anomalies"))
    assert again.left_out == ("left out: baseline", "left out: drift_skew_info")
    parts = {(each.code, each.column, each.message, each.tfdv) for each in anomalies}
    assert parts == {(each.code, each.column, each.message, each.tfdv) for each in again.value}
    assert any(each.startswith("left out: patch of") for each in written.left_out)


def test_every_distance_is_told_with_its_threshold(checked):
    anomalies, schema, distances = checked
    document = to_tensorflow_anomalies(anomalies, schema=schema, distances=distances).value
    by_column = {each["path"]["step"][0]: each for each in document["drift_skew_info"]}
    assert sum(len(each["drift_measurements"]) for each in by_column.values()) == len(distances)
    limits = {
        each["type"]: each.get("threshold") for each in by_column["word"]["drift_measurements"]
    }
    assert limits["JENSEN_SHANNON_DIVERGENCE"] == 0.01
    assert limits["L_INFTY"] is None


def test_an_anomaly_of_what_tables_do_not_have_is_named():
    text = """anomaly_info { key: "x" value { severity: ERROR reason {
      type: MAX_IMAGE_BYTE_SIZE_EXCEEDED description: "too large" } } }"""
    found = from_tensorflow_anomalies(messages.read(text.encode(), kind="anomalies"))
    assert found.value == []
    assert "MAX_IMAGE_BYTE_SIZE_EXCEEDED is not understood: too large" in found.left_out[0]


def test_statistics_come_back_from_sagemaker_but_for_what_is_named(found):
    written = to_sagemaker_statistics(found)
    data = msgspec.json.encode(written.value)
    again = from_sagemaker_statistics(read_document(data, key="dataset"))
    assert statistics_differences(found, again.value) == written.left_out
    assert again.value.columns["delay"].mean == found.columns["delay"].mean
    assert again.value.columns["word"].top == found.columns["word"].top
    delay = written.value["features"][1]["numerical_statistics"]
    assert delay["sum"] == pytest.approx(2.5)


def test_violations_come_back_by_their_checks(checked):
    anomalies, _, _ = checked
    written = to_sagemaker_violations(anomalies)
    again = from_sagemaker_violations(written.value).value
    assert {(each.column, each.message) for each in again} == {
        (each.column, each.message)
        for each in anomalies
        if each.kind not in {"many_rows", "infinite", "many_items", "few_items"}
    }
    assert any("many_rows" in each for each in written.left_out)


@pytest.mark.parametrize("data", [b"[1]", b"{", b'{"features": 3}', b"\xff"])
def test_another_document_is_refused(data):
    with pytest.raises(DataError, match="TD-EXCHANGE-003"):
        read_document(data, key="features")
