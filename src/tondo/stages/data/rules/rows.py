"""How many rows a batch has, by itself and beside another batch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tondo.stages.data.anomalies import Change, anomaly
from tondo.stages.data.rules.counted import said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.schema import Schema


def check(rows: float, schema: Schema) -> Iterator[Anomaly]:
    """Report a batch without rows, with too few, or with too many."""
    if rows == 0 and schema.min_rows > 0:
        yield _report("no_rows", "the batch has no rows", value=0)
    elif rows < schema.min_rows:
        message = f"the batch has {said(rows)} rows, expected at least {schema.min_rows:,}"
        yield _report("few_rows", message, value=math.floor(rows))
    elif schema.max_rows is not None and rows > schema.max_rows:
        message = f"the batch has {said(rows)} rows, expected at most {schema.max_rows:,}"
        yield _report("many_rows", message, value=math.ceil(rows), limit="max_rows")


def _report(kind: str, message: str, *, value: int, limit: str = "min_rows") -> Anomaly:
    return anomaly(
        kind,
        None,
        message,
        numbers={"rows": value},
        patch=(Change(path=(limit,), value=value),),
    )


def compare(rows: float, other: float, schema: Schema, *, against: str) -> Iterator[Anomaly]:
    """Report too small and too large a share of another batch's rows; equal passes.

    `against` is `previous` or `version`. Growth from no rows is above every greatest share.
    """
    key = f"rows_against_{against}"
    comparator = getattr(schema, key)
    if comparator is None:
        return
    words = "the previous batch" if against == "previous" else "its previous version"
    # Rounded once, as everywhere a share is compared.
    ratio = rows / other if other else None
    low, high = comparator.min_fraction, comparator.max_fraction
    if low is not None and ratio is not None and ratio < low:
        yield _compared("fewer_rows_than", key, words, (rows, other), ("min_fraction", low), ratio)
    if high is not None and (ratio is None or ratio > high):
        yield _compared("more_rows_than", key, words, (rows, other), ("max_fraction", high), ratio)


def _compared(
    kind: str,
    key: str,
    words: str,
    sizes: tuple[float, float],
    limit: tuple[str, float],
    ratio: float | None,
) -> Anomaly:
    (rows, other), (end, bound) = sizes, limit
    numbers: dict[str, float | int] = {"rows": rows, "before": other, end: bound}
    times = "" if ratio is None else f", {ratio:.4g} times as many"
    wanted = "at least" if end == "min_fraction" else "at most"
    return anomaly(
        kind,
        None,
        f"the batch has {said(rows)} rows and {words} had {said(other)}{times}, "
        f"expected {wanted} {bound:g} times",
        numbers=numbers if ratio is None else numbers | {"fraction": ratio},
        patch=(Change(path=(key, end), value=ratio),),
    )
