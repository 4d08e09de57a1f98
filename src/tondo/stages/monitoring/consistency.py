"""Consistency: whether the vectors that were served equal those computed again, bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import CallerError
from tondo.language.functions import FUNCTIONS
from tondo.language.tree import Call, nodes_of
from tondo.language.walk import expand_fitted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np

    from tondo.language.tree import Node

TOLERANCE = 1e-9
"""Relative difference allowed of features through functions that engines may compute 4 units in
the last place apart: room for some thousand such steps, and far below any change of meaning."""


class FeatureConsistency(msgspec.Struct, frozen=True, kw_only=True):
    """One feature: how many rows agree, and where the first ones do not."""

    name: str
    rows: int
    equal: int
    tolerance: float = 0.0
    """Relative difference that counts as equal; 0: every bit."""
    examples: tuple[tuple[int | str, float | None, float | None], ...]
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
    logged: np.ndarray,
    recomputed: np.ndarray,
    *,
    names: Sequence[str],
    tolerances: Mapping[str, float] | None = None,
    rows: Sequence[str] | None = None,
) -> ConsistencyReport:
    """Compare two float64 matrices, rows x features in one order, by their bits.

    NaN means null on both sides and equals NaN whatever its payload; 0.0 and -0.0 differ. A
    feature with a relative tolerance (`tolerances_of`) is compared within it. `rows` names the
    rows in examples; their places do, without it.

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
    allowed = tolerances or {}
    for place, name in enumerate(names):
        if allowed.get(name):
            near = np.isclose(one[:, place], two[:, place], rtol=allowed[name], atol=0.0)
            equal[:, place] |= near
    features = [
        FeatureConsistency(
            name=name,
            rows=len(equal),
            equal=int(equal[:, place].sum()),
            tolerance=allowed.get(name, 0.0),
            examples=_examples(one[:, place], two[:, place], equal[:, place], rows),
        )
        for place, name in enumerate(names)
    ]
    return _report(len(equal), int(equal.all(axis=1).sum()), features)


def tolerances_of(features: Mapping[str, Node]) -> dict[str, float]:
    """Return the tolerance of each feature that engines need not agree on in every bit.

    >>> from tondo.language.tree import Column
    >>> log, plain = Call("ln", (Column("x", "double"),), "double"), Column("x", "double")
    >>> tolerances_of({"log": log, "plain": plain})
    {'log': 1e-09}
    """
    return {name: TOLERANCE for name, node in features.items() if not _is_exact(node)}


def _is_exact(node: Node) -> bool:
    calls = (each for each in nodes_of(expand_fitted(node)) if isinstance(each, Call))
    return not any(FUNCTIONS[call.function].ulp for call in calls if call.function in FUNCTIONS)


def together(reports: Iterable[ConsistencyReport]) -> ConsistencyReport:
    """Return what reports of several model versions say together; features meet by name."""
    rows = equal_rows = 0
    found: dict[str, FeatureConsistency] = {}
    for report in reports:
        rows += report.rows
        equal_rows += report.equal_rows
        for each in report.features:
            before = found.get(each.name)
            found[each.name] = each if before is None else _summed(before, each)
    return _report(rows, equal_rows, list(found.values()))


def _summed(one: FeatureConsistency, two: FeatureConsistency) -> FeatureConsistency:
    return FeatureConsistency(
        name=one.name,
        rows=one.rows + two.rows,
        equal=one.equal + two.equal,
        tolerance=max(one.tolerance, two.tolerance),
        examples=(*one.examples, *two.examples)[:MOST_EXAMPLES],
    )


def _report(
    rows: int, equal_rows: int, features: Iterable[FeatureConsistency]
) -> ConsistencyReport:
    ordered = sorted(features, key=lambda each: (each.share, each.name))
    return ConsistencyReport(rows=rows, equal_rows=equal_rows, features=tuple(ordered))


def _examples(
    logged: np.ndarray,
    recomputed: np.ndarray,
    equal: np.ndarray,
    rows: Sequence[str] | None,
) -> tuple[tuple[int | str, float | None, float | None], ...]:
    import numpy as np

    return tuple(
        (int(row) if rows is None else rows[row], _number(logged[row]), _number(recomputed[row]))
        for row in np.flatnonzero(~equal)[:MOST_EXAMPLES]
    )


def _number(value: float) -> float | None:
    return None if value != value else float(value)  # noqa: PLR0124 - only NaN differs from itself
