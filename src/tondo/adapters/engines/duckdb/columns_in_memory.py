"""Columns held in NumPy, for work that looks at many selections of the same rows."""

# ruff: noqa: S608 - composed SQL holds names of our own and expressions quoted before

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tondo.adapters.engines.duckdb import profile_numbers as numbers
from tondo.adapters.engines.duckdb import profile_texts as texts
from tondo.adapters.engines.duckdb.connection import to_arrow
from tondo.adapters.engines.figures import entries, list_entries, sizes
from tondo.core.columns import item_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from tondo.adapters.engines.duckdb.profile import Extent


def load(connection: Any, source: str, column_type: str) -> Numbers | Texts | Lists:
    """Read the column `v` of `source`."""
    item = item_type(column_type)
    if item is not None:
        return _load_lists(connection, source, item)
    if column_type in numbers.ORDERED_SQL:
        value = numbers.ORDERED_SQL[column_type].format("v")
        column = to_arrow(connection, f"SELECT {value} AS v FROM {source}").column(0)
        valid = column.is_valid().to_numpy() if column.null_count else None
        known = column.fill_null(0) if column.null_count else column
        return Numbers(known.to_numpy(), valid)
    if column_type == "string":
        column = to_arrow(connection, f"SELECT v FROM {source}").column(0)
        return of_texts(connection, column.chunks)
    return of_booleans(to_arrow(connection, f"SELECT v::TINYINT AS v FROM {source}").column(0))


def of_booleans(column: pa.ChunkedArray) -> Texts:
    """Return a column of 0, 1 and null as booleans."""
    return Texts(column.fill_null(-1).to_numpy().astype(np.int32), [False, True], {})


def of_texts(connection: Any, chunks: Sequence[pa.Array]) -> Texts:
    """Return texts, of one column or of several in a row, each distinct one measured once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = pa.chunked_array(chunks, pa.string()).combine_chunks().dictionary_encode()
    order = pc.sort_indices(encoded.dictionary)
    words = encoded.dictionary.take(order)
    rank = np.empty(len(words) + 1, np.int32)
    rank[order.to_numpy()] = np.arange(len(words), dtype=np.int32)
    # A null is -1, and so is the last rank.
    rank[-1] = -1
    codes = encoded.indices.fill_null(-1) if encoded.null_count else encoded.indices
    connection.register("words", pa.table({"v": words}))
    measured = to_arrow(connection, f"SELECT {texts.measured_sql()} FROM words")
    connection.unregister("words")
    measures = {name: measured[name].to_numpy() for name in measured.column_names}
    return Texts(rank[codes.to_numpy()], words.to_pylist(), measures)


class Numbers:
    """Numbers, ids or times, and which of them are there (None: all)."""

    def __init__(self, values: np.ndarray, valid: np.ndarray | None) -> None:
        self._values = values
        self._valid = valid

    def describe(self, rows: np.ndarray, extent: Extent) -> dict[str, Any]:
        """Return the entries of these rows (positions, or a mask)."""
        chosen = self._values[rows]
        present = chosen if self._valid is None else chosen[self._valid[rows]]
        present = np.sort(present)
        return numbers.describe(present, rows=len(chosen), top=extent.top, buckets=extent.buckets)


class Texts:
    """Texts or booleans: a number for each row, -1 for null, into the sorted distinct values."""

    def __init__(
        self, codes: np.ndarray, values: list[Any], measures: dict[str, np.ndarray]
    ) -> None:
        self._codes = codes
        self._values = values
        self._measures = measures

    def describe(self, rows: np.ndarray | slice, extent: Extent) -> dict[str, Any]:
        """Return the entries of these rows (positions, a mask, or a slice)."""
        codes = np.sort(self._codes[rows])
        missing = int(np.searchsorted(codes, 0))
        starts, counts = numbers.runs(codes[missing:])
        distinct = codes[missing:][starts]
        chosen = numbers.most_frequent(counts, extent.labels)
        values = map(self._values.__getitem__, distinct[chosen].tolist())
        top = list(map(list, zip(values, counts[chosen].tolist(), strict=True)))
        found = entries(len(codes), missing, len(distinct), top)
        if self._measures:
            found |= _measured(
                {name: each[distinct] for name, each in self._measures.items()}, counts
            )
        return found


def _measured(of_distinct: dict[str, np.ndarray], counts: np.ndarray) -> dict[str, Any]:
    lengths, present = of_distinct["length"], int(counts.sum())
    return {
        "empty": int(counts[lengths == 0].sum()),
        "length": _sizes(lengths, counts, present),
        "tokens": _sizes(of_distinct["tokens"], counts, present),
        "integer_text": bool(present and of_distinct["integer_text"].all()),
        "number_text": bool(present and of_distinct["number_text"].all()),
    }


def _sizes(lengths: np.ndarray, counts: np.ndarray, present: int) -> dict[str, Any]:
    if present == 0:
        return sizes(None, None, 0, 0)
    total = int((lengths * counts).sum())
    return sizes(int(lengths.min()), int(lengths.max()), total, present)


class Lists:
    """Lists: their lengths (0 for null), which are there, and the items of all in one row."""

    def __init__(self, lengths: np.ndarray, valid: np.ndarray, items: Numbers | Texts) -> None:
        self._lengths = lengths
        self._valid = valid
        self._starts = np.concatenate(([0], np.cumsum(lengths)))
        self._items = items

    def describe(self, rows: np.ndarray, extent: Extent) -> dict[str, Any]:
        """Return the entries of these rows (positions, or a mask)."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        lengths = np.sort(self._lengths[rows][self._valid[rows]])
        valency = numbers.describe(lengths, rows=len(lengths), top=0, buckets=1)
        length = _sizes(lengths, np.ones(len(lengths), np.int64), len(lengths))
        return list_entries(
            entries(len(rows), len(rows) - len(lengths), 0, []),
            {"empty": int(np.count_nonzero(lengths == 0)), "length": length},
            histogram=valency["quantile_histogram"],
            items=self._items.describe(self._places(rows), extent),
        )

    def _places(self, rows: np.ndarray) -> np.ndarray:
        """Return where the items of these rows stand."""
        lengths = self._lengths[rows]
        before = np.cumsum(lengths) - lengths
        places: np.ndarray = np.repeat(self._starts[rows] - before, lengths)
        return places + np.arange(len(places))


def _load_lists(connection: Any, source: str, item: str) -> Lists:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = to_arrow(connection, f"SELECT v FROM {source}").column(0)
    lengths = pc.list_value_length(column).fill_null(0).to_numpy().astype(np.int64)
    items = pa.table({"v": pc.list_flatten(column)})
    connection.register("items", items)
    loaded = load(connection, "items", item)
    connection.unregister("items")
    if isinstance(loaded, Lists):
        raise TypeError(item)
    return Lists(lengths, column.is_valid().to_numpy(), loaded)
