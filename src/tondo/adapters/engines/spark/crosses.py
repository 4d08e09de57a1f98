"""What pairs of columns say of each other: each row is told once for each pair of its values."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING, Any

from tondo.adapters.engines.spark.counted import rows_of
from tondo.adapters.engines.spark.tables import column_type, kind_of, quote, value_sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_INFINITY = "DOUBLE('Infinity')"


def crosses(
    frame: Any,
    columns: Mapping[str, str],
    *,
    label: str | None,
    types: Mapping[str, str],
    most_values: int,
) -> dict[str, list[dict[str, Any]]]:
    """Return `numeric` and `categorical` pairs, as `ports/engine.py` promises.

    `types`: the column types of the table as far as they are known.
    """
    numeric = [name for name, type_ in columns.items() if type_ == "double"]
    labels = {name: type_ for name, type_ in columns.items() if type_ in {"string", "bool"}}
    if label is not None:
        labels.setdefault(label, types.get(label) or column_type(frame, label))
    few = _few_values(frame, labels, most_values) if len(labels) > 1 else {}
    return {
        "numeric": _numeric(frame, numeric) if len(numeric) > 1 else [],
        "categorical": _categorical(frame, labels, few) if len(few) > 1 else [],
    }


def _numeric(frame: Any, names: Sequence[str]) -> list[dict[str, Any]]:
    """Count, covariance and correlation of each pair, over rows where both are finite."""
    finite = [
        f"CASE WHEN abs(CAST({quote(name)} AS DOUBLE)) < {_INFINITY}"
        f" THEN CAST({quote(name)} AS DOUBLE) END"
        for name in names
    ]
    asked = [f"max(abs({text})) AS most_{at}" for at, text in enumerate(finite)]
    asked += [f"percentile_approx({text}, 0.5) AS middle_{at}" for at, text in enumerate(finite)]
    (found,) = rows_of(frame.selectExpr(*asked))
    places = range(len(names))
    # Below 1 after scaling by a power of two, which is exact, so that squares do not overflow;
    # and from a value in the middle, so that a large mean does not cost the digits of the spread.
    scale = [_scale(found[f"most_{at}"]) for at in places]
    middle = [(found[f"middle_{at}"] or 0.0) * scale[at] for at in places]
    shifted = [f"{finite[at]} * {scale[at]!r}D - ({middle[at]!r}D)" for at in places]
    sums = {
        "both": "count(*)",
        "product": "covar_pop(a, b)",
        "square_a": "CASE WHEN min(a) = max(a) THEN 0.0D ELSE var_pop(a) END",
        "square_b": "CASE WHEN min(b) = max(b) THEN 0.0D ELSE var_pop(b) END",
    }
    pairs = {(row["i"], row["j"]): row for row in _pairs(frame, shifted, ["i", "j"], sums)}
    return [
        {"columns": [names[a], names[b]], **_told(pairs.get((a, b)), scale[a], scale[b])}
        for a, b in combinations(places, 2)
    ]


def _pairs(
    frame: Any, values: Sequence[str], by: Sequence[str], sums: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Aggregate each two values (a at i, b at j) of a row that are both there.

    A generator over the row's own array: its code stays small however many pairs there are.
    """
    from pyspark.sql import functions

    listed = [functions.expr(text).alias(name) for name, text in sums.items()]
    pairs = (
        frame.selectExpr(f"array({', '.join(values)}) AS x")
        .selectExpr("x", "posexplode(x) AS (i, a)")
        .where("a IS NOT NULL")
        .selectExpr("i", "a", f"posexplode(slice(x, i + 2, {len(values)})) AS (k, b)")
        .where("b IS NOT NULL")
        .selectExpr("i", "i + 1 + k AS j", "a", "b")
    )
    return rows_of(pairs.groupBy(*by).agg(*listed))


def _scale(most: float | None) -> float:
    exponent = math.frexp(most or 1.0)[1]
    return math.ldexp(1.0, -max(min(exponent, 1000), -1000))


def _told(row: Mapping[str, Any] | None, scale_a: float, scale_b: float) -> dict[str, Any]:
    if row is None:
        return {"count": 0, "covariance": None, "correlation": None}
    square_a, square_b = row["square_a"], row["square_b"]
    if square_a <= 0 or square_b <= 0:
        return {"count": row["both"], "covariance": 0.0, "correlation": None}
    covariance = row["product"] / scale_a / scale_b
    correlation = row["product"] / math.sqrt(square_a) / math.sqrt(square_b)
    return {
        "count": row["both"],
        "covariance": covariance if math.isfinite(covariance) else None,
        "correlation": min(max(correlation, -1.0), 1.0),
    }


def _few_values(frame: Any, labels: Mapping[str, str], most: int) -> dict[str, dict[str, Any]]:
    """Return the values of each column with `most` at most, in order, by their text."""
    from pyspark.sql import functions

    names = list(labels)
    texts = [_text(name, type_) for name, type_ in labels.items()]
    distinct = (
        frame.selectExpr(f"posexplode(array({', '.join(texts)})) AS (i, v)")
        .where("v IS NOT NULL")
        .distinct()
    )
    distinct.persist()
    try:
        counts = rows_of(distinct.groupBy("i").agg(functions.expr("count(*)").alias("n")))
        many = [row["i"] for row in counts if row["n"] > most]
        kept = rows_of(distinct.where(~functions.col("i").isin(many)))
    finally:
        distinct.unpersist()
    found: dict[str, dict[str, Any]] = {name: {} for at, name in enumerate(names) if at not in many}
    for row in kept:
        name = names[row["i"]]
        found[name][row["v"]] = _value(row["v"], labels[name])
    return {
        name: dict(sorted(values.items(), key=lambda pair: pair[1]))
        for name, values in found.items()
    }


def _text(name: str, column_type: str) -> str:
    """Return SQL of a value as text, from which it is read back without loss."""
    value = value_sql(quote(name), column_type)
    known = f"nanvl({value}, CAST(NULL AS DOUBLE))" if column_type == "double" else value
    return known if kind_of(column_type) == "text" else f"CAST({known} AS STRING)"


def _value(text: str, column_type: str) -> Any:
    if column_type == "string":
        return text
    if column_type == "bool":
        return text == "true"
    return float(text) if column_type == "double" else int(text)


def _categorical(
    frame: Any, labels: Mapping[str, str], few: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Count each pair of values of each pair of columns, over rows where both are there."""
    names = list(few)
    texts = [_text(name, labels[name]) for name in names]
    counts = {
        (row["i"], row["j"], row["a"], row["b"]): row["n"]
        for row in _pairs(frame, texts, ["i", "j", "a", "b"], {"n": "count(*)"})
    }
    return [
        {
            "columns": [names[i], names[j]],
            "values": [list(few[names[i]].values()), list(few[names[j]].values())],
            "counts": [[counts.get((i, j, a, b), 0) for b in few[names[j]]] for a in few[names[i]]],
        }
        for i, j in combinations(range(len(names)), 2)
    ]
