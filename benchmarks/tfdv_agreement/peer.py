"""What TFDV says of the cases: run by the peer's own Python, which has TFDV and not tondo.

Reads cases as JSON lines from the first file and writes an answer a line to the second one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.api import validation_api
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

ARROW = {
    "INT": pa.int64(),
    "FLOAT": pa.float64(),
    "BYTES": pa.large_utf8(),
    # Its Arrow reader has no booleans; its data frame reader makes whole numbers of them.
    "BOOL": pa.int64(),
}
MEASURES = {
    "l_infinity": "infinity_norm",
    "jensen_shannon": "jensen_shannon_divergence",
    "normalized_difference": "normalized_abs_difference",
}


def main(cases: str, answers: str) -> None:
    with Path(cases).open(encoding="utf-8") as lines, Path(answers).open("w") as written:
        written.writelines(json.dumps(guarded(json.loads(line))) + "\n" for line in lines)


def guarded(case: dict) -> dict:
    # Some of its generators look at a column in a hundred, chosen by NumPy's global generator.
    np.random.seed(case["case"])  # noqa: NPY002 - what TFDV draws from
    try:
        return answer(case)
    # One case that breaks the peer is an answer too, and must not cost the others.
    except Exception as error:  # noqa: BLE001 - told as its answer
        return {"version": tfdv.__version__, "failed": f"{type(error).__name__}: {error}"}


def answer(case: dict) -> dict:
    found = statistics(case["table"])
    told = {"version": tfdv.__version__, "columns": {}}
    for feature in found.datasets[0].features:
        told["columns"][feature.path.step[0]] = of_feature(feature)
    told["rows"] = found.datasets[0].num_examples
    if case["family"] == "infer":
        told["schema"] = inferred(found)
    if "schema" in case:
        told |= verdict(case, found)
    return told


def statistics(table: dict) -> statistics_pb2.DatasetFeatureStatisticsList:
    arrays = [array_of(column) for column in table["columns"].values()]
    # A record batch without columns has no rows for Arrow.
    batch = pa.RecordBatch.from_arrays(arrays, list(table["columns"]))
    return stats_impl.generate_statistics_in_memory(batch)


def array_of(column: dict) -> pa.Array:
    """Every column is one of lists there: a value is a list of one, null is no list."""
    values = column["values"]
    if column["type"] in {"FLOAT", "BOOL"}:
        number = float if column["type"] == "FLOAT" else int
        values = [deep(value, number) for value in values]
    if not column["list"]:
        values = [None if value is None else [value] for value in values]
    return pa.array(values, type=pa.large_list(ARROW[column["type"]]))


def deep(value, number):
    if isinstance(value, list):
        return [deep(each, number) for each in value]
    return None if value is None else number(value)


def of_feature(feature: statistics_pb2.FeatureNameStatistics) -> dict:
    told = {"type": statistics_pb2.FeatureNameStatistics.Type.Name(feature.type)}
    kind = feature.WhichOneof("stats")
    if kind is None:
        return told
    stats = getattr(feature, kind)
    common = stats.common_stats
    told |= {
        "present": common.num_non_missing,
        "missing": common.num_missing,
        "sizes": [common.min_num_values, common.max_num_values, common.tot_num_values],
    }
    if kind == "num_stats":
        told |= of_numbers(stats)
    elif kind == "string_stats":
        told |= {
            "unique": stats.unique,
            # A length that is not set reads as 0, as does that of empty texts.
            "avg_length": stats.avg_length if common.tot_num_values else None,
            "top": [[each.value, each.frequency] for each in stats.top_values],
        }
    return told


def of_numbers(stats: statistics_pb2.NumericStatistics) -> dict:
    """Say moments, ends and histograms; of no number but NaN they set none, which reads as 0."""
    named = statistics_pb2.Histogram
    histograms = {each.type: each for each in stats.histograms}
    standard, quantiles = (histograms.get(each) for each in (named.STANDARD, named.QUANTILES))
    nan = 0 if standard is None else standard.num_nan
    there = stats.common_stats.tot_num_values - nan
    told = {
        name: plain(getattr(stats, name)) if there else None
        for name in ("mean", "std_dev", "min", "max", "median")
    }
    told["num_zeros"] = stats.num_zeros
    if standard is not None:
        told["standard"] = {"nan": nan, "buckets": buckets(standard)}
    found = [] if quantiles is None else buckets(quantiles)
    told["quantiles"] = [low for low, _, _ in found[:1]] + [high for _, high, _ in found]
    return told


def buckets(histogram: statistics_pb2.Histogram) -> list:
    return [
        [plain(each.low_value), plain(each.high_value), each.sample_count]
        for each in histogram.buckets
    ]


def plain(number: float) -> float | str:
    """Say NaN and infinities as texts, for plain JSON."""
    return number if number - number == 0 else str(number)


def inferred(found: statistics_pb2.DatasetFeatureStatisticsList) -> dict:
    schema = tfdv.infer_schema(found, infer_feature_shape=False)
    shared = {each.name: list(each.value) for each in schema.string_domain}
    return {each.name: of_schema(each, shared) for each in schema.feature}


def of_schema(feature: schema_pb2.Feature, shared: dict) -> dict:
    told = {"type": schema_pb2.FeatureType.Name(feature.type)}
    told["min_count"] = feature.presence.min_count
    told["min_fraction"] = feature.presence.min_fraction or None
    count = feature.value_count
    told["value_count"] = [count.min, count.max] if feature.HasField("value_count") else None
    kind = feature.WhichOneof("domain_info")
    told["domain_kind"] = kind
    told["domain"] = sorted(shared[feature.domain]) if kind == "domain" else None
    return told


def verdict(case: dict, found: statistics_pb2.DatasetFeatureStatisticsList) -> dict:
    others = {
        name: statistics(case[name])
        for name in ("previous", "serving", "previous_version")
        if case.get(name)
    }
    result = validation_api.validate_statistics_internal(
        found,
        schema_of(case["schema"]),
        environment=case.get("environment"),
        previous_span_statistics=others.get("previous"),
        serving_statistics=others.get("serving"),
        previous_version_statistics=others.get("previous_version"),
    )
    named = anomalies_pb2.AnomalyInfo.Type.Name
    told = [
        [name, named(reason.type)]
        for name, info in result.anomaly_info.items()
        for reason in info.reason
    ]
    told += [[None, named(reason.type)] for reason in result.dataset_anomaly_info.reason]
    told += [[None, "data_missing"]] if result.data_missing else []
    return {
        "anomalies": sorted(told, key=str),
        "distances": distances(result),
        "others": {
            name: {each.path.step[0]: of_feature(each) for each in other.datasets[0].features}
            for name, other in others.items()
        },
    }


def distances(result: anomalies_pb2.Anomalies) -> list:
    names = {
        "L_INFTY": "l_infinity",
        "JENSEN_SHANNON_DIVERGENCE": "jensen_shannon",
        "NORMALIZED_ABSOLUTE_DIFFERENCE": "normalized_difference",
    }
    kind = anomalies_pb2.DriftSkewInfo.Measurement.Type.Name
    return sorted(
        [info.path.step[0], names[kind(each.type)], against, each.value, each.threshold]
        for info in result.drift_skew_info
        for against in ("drift", "skew")
        for each in getattr(info, f"{against}_measurements")
    )


def schema_of(body: dict) -> schema_pb2.Schema:
    schema = schema_pb2.Schema()
    schema.default_environment.extend(body.get("default_environments", []))
    rows = schema.dataset_constraints
    if "min_rows" in body:
        rows.min_examples_count = body["min_rows"]
    if "max_rows" in body:
        rows.max_examples_count = body["max_rows"]
    for ours, theirs in (("previous", "drift"), ("version", "version")):
        limits = body.get(f"rows_against_{ours}")
        if limits is not None:
            comparator = getattr(rows, f"num_examples_{theirs}_comparator")
            comparator.SetInParent()
            for end, value in limits.items():
                setattr(comparator, f"{end}_threshold", value)
    for name, values in body.get("domains", {}).items():
        schema.string_domain.add(name=name, value=values)
    for name, column in body["columns"].items():
        fill(schema.feature.add(name=name), column)
    return schema


def fill(feature: schema_pb2.Feature, column: dict) -> None:
    feature.type = schema_pb2.FeatureType.Value(
        "INT" if column["type"] == "BOOL" else column["type"]
    )
    if "min_count" in column:
        feature.presence.min_count = column["min_count"]
    if "min_fraction" in column:
        feature.presence.min_fraction = column["min_fraction"]
    for span, where in (("value_count", "value_count"), ("unique", "unique_constraints")):
        for end, value in column.get(span, {}).items():
            setattr(getattr(feature, where), end, value)
    if "stage" in column:
        feature.lifecycle_stage = schema_pb2.LifecycleStage.Value(column["stage"].upper())
    feature.in_environment.extend(column.get("in", []))
    feature.not_in_environment.extend(column.get("not_in", []))
    domain(feature, column)
    for against in ("drift", "skew"):
        for measure, limit in column.get(against, {}).items():
            comparator = getattr(feature, f"{against}_comparator")
            getattr(comparator, MEASURES[measure]).threshold = limit


def domain(feature: schema_pb2.Feature, column: dict) -> None:
    if "shared_domain" in column:
        feature.domain = column["shared_domain"]
    if "domain" in column:
        feature.string_domain.value.extend(column["domain"])
    if "min_domain_mass" in column:
        feature.distribution_constraints.min_domain_mass = column["min_domain_mass"]
    if column.get("boolean"):
        feature.bool_domain.SetInParent()
        for word in ("true_value", "false_value"):
            if word in column:
                setattr(feature.bool_domain, word, column[word])
        return
    ends = {end: column[end] for end in ("min", "max") if end in column}
    if column.get("integer_text") or (ends and column["type"] == "INT"):
        feature.int_domain.SetInParent()
        for end, value in ends.items():
            setattr(feature.int_domain, end, value)
    flags = {name: True for name in ("disallow_nan", "disallow_inf") if column.get(name)}
    if column.get("number_text") or ((ends or flags) and column["type"] == "FLOAT"):
        feature.float_domain.SetInParent()
        for end, value in (ends | flags).items():
            setattr(feature.float_domain, end, value)


if __name__ == "__main__":
    main(*sys.argv[1:])
