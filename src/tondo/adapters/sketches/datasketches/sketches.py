"""One column's three sketches: quantiles, distinct values, frequent values.

KLL (Karnin, Lang, Liberty 2016), HLL (Flajolet and others 2007) and frequent items (Anderson and
others 2017, after Misra and Gries 1982), in the library's own portable bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DataError, MissingExtraError

try:
    import datasketches
except ImportError:  # pragma: no cover - the tests run with every extra
    raise MissingExtraError.of("sketches", "a sketch of statistics") from None

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from tondo.ports.sketches import ValueSketch

_KLL_K = 400
"""A rank error of 0.7 % in about 10 KB; k = 200, the library's own choice, has 1.3 %."""
_HLL_LG_K = 13
"""A standard error of 1.1 % in 8 KB."""
_FREQUENT_LG_SIZE = 12
"""At most 3,072 values are kept, each counted to within 0.09 % of all."""
_STANDARD_ERRORS = 3


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    numbers: bytes
    distinct: bytes
    frequent: bytes


class DataSketches:
    """Makes and reads sketches.

    KLL drops values by chance, and the library takes no seed: two sketches of the same rows may
    differ, within the bounds.
    """

    def empty(self) -> Sketch:
        """Return a sketch that has seen nothing."""
        return Sketch(
            datasketches.kll_doubles_sketch(_KLL_K),
            _new_distinct(),
            datasketches.frequent_strings_sketch(_FREQUENT_LG_SIZE),
        )

    def read(self, data: bytes) -> Sketch:
        """Return a kept sketch (TD-SKETCH-001 when the bytes are none)."""
        try:
            kept = msgspec.msgpack.decode(data, type=_Kept)
            return Sketch(
                datasketches.kll_doubles_sketch.deserialize(kept.numbers),
                datasketches.hll_sketch.deserialize(kept.distinct),
                datasketches.frequent_strings_sketch.deserialize(kept.frequent),
            )
        except (msgspec.MsgspecError, IndexError, ValueError, RuntimeError) as error:
            raise DataError(
                "TD-SKETCH-001",
                f"the bytes hold no sketch: {error}",
                expected="the bytes that a sketch gave, whole",
                fix="Fetch them again, or sketch the rows again.",
            ) from None


def _new_distinct() -> Any:
    return datasketches.hll_sketch(_HLL_LG_K, datasketches.tgt_hll_type.HLL_8)


class Sketch:
    """The values of one column, roughly (`ports/sketches.py` says what each method gives)."""

    def __init__(self, kll: Any, hll: Any, items: Any) -> None:
        self.kll = kll
        self.hll = hll
        self.items = items

    @property
    def rank_error(self) -> float:
        """Single-sided, at 99 %; 0 while every number is kept."""
        if not self.kll.is_estimation_mode():
            return 0.0
        return float(self.kll.normalized_rank_error(False))

    def add_numbers(self, values: np.ndarray) -> None:
        """Take finite numbers for quantiles."""
        self.kll.update(values)

    def add_distinct(self, values: Sequence[float | int | str]) -> None:
        """Take values for the count of distinct ones."""
        for value in values:
            self.hll.update(value)

    def add_frequent(self, texts: Sequence[str], counts: Sequence[int]) -> None:
        """Take values in words and how often each occurs."""
        for text, count in zip(texts, counts, strict=True):
            self.items.update(text, count)

    def merge(self, other: ValueSketch) -> None:
        """Take in what another sketch has seen."""
        if not isinstance(other, Sketch):
            raise TypeError(type(other))
        self.kll.merge(other.kll)
        self.items.merge(other.items)
        union = datasketches.hll_union(_HLL_LG_K)
        union.update(self.hll)
        union.update(other.hll)
        self.hll = union.get_result(datasketches.tgt_hll_type.HLL_8)

    def quantiles(self, shares: Sequence[float]) -> list[float]:
        """Return a value that occurs for each share."""
        if self.kll.is_empty():
            return []
        return [float(each) for each in self.kll.get_quantiles(list(shares), True)]

    def shares_below(self, edges: Sequence[float]) -> list[float]:
        """Return about which share of the numbers is below each edge."""
        return [float(each) for each in self.kll.get_cdf(list(edges))[: len(edges)]]

    def distinct(self) -> tuple[int, int, int]:
        """Return how many distinct values were taken: about, at least, at most."""
        about = round(self.hll.get_estimate())
        low = int(self.hll.get_lower_bound(_STANDARD_ERRORS))
        high = int(self.hll.get_upper_bound(_STANDARD_ERRORS))
        return about, min(low, about), max(high, about)

    def frequent(self) -> tuple[list[tuple[str, int, int]], int]:
        """Return the kept values with their bounds, and the upper bound of all others."""
        kind = datasketches.frequent_items_error_type.NO_FALSE_NEGATIVES
        found = [(each[0], each[2], each[3]) for each in self.items.get_frequent_items(kind)]
        # The sketch is wrong about every value by at most the same; one that it lacks is at 0.
        most = found[0][2] - found[0][1] if found else self.items.get_upper_bound("")
        return found, int(most)

    def to_bytes(self) -> bytes:
        """Return what `DataSketches.read` reads."""
        kept = _Kept(
            self.kll.serialize(),
            self.hll.serialize_compact(),
            self.items.serialize(),
        )
        return msgspec.msgpack.encode(kept)
