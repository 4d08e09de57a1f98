"""One column's sketch: exact counts and moments, and the sketched values, of batches or parts."""

from __future__ import annotations

import math
from functools import reduce
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.columns import item_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pyarrow as pa

    from tondo.ports.sketches import Sketches, ValueSketch

_BATCH_ROWS = 1 << 18
KEPT = 1024
"""Frequent values of a batch that go into the sketch; see `_heaviest`."""


class ColumnSketch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a column; numbers are of the finite values, as in ColumnStatistics."""

    type: str
    rows: int = 0
    missing: int = 0
    nan: int = 0
    infinite: int = 0
    finite: int = 0
    zeros: int = 0
    mean: float = 0.0
    sd: float = 0.0
    """Population standard deviation; as `mean` 0 without finite values."""
    min: float | int | None = None
    max: float | int | None = None
    empty: int = 0
    lengths: tuple[int, int, int] | None = None
    """Least, most and total length of texts in characters, of lists in items."""
    dropped: int = 0
    """How often a value may have occurred beyond what the sketch of frequent values knows."""
    values: bytes = b""
    items: ColumnSketch | None = None
    """Of lists: all their items as one column."""


def sketch_column(column: pa.ChunkedArray, type_: str, *, sketches: Sketches) -> ColumnSketch:
    """Return the sketch of a column of a conformed table."""
    import pyarrow.compute as pc

    item = item_type(type_)
    if item is not None:
        found = reduce(_counted, map(_of_lists, _batches(column)), ColumnSketch(type=type_))
        items = sketch_column(pc.list_flatten(column), item, sketches=sketches)
        return msgspec.structs.replace(found, type=type_, items=items)
    kept = sketches.empty()
    parts = (_of_values(batch, type_, kept) for batch in _batches(column))
    found = reduce(_counted, parts, ColumnSketch(type=type_))
    return msgspec.structs.replace(found, values=kept.to_bytes())


def joined(a: ColumnSketch, b: ColumnSketch, *, sketches: Sketches) -> ColumnSketch:
    """Return the sketch of the rows of two parts of a column."""
    found = _counted(a, b)
    if a.items is not None and b.items is not None:
        items = joined(a.items, b.items, sketches=sketches)
        return msgspec.structs.replace(found, items=items)
    kept = sketches.read(a.values)
    kept.merge(sketches.read(b.values))
    return msgspec.structs.replace(found, values=kept.to_bytes())


def _batches(column: pa.ChunkedArray) -> Iterator[pa.Array]:
    for chunk in column.chunks:
        for start in range(0, len(chunk), _BATCH_ROWS):
            yield chunk.slice(start, _BATCH_ROWS)


def _counted(a: ColumnSketch, b: ColumnSketch) -> ColumnSketch:
    """Add up all but the sketched values."""
    mean, sd = _moments_together(a, b)
    lengths = [each.lengths for each in (a, b) if each.lengths is not None]
    return ColumnSketch(
        type=a.type,
        rows=a.rows + b.rows,
        missing=a.missing + b.missing,
        nan=a.nan + b.nan,
        infinite=a.infinite + b.infinite,
        finite=a.finite + b.finite,
        zeros=a.zeros + b.zeros,
        mean=mean,
        sd=sd,
        min=min((each.min for each in (a, b) if each.min is not None), default=None),
        max=max((each.max for each in (a, b) if each.max is not None), default=None),
        empty=a.empty + b.empty,
        lengths=_lengths_together(lengths),
        dropped=a.dropped + b.dropped,
    )


def _moments_together(a: ColumnSketch, b: ColumnSketch) -> tuple[float, float]:
    """Mean and standard deviation of both (Chan, Golub, LeVeque 1979), free of overflow."""
    if a.finite == 0 or b.finite == 0:
        one = b if a.finite == 0 else a
        return one.mean, one.sd
    first, second = a.finite / (a.finite + b.finite), b.finite / (a.finite + b.finite)
    between = math.sqrt(first * second)
    apart = b.mean * between - a.mean * between
    sd = math.hypot(a.sd * math.sqrt(first), b.sd * math.sqrt(second), apart)
    return a.mean * first + b.mean * second, sd


def _lengths_together(lengths: list[tuple[int, int, int]]) -> tuple[int, int, int] | None:
    if not lengths:
        return None
    least, most, total = zip(*lengths, strict=True)
    return min(least), max(most), sum(total)


def _of_lists(batch: pa.Array) -> ColumnSketch:
    import pyarrow.compute as pc

    return msgspec.structs.replace(
        _of_lengths(pc.list_value_length(batch)), rows=len(batch), missing=batch.null_count
    )


def _of_lengths(lengths: pa.Array) -> ColumnSketch:
    import pyarrow.compute as pc

    ends = pc.min_max(lengths).as_py()
    if ends["min"] is None:
        return ColumnSketch(type="")
    return ColumnSketch(
        type="",
        empty=pc.sum(pc.equal(lengths, 0)).as_py(),
        lengths=(ends["min"], ends["max"], pc.sum(lengths).as_py()),
    )


def _of_values(batch: pa.Array, type_: str, kept: ValueSketch) -> ColumnSketch:
    if type_ in {"string", "bool"}:
        return _of_words(batch, type_, kept)
    return _of_numbers(batch, type_, kept)


def _of_words(batch: pa.Array, type_: str, kept: ValueSketch) -> ColumnSketch:
    import pyarrow as pa
    import pyarrow.compute as pc

    words = batch.cast(pa.string())
    found = _of_lengths(pc.utf8_length(words)) if type_ == "string" else ColumnSketch(type="")
    counted = pc.value_counts(words.drop_null())
    distinct = counted.field("values").to_pylist()
    # The library passes over empty text; `empty` says whether there is any.
    kept.add_distinct([word for word in distinct if word])
    chosen, counts, dropped = _heaviest(counted.field("counts").to_numpy())
    kept.add_frequent([distinct[each] for each in chosen.tolist()], counts.tolist())
    return msgspec.structs.replace(
        found, rows=len(batch), missing=batch.null_count, dropped=dropped
    )


def _of_numbers(batch: pa.Array, type_: str, kept: ValueSketch) -> ColumnSketch:
    import numpy as np

    values = _as_numbers(batch.drop_null(), type_)
    is_double = values.dtype.kind == "f"
    known = values[~np.isnan(values)] if is_double else values
    distinct, often = np.unique(known, return_counts=True)
    finite = known[np.isfinite(known)] if is_double else known
    kept.add_numbers(finite.astype(np.float64, copy=False))
    kept.add_distinct(distinct.tolist())
    chosen, counts, dropped = _heaviest(often)
    kept.add_frequent([str(each) for each in distinct[chosen].tolist()], counts.tolist())
    mean, sd = _moments(finite.astype(np.float64, copy=False)) if is_double else (0.0, 0.0)
    return ColumnSketch(
        type="",
        rows=len(batch),
        missing=batch.null_count,
        nan=len(values) - len(known),
        infinite=len(known) - len(finite),
        finite=len(finite),
        zeros=int(np.count_nonzero(finite == 0)),
        mean=mean,
        sd=sd,
        min=finite.min().item() if len(finite) else None,
        max=finite.max().item() if len(finite) else None,
        dropped=dropped,
    )


def _as_numbers(present: pa.Array, type_: str) -> Any:
    """Return doubles and whole numbers; times as microseconds, dates as days."""
    import pyarrow as pa

    if type_ == "double":
        # Adding 0.0 turns -0.0 into 0.0, which it equals.
        return present.cast(pa.float64()).to_numpy() + 0.0
    if type_ == "date":
        present = present.cast(pa.int32())
    return present.cast(pa.int64()).to_numpy()


def _moments(finite: np.ndarray) -> tuple[float, float]:
    import numpy as np

    if len(finite) == 0:
        return 0.0, 0.0
    # Scaled by a power of two, which is exact, so that squares of large values do not overflow.
    scale = 2.0 ** max(math.frexp(float(np.abs(finite).max()))[1] - 400, 0)
    mean = float((finite / scale).mean())
    return mean * scale, math.sqrt(float(np.square(finite / scale - mean).mean())) * scale


def _heaviest(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Return which values of a batch are kept, their counts, and what was taken off each.

    The count of the first value that has no place is taken off all, as Agarwal and others merge
    such summaries (2012): no value loses more than the batch's rows / (KEPT + 1).
    """
    import numpy as np

    if len(counts) <= KEPT:
        return np.arange(len(counts)), counts, 0
    least = int(np.partition(counts, -KEPT - 1)[-KEPT - 1])
    chosen = np.flatnonzero(counts > least)
    return chosen, counts[chosen] - least, least
