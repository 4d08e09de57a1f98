"""A column as numbers that are counted: values, codes of texts, hours of times, list lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tondo.scoring.baseline import MOST_CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa

    from tondo.stages.data.statistics import Value

Reads = Literal["number", "label", "hour", "items"]
"""What of a column is looked at: numbers and dates as they are, texts and truth values by label,
of times the hour of the day (UTC), of lists the number of items."""


def how_to_read(type_: pa.DataType) -> Reads | None:
    """Return what of a column of this type is looked at; None when nothing is."""
    import pyarrow as pa

    tests: list[tuple[Any, Reads]] = [
        (pa.types.is_boolean, "label"),
        (pa.types.is_timestamp, "hour"),
        (pa.types.is_list, "items"),
        (pa.types.is_large_list, "items"),
        (pa.types.is_dictionary, "label"),
        (pa.types.is_string, "label"),
        (pa.types.is_large_string, "label"),
        (pa.types.is_integer, "number"),
        (pa.types.is_floating, "number"),
        (pa.types.is_date, "number"),
    ]
    return next((reads for test, reads in tests if test(type_)), None)


class ColumnNumbers(NamedTuple):
    """A column's values as float64, NaN where there is none; of labels the place in `labels`."""

    reads: Reads
    values: np.ndarray
    labels: Sequence[Value] = ()

    @property
    def is_numeric(self) -> bool:
        """Whether sizes of values mean something."""
        return self.reads in {"number", "items"}

    def part(self, rows: slice) -> ColumnNumbers:
        """Return some of the rows."""
        return self._replace(values=self.values[rows])

    def distinct(self) -> int:
        """Return how many distinct values there are."""
        import numpy as np

        return len(np.unique(self._present()))

    def common(self, most: int) -> tuple[tuple[Value, float], ...]:
        """Return the most frequent values with their shares of all rows, ties by value."""
        import numpy as np

        values, counts = np.unique(self._present(), return_counts=True)
        order = np.argsort(-counts, kind="stable")[:most]
        rows = len(self.values)
        return tuple((self.said(values[at]), float(counts[at]) / rows) for at in order)

    def labelled(self) -> tuple[tuple[Value, ...], np.ndarray]:
        """Return the labels that get a bin each, the most frequent, and the values as their places.

        Numbers, hours and lengths are returned as they are, without labels.
        """
        if self.reads != "label":
            return (), self.values
        kept = tuple(each for each, _ in self.common(MOST_CATEGORIES))
        return kept, self.placed_among(kept)

    def placed_among(self, labels: Sequence[Value]) -> np.ndarray:
        """Return each label's place among `labels`, or their number where it is none of them."""
        import numpy as np

        if self.reads != "label":
            return self.values
        known = {label: place for place, label in enumerate(labels)}
        places = np.array([known.get(each, len(labels)) for each in self.labels], dtype=np.float64)
        found = np.full(len(self.values), np.nan)
        there = ~np.isnan(self.values)
        found[there] = places[self.values[there].astype(np.int64)]
        return found

    def _present(self) -> np.ndarray:
        import numpy as np

        present: np.ndarray = self.values[~np.isnan(self.values)]
        return present

    def said(self, value: float) -> Value:
        """Return a number as the column has it: of labels the text."""
        return self.labels[int(value)] if self.reads == "label" else float(value)


def read_column(column: pa.ChunkedArray, reads: Reads) -> ColumnNumbers:
    """Read a column as numbers; nulls are NaN, and NaN is missing as everywhere."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = column.combine_chunks()
    if reads == "label":
        return _labels(whole)
    if reads == "hour":
        numbers = pc.hour(whole.cast(pa.timestamp("us", tz="UTC"))).cast(pa.float64())
    elif reads == "items":
        numbers = pc.list_value_length(whole).cast(pa.float64())
    elif pa.types.is_date(whole.type):
        numbers = whole.cast(pa.date32()).cast(pa.int32()).cast(pa.float64())
    else:
        numbers = whole.cast(pa.float64(), safe=False)
    filled = pc.fill_null(numbers, np.nan)
    return ColumnNumbers(reads, np.asarray(filled.to_numpy(zero_copy_only=False)))


def _labels(whole: pa.Array) -> ColumnNumbers:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = whole.cast(whole.type.value_type) if pa.types.is_dictionary(whole.type) else whole
    encoded = pc.dictionary_encode(texts)
    # Sorted, so that ties between equally frequent labels go to the lesser one.
    order = pc.array_sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order))
    rank[order] = np.arange(len(order))
    codes = pc.fill_null(encoded.indices.cast(pa.float64()), np.nan)
    values = np.array(codes.to_numpy(zero_copy_only=False))
    there = ~np.isnan(values)
    values[there] = rank[values[there].astype(np.int64)] if len(order) else 0.0
    labels = [encoded.dictionary[int(at)].as_py() for at in order]
    return ColumnNumbers("label", values, labels)
