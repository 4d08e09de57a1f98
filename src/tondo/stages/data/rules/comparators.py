"""How far a column is from the previous batch, and training from serving."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.stages.data.anomalies import anomaly, column_change
from tondo.stages.data.constraints import MEASURES
from tondo.stages.data.distances import between

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.constraints import ColumnSchema, Measure
    from tondo.stages.data.distances import Against
    from tondo.stages.data.statistics import ColumnStatistics, Statistics

_CONTROL = {"drift": "the previous batch", "skew": "what was served"}
_WORDS = {
    "l_infinity": "the greatest difference of shares",
    "jensen_shannon": "the Jensen-Shannon divergence",
    "normalized_difference": "the greatest difference of counts divided by all counts",
}


def check(
    name: str,
    found: ColumnStatistics,
    expected: ColumnSchema,
    *,
    control: Statistics | None,
    against: Against,
) -> Iterator[Anomaly]:
    """Report distances above their thresholds, and that there is nothing to compare with.

    Without a control batch nothing is asked, nor where the column has no value here and is not
    there at all.
    """
    comparator = getattr(expected, against)
    if control is None or comparator is None:
        return
    limits = {each: getattr(comparator, each) for each in MEASURES}
    asked = {each: limit for each, limit in limits.items() if limit is not None}
    other = control.columns.get(name)
    if not asked:
        return
    if found.present and (other is None or other.present == 0):
        yield _no_control(name, against, there=other is not None)
        return
    # Nothing here and nothing there is no difference.
    if other is None:
        return
    for each, limit in asked.items():
        measured = between(other, found, each)
        if measured is None:
            yield _not_comparable(name, other, found, against=against, measure=each)
        elif measured[0] > limit:
            yield _too_far(name, each, against, limit, measured)


def _no_control(name: str, against: str, *, there: bool) -> Anomaly:
    lacks = "has no value of this column" if there else "lacks this column"
    return anomaly(
        "control_missing",
        name,
        f"{_CONTROL[against]} {lacks}, so {against} cannot be measured",
        patch=(column_change(name, against, value=None),),
    )


def _not_comparable(
    name: str, other: ColumnStatistics, found: ColumnStatistics, *, against: str, measure: str
) -> Anomaly:
    return anomaly(
        "statistics_missing",
        name,
        f"{_WORDS[measure]} of {found.type} here and {other.type} in {_CONTROL[against]} "
        "cannot be measured",
        patch=(column_change(name, against, measure, value=None),),
    )


def _too_far(
    name: str,
    measure: Measure,
    against: str,
    limit: float,
    measured: tuple[float, str | None],
) -> Anomaly:
    value, label = measured
    where = f", most at {label!r}" if label else ""
    return anomaly(
        measure,
        name,
        f"{_WORDS[measure]} from {_CONTROL[against]} is {value:.6g}{where}, "
        f"expected at most {limit:g}",
        numbers={"value": value, "threshold": limit},
        examples=(label,) if label else (),
        patch=(column_change(name, against, measure, value=value),),
    )
