"""Exact statistics of a table, all columns of a kind in the same few jobs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.adapters.engines.figures import MOST_WEIGHT, entries, list_entries, unfit_weight
from tondo.adapters.engines.spark import profile_numbers, profile_texts
from tondo.adapters.engines.spark.counted import NUMBER, TEXT, WEIGHT, counted, parts_of, rows_of
from tondo.adapters.engines.spark.tables import quote
from tondo.core.columns import item_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tondo.adapters.engines.spark.counted import Part


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a column is told."""

    top: int
    """Most frequent values of numbers and times."""
    labels: int
    """Most frequent values of texts and booleans."""
    buckets: int


def profile(
    frame: Any,
    columns: Mapping[str, str],
    *,
    extent: Extent,
    weight: str | None = None,
) -> dict[str, dict[str, Any]]:
    """Return the entries that `ports/engine.py` promises, by column name."""
    if weight is not None:
        frame = _weighed(frame, weight)
    (found,) = describe(frame, columns, extent=extent, slices=None, weighted=weight is not None)
    return found


def describe(
    frame: Any,
    columns: Mapping[str, str],
    *,
    extent: Extent,
    slices: int | None,
    weighted: bool = False,
) -> list[dict[str, dict[str, Any]]]:
    """Return the entries by column name of each slice, or of the one whole without slices.

    With `slices`, the column SLICE of the frame numbers each row's slice from 0.
    """
    found: dict[tuple[int, str, str], dict[str, Any]] = {}
    for kind, parts in parts_of(columns).items():
        if not parts:
            continue
        long = counted(frame, parts, sliced=slices is not None, weighted=weighted)
        with _kept(long):
            told = _of_kind(kind, long, parts, extent, slices or 1, weighted=weighted)
        for c, entry in enumerate(told):
            part = parts[c % len(parts)]
            found[c // len(parts), part.name, part.role] = entry
    return [
        {name: _entry(found, at, name, type_) for name, type_ in columns.items()}
        for at in range(1 if slices is None else slices)
    ]


def _of_kind(
    kind: str, long: Any, parts: Sequence[Part], extent: Extent, slices: int, *, weighted: bool
) -> list[dict[str, Any]]:
    if kind == TEXT:
        return profile_texts.describe(
            long, parts, slices=slices, top=extent.labels, weighted=weighted
        )
    return profile_numbers.describe(
        long,
        parts,
        slices=slices,
        top=extent.top,
        buckets=extent.buckets,
        is_double=kind == NUMBER,
        weighted=weighted,
    )


@contextmanager
def _kept(long: Any) -> Iterator[None]:
    """Keep a frame in memory and on disk while it is read several times."""
    long.persist()
    try:
        yield
    finally:
        long.unpersist()


def _entry(
    found: Mapping[tuple[int, str, str], dict[str, Any]], at: int, name: str, column_type: str
) -> dict[str, Any]:
    """Return the entry of one column; that of a list is put together from lengths and items."""
    if item_type(column_type) is None:
        return found[at, name, "value"]
    lengths, items = dict(found[at, name, "length"]), dict(found[at, name, "items"])
    items.pop("weighted", None)
    weighed = lengths.pop("weighted", None)
    listed = list_entries(
        entries(lengths["rows"], lengths["missing"], 0, []),
        {"empty": lengths["empty"], "length": lengths["length"]},
        histogram=lengths["quantile_histogram"],
        items=items,
    )
    if weighed is not None:
        # The language has no equality of lists: only their presence is weighed.
        listed["weighted"] = {name: weighed[name] for name in ("rows", "missing")}
    return listed


def _weighed(frame: Any, weight: str) -> Any:
    """Add WEIGHT, 1 where missing; raise TD-STATS-004 for what is no weight."""
    known = f"CAST({quote(weight)} AS DOUBLE)"
    told = f"NOT isnan({known}) AND ({known} < 0 OR {known} > {MOST_WEIGHT})"
    for row in rows_of(frame.where(told).selectExpr(f"{known} AS w").limit(1)):
        raise unfit_weight(row["w"], weight)
    free = f"CASE WHEN {known} IS NULL OR isnan({known}) THEN 1.0D ELSE {known} END AS {WEIGHT}"
    return frame.selectExpr(*map(quote, frame.columns), free)
