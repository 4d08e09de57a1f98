"""Statistics as SageMaker's statistics.json, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.columns import BOOL, ID, STRING
from tondo.stages.data.exchange.converted import Converted
from tondo.stages.data.exchange.sagemaker_documents import (
    COLUMN_TYPES,
    TYPES,
    UNKNOWN,
    Document,
    read_fields,
)
from tondo.stages.data.exchange.statistics_differences import statistics_differences
from tondo.stages.data.statistics import ColumnStatistics, Statistics

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS = {True: "true", False: "false"}


class _Common(msgspec.Struct):
    num_present: int = 0
    num_missing: int = 0


class _Bucket(msgspec.Struct):
    lower_bound: float
    upper_bound: float
    count: float


class _Kll(msgspec.Struct):
    buckets: list[_Bucket] = []


class _Label(msgspec.Struct):
    value: str
    count: float


class _Categorical(msgspec.Struct):
    buckets: list[_Label] = []


class _Distribution(msgspec.Struct):
    kll: _Kll = msgspec.field(default_factory=_Kll)
    categorical: _Categorical = msgspec.field(default_factory=_Categorical)


class _Numerical(msgspec.Struct):
    common: _Common
    mean: float | None = None
    std_dev: float | None = None
    min: float | None = None
    max: float | None = None
    distribution: _Distribution = msgspec.field(default_factory=_Distribution)


class _String(msgspec.Struct):
    common: _Common
    distinct_count: float | None = None
    distribution: _Distribution = msgspec.field(default_factory=_Distribution)


class _Feature(msgspec.Struct):
    name: str
    inferred_type: str = UNKNOWN
    numerical_statistics: _Numerical | None = None
    string_statistics: _String | None = None


class _Dataset(msgspec.Struct):
    item_count: int


class _File(msgspec.Struct):
    dataset: _Dataset
    features: list[_Feature]


def to_sagemaker_statistics(statistics: Statistics) -> Converted[Document]:
    """Return the document of statistics.json; the sketch of a KLL is left out."""
    document: Document = {
        "version": 0,
        "dataset": {"item_count": statistics.rows},
        "features": [_written(name, each) for name, each in statistics.columns.items()],
    }
    again, _ = _read(document)
    return Converted(document, statistics_differences(statistics, again))


def _written(name: str, column: ColumnStatistics) -> Document:
    kind = TYPES.get(column.type, UNKNOWN)
    common = {"num_present": column.present, "num_missing": column.rows - column.present}
    written: Document = {"name": name, "inferred_type": kind}
    if column.type in {STRING, BOOL}:
        labels = [(_word(value), count) for value, count in column.top]
        buckets = [{"value": value, "count": count} for value, count in labels]
        written["string_statistics"] = {
            "common": common,
            "distinct_count": column.distinct,
            "distribution": {"categorical": {"buckets": buckets}},
        }
    elif kind != UNKNOWN:
        finite = column.present - column.infinite
        names = ("lower_bound", "upper_bound", "count")
        rows = [dict(zip(names, each, strict=True)) for each in column.histogram]
        written["numerical_statistics"] = {
            "common": common,
            "mean": column.mean,
            "sum": None if column.mean is None else column.mean * finite,
            "std_dev": column.sd,
            "min": column.min,
            "max": column.max,
            "distribution": {"kll": {"buckets": rows}},
        }
    return written


def _word(value: Any) -> str:
    return _WORDS[value] if isinstance(value, bool) else str(value)


def from_sagemaker_statistics(document: Mapping[str, Any]) -> Converted[Statistics]:
    """Return the statistics of a statistics.json; TD-EXCHANGE-003 when it is none."""
    found, left_out = _read(document)
    return Converted(found, left_out)


def _read(document: Mapping[str, Any]) -> tuple[Statistics, tuple[str, ...]]:
    file = read_fields(dict(document), _File, key="dataset")
    columns: dict[str, ColumnStatistics] = {}
    said = []
    for feature in file.features:
        column = _column(feature)
        if column is None:
            said.append(
                f"feature '{feature.name}': no statistics of a known type, so it is left out"
            )
        else:
            columns[feature.name] = column
    return Statistics(rows=file.dataset.item_count, columns=columns), tuple(said)


def _column(feature: _Feature) -> ColumnStatistics | None:
    kind = COLUMN_TYPES.get(feature.inferred_type)
    texts, numbers = feature.string_statistics, feature.numerical_statistics
    if kind is None or (texts is None and numbers is None):
        return None
    if numbers is not None:
        return _numbers(numbers, kind)
    return None if texts is None else _texts(texts)


def _texts(texts: _String) -> ColumnStatistics:
    labels = texts.distribution.categorical.buckets
    distinct = None if texts.distinct_count is None else round(texts.distinct_count)
    return ColumnStatistics(
        type=STRING,
        rows=texts.common.num_present + texts.common.num_missing,
        missing=texts.common.num_missing,
        distinct=distinct,
        top=tuple((each.value, round(each.count)) for each in labels),
    )


def _numbers(numbers: _Numerical, kind: str) -> ColumnStatistics:
    exact: Any = int if kind == ID else float
    least, most = (None if each is None else exact(each) for each in (numbers.min, numbers.max))
    buckets = numbers.distribution.kll.buckets
    return ColumnStatistics(
        type=kind,
        rows=numbers.common.num_present + numbers.common.num_missing,
        missing=numbers.common.num_missing,
        mean=numbers.mean,
        sd=numbers.std_dev,
        min=least,
        max=most,
        histogram=tuple(
            (each.lower_bound, each.upper_bound, round(each.count)) for each in buckets
        ),
    )
