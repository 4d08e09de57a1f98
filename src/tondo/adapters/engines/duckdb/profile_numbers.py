"""Numbers, ids and times: every figure of one column from its sorted values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tondo.adapters.engines.figures import edges_of, equal_width, places, plain, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pyarrow as pa

# Sums are taken a block at a time and the blocks added without rounding, so that a column that
# is streamed gives the same bits as one in memory. 64 Ki doubles stay in a processor's cache.
BLOCK = 1 << 16
VALUE_BYTES = 8
ORDERED_SQL = {
    # Adding 0.0 turns -0.0 into 0.0: which of the two a sort puts first must not matter.
    "double": "CAST({0} AS DOUBLE) + 0.0::DOUBLE",
    "id": "CAST({0} AS BIGINT)",
    "timestamp": "epoch_us({0})",
    "date": "CAST({0} - DATE '1970-01-01' AS BIGINT)",
}


def describe_column(column: pa.ChunkedArray, *, top: int, buckets: int) -> dict[str, Any]:
    """Return the entries of a column in any order, nulls among its values."""
    rows, present = len(column), column.drop_null().to_numpy()
    del column
    if present.flags.writeable:
        present.sort()
    else:
        present = np.sort(present)
    return describe(present, rows=rows, top=top, buckets=buckets)


def describe(present: np.ndarray, *, rows: int, top: int, buckets: int) -> dict[str, Any]:
    """Return the entries of a column of `rows` rows from its sorted values that are not null."""
    is_double = present.dtype.kind == "f"
    # NaN sorts to the end.
    values = present[: np.searchsorted(present, np.nan)] if is_double else present
    finite = _finite(values) if is_double else values
    found = {
        "rows": rows,
        "missing": rows - len(present),
        "nan": len(present) - len(values),
        "infinite": len(values) - len(finite),
        **_frequencies(values, top, finite=len(finite) == len(values)),
        **_spread(finite, buckets),
    }
    if is_double:
        ends = (float(finite[0]), float(finite[-1])) if len(finite) else (0.0, 0.0)
        zeros = int(np.count_nonzero(finite == 0))
        found |= {"zeros": zeros, **moments(lambda: blocks(finite), len(finite), ends)}
    return found


def blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    """Cut values into blocks."""
    return (values[start : start + BLOCK] for start in range(0, len(values), BLOCK))


def moments(
    blocks_of: Callable[[], Iterable[np.ndarray]], count: int, ends: tuple[float, float]
) -> dict[str, float | None]:
    """Mean and population standard deviation of `count` finite values, in two passes."""
    if count == 0:
        return {"mean": None, "sd": None}
    # Scaled by a power of two, which is exact, so that squares of large values do not overflow.
    scale = 2.0 ** max(math.frexp(max(map(abs, ends)))[1] - 400, 0)

    def scaled() -> Iterable[np.ndarray]:
        return blocks_of() if scale == 1 else (block / scale for block in blocks_of())

    mean = math.fsum(float(block.sum()) for block in scaled()) / count
    squares = math.fsum(float(np.square(block - mean).sum()) for block in scaled())
    return {"mean": mean * scale, "sd": math.sqrt(squares / count) * scale}


def _finite(values: np.ndarray) -> np.ndarray:
    """Cut the infinities off both ends of sorted values."""
    start = np.searchsorted(values, -np.inf, side="right")
    stop = np.searchsorted(values, np.inf, side="left")
    return values[start:stop]


def _frequencies(values: np.ndarray, top: int, *, finite: bool) -> dict[str, Any]:
    """Distinct values and the most frequent ones, from the runs of equal neighbours."""
    starts, counts = runs(values)
    chosen = most_frequent(counts, top)
    told = values[starts[chosen]].tolist()
    pairs = zip(told if finite else map(plain, told), counts[chosen].tolist(), strict=True)
    return {"distinct": len(starts), "top": list(pairs)}


def runs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where runs of equal neighbours start, and their lengths."""
    if len(values) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    bounds = np.concatenate(([0], np.flatnonzero(values[1:] != values[:-1]) + 1, [len(values)]))
    return bounds[:-1], bounds[1:] - bounds[:-1]


def most_frequent(counts: np.ndarray, top: int) -> np.ndarray:
    """Return the places of the `top` largest counts, ties in their order."""
    several = np.flatnonzero(counts > 1)
    if len(several) > top:
        # A stable pick among the largest counts keeps ties in order.
        least = np.partition(counts[several], -top)[-top] if top else counts.max()
        above = several[counts[several] > least]
        level = several[counts[several] == least][: top - len(above)]
    else:
        # Where most values stand once, only the first of them are looked at.
        above = several
        level = np.flatnonzero(counts[:top] == 1)[: top - len(several)]
    return np.concatenate((above[np.argsort(-counts[above], kind="stable")], level))


def _spread(finite: np.ndarray, buckets: int) -> dict[str, Any]:
    """Least, greatest, quantiles and both histograms of sorted finite values."""
    if len(finite) == 0:
        return spread({}, 0, None, None, histogram=[])
    wanted = places(len(finite))
    at = dict(zip(wanted, finite[list(wanted.values())].tolist(), strict=True))
    low, high = float(finite[0]), float(finite[-1])
    edges = edges_of(low, high, buckets)
    inner = np.searchsorted(finite, edges[1:-1], side="left")
    return spread(
        at,
        len(finite),
        finite[0].item(),
        finite[-1].item(),
        histogram=equal_width(edges, inner, len(finite)),
    )
