"""Consistency: whether the vectors that were served equal those computed again, bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import CallerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


class FeatureConsistency(msgspec.Struct, frozen=True, kw_only=True):
    """One feature: how many rows agree, and where the first ones do not."""

    name: str
    rows: int
    equal: int
    examples: tuple[tuple[int, float | None, float | None], ...]
    """(row, logged, recomputed) of the first rows that differ; None is a null."""

    @property
    def share(self) -> float:
        """Share of rows that agree; 1 when there are none."""
        return self.equal / self.rows if self.rows else 1.0


class ConsistencyReport(msgspec.Struct, frozen=True, kw_only=True):
    """Every feature, the least consistent first."""

    rows: int
    equal_rows: int
    """Rows in which every feature agrees."""
    features: tuple[FeatureConsistency, ...]

    @property
    def exact(self) -> bool:
        """Whether every value of every row agrees."""
        return self.equal_rows == self.rows

    def __repr__(self) -> str:
        """Rows that agree, and the worst feature when some do not."""
        worst = ""
        if not self.exact:
            worst = f", worst {self.features[0].name} {self.features[0].share:.2%}"
        return f"ConsistencyReport({self.equal_rows} of {self.rows} rows equal{worst})"


MOST_EXAMPLES = 3


def consistency(
    logged: np.ndarray, recomputed: np.ndarray, *, names: Sequence[str]
) -> ConsistencyReport:
    """Compare two float64 matrices, rows x features in one order, by their bits.

    NaN means null on both sides and equals NaN whatever its payload; 0.0 and -0.0 differ.

    >>> import numpy as np
    >>> consistency(np.array([[1.0, 2.0]]), np.array([[1.0, 2.5]]), names=["wind", "dow"])
    ConsistencyReport(0 of 1 rows equal, worst dow 0.00%)
    """
    import numpy as np

    one = np.ascontiguousarray(logged, dtype=np.float64)
    two = np.ascontiguousarray(recomputed, dtype=np.float64)
    if one.shape != two.shape or one.shape[1:] != (len(names),):
        raise CallerError(
            "TD-MONITOR-005",
            f"vectors of shape {one.shape} and {two.shape} and {len(names)} names do not fit",
            expected="two matrices of the same rows, and one name a column",
            fix="Give both sides' vectors of one model version, in its order of features.",
        )
    equal = (one.view(np.uint64) == two.view(np.uint64)) | (np.isnan(one) & np.isnan(two))
    features = [
        FeatureConsistency(
            name=name,
            rows=len(equal),
            equal=int(equal[:, place].sum()),
            examples=_examples(one[:, place], two[:, place], equal[:, place]),
        )
        for place, name in enumerate(names)
    ]
    features.sort(key=lambda each: (each.share, each.name))
    return ConsistencyReport(
        rows=len(equal), equal_rows=int(equal.all(axis=1).sum()), features=tuple(features)
    )


def _examples(
    logged: np.ndarray, recomputed: np.ndarray, equal: np.ndarray
) -> tuple[tuple[int, float | None, float | None], ...]:
    import numpy as np

    return tuple(
        (int(row), _number(logged[row]), _number(recomputed[row]))
        for row in np.flatnonzero(~equal)[:MOST_EXAMPLES]
    )


def _number(value: float) -> float | None:
    return None if value != value else float(value)  # noqa: PLR0124 - only NaN differs from itself
