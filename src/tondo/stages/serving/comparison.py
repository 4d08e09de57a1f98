"""Two versions on the same requests: decisions, differences of scores, errors, latency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.stages.evaluation.compare import PairedComparison

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pyarrow as pa

    from tondo.stages.serving.pairs import Pairs

SHOWN = 5
"""Rows that differ most: enough to begin to look."""


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """How far scores of the same rows are apart, candidate less production."""

    mean: float
    equal: float
    """Share of rows with the same score in every bit."""
    median: float
    """Of the absolute differences, as are the next three."""
    p90: float
    p99: float
    largest: float
    ks: float
    """Largest distance of the two distributions of scores (Kolmogorov-Smirnov), 0 to 1."""
    examples: tuple[tuple[str, float, float], ...]
    """Prediction id, production's score and the candidate's, of the rows farthest apart."""


class Latencies(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds of a request within the process that scored it."""

    p50_ms: float
    p90_ms: float
    p99_ms: float


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What a candidate answered beside production, on the same requests."""

    requests: int
    rows: int
    compared: int
    """Rows that both scored."""
    agreement: float | None
    """Share of the compared rows with the same decision; None without thresholds."""
    to_yes: int
    """Rows that production decided no, and the candidate yes."""
    to_no: int
    differences: Differences | None
    """None while no row was scored by both."""
    production_errors: dict[str, int]
    """Code to requests."""
    candidate_errors: dict[str, int]
    production_latency: Latencies | None
    candidate_latency: Latencies | None
    outcomes: PairedComparison | None = None
    """Both on the rows whose outcome is known; None where none is."""


def compare(
    pairs: Pairs,
    *,
    candidate_threshold: float | None,
    production_thresholds: Mapping[str, float | None],
    outcomes: PairedComparison | None = None,
) -> Comparison:
    """Compare pairs; `production_thresholds` are by model version id."""
    rows, requests = pairs
    both = scored_by_both(rows)
    production, candidate = numbers(both, "production"), numbers(both, "candidate")
    decided = _decisions(both, production, production_thresholds)
    flips = _flips(decided, candidate, candidate_threshold)
    return Comparison(
        requests=requests.num_rows,
        rows=rows.num_rows,
        compared=both.num_rows,
        agreement=None if flips is None or not len(candidate) else 1 - sum(flips) / len(candidate),
        to_yes=flips[0] if flips else 0,
        to_no=flips[1] if flips else 0,
        differences=_differences(both, production, candidate) if both.num_rows else None,
        production_errors=_counts(requests, "production_error"),
        candidate_errors=_counts(requests, "candidate_error"),
        production_latency=latencies(requests.column("production_us").drop_null().to_numpy()),
        candidate_latency=latencies(requests.column("candidate_us").drop_null().to_numpy()),
        outcomes=outcomes,
    )


def scored_by_both(rows: pa.Table) -> pa.Table:
    """Return the rows that production and candidate scored."""
    import pyarrow.compute as pc

    return rows.filter(
        pc.and_(pc.is_valid(rows.column("production")), pc.is_valid(rows.column("candidate")))
    )


def numbers(table: pa.Table, column: str) -> np.ndarray:
    """Return a column as float64, null as NaN."""
    import numpy as np

    values: np.ndarray = np.asarray(table.column(column).to_numpy(), dtype=np.float64)
    return values


def _decisions(
    rows: pa.Table, scores: np.ndarray, thresholds: Mapping[str, float | None]
) -> np.ndarray | None:
    import numpy as np

    own = [thresholds.get(each) for each in rows.column("production_version_id").to_pylist()]
    if any(each is None for each in own):
        return None
    decided: np.ndarray = scores >= np.array(own, dtype=np.float64)
    return decided


def _flips(
    decided: np.ndarray | None, candidate: np.ndarray, threshold: float | None
) -> tuple[int, int] | None:
    if decided is None or threshold is None:
        return None
    now = candidate >= threshold
    return int((now & ~decided).sum()), int((decided & ~now).sum())


def _differences(rows: pa.Table, production: np.ndarray, candidate: np.ndarray) -> Differences:
    import numpy as np

    apart = candidate - production
    size = np.abs(apart)
    median, p90, p99 = np.quantile(size, [0.5, 0.9, 0.99])
    ids = rows.column("prediction_id")
    farthest = [int(at) for at in np.argsort(-size, kind="stable")[:SHOWN] if size[at] > 0]
    return Differences(
        mean=float(apart.mean()),
        equal=float((apart == 0).mean()),
        median=float(median),
        p90=float(p90),
        p99=float(p99),
        largest=float(size.max()),
        ks=_ks(production, candidate),
        examples=tuple(
            (ids[at].as_py(), float(production[at]), float(candidate[at])) for at in farthest
        ),
    )


def _ks(one: np.ndarray, two: np.ndarray) -> float:
    import numpy as np

    values = np.concatenate([one, two])
    below_one = np.searchsorted(np.sort(one), values, side="right") / len(one)
    below_two = np.searchsorted(np.sort(two), values, side="right") / len(two)
    return float(np.abs(below_one - below_two).max())


def _counts(requests: pa.Table, column: str) -> dict[str, int]:
    counted: list[dict[str, Any]] = requests.column(column).drop_null().value_counts().to_pylist()
    return {each["values"]: each["counts"] for each in sorted(counted, key=lambda it: it["values"])}


def latencies(taken_us: np.ndarray) -> Latencies | None:
    """Return quantiles of microseconds, None of none."""
    import numpy as np

    if not len(taken_us):
        return None
    p50, p90, p99 = np.quantile(taken_us, [0.5, 0.9, 0.99]) / 1000
    return Latencies(p50_ms=float(p50), p90_ms=float(p90), p99_ms=float(p99))
