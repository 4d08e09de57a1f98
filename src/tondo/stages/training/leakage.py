"""What in a training set may tell the answer: features too good, entities and rows on both sides.

Looked for where training has both sides at hand. A leak is a sentence with numbers; whether it is
one, a person decides: nothing is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.stages.training.strength import auc_by_value, auc_of, equal_bits, nulls_by_chance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pyarrow as pa

LIMIT = 0.95
"""AUC at which one feature alone is too good: models that are deployed with all their features
rarely reach it."""
BY_CHANCE = 1e-9
"""A pattern less probable than this, were labels shuffled, is not chance in any number of
features that a model has."""
_MOST_ROWS = 20_000
"""Newest rows by which a feature is measured: the standard error of an AUC of 0.95 is 0.002."""
_LEAST_ROWS = 100
"""With fewer known values an AUC of 0.95 is within reach of chance."""
_PLACES = 50
"""A key of fewer values names places rather than persons; every split has all of them."""
_EQUAL_SHARE = 0.01
_TIMES_EXPECTED = 5.0
"""Equal rows are told when they are so many times what features that know nothing of each other
would give."""

Kind = Literal["feature", "null", "key", "rows", "label"]


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which the answer may be known already."""

    kind: Kind
    subject: str
    """A feature or a column; empty where rows are meant."""
    message: str
    numbers: dict[str, float]


class KeyOverlap(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a key is on both sides of the split."""

    column: str
    training_values: int
    held_back_values: int
    shared_values: int
    rows: int
    """Held-back rows whose value is among those learned from."""
    share: float
    """Of the held-back rows that have a value."""


class EqualRows(msgspec.Struct, frozen=True, kw_only=True):
    """Held-back rows of which every feature equals that of a row learned from."""

    rows: int
    share: float
    expected: float
    """Rows to be expected if features knew nothing of each other."""
    distinct_share: float
    """Distinct vectors among the rows learned from; small where features have few values."""


class LeakageReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, and what was found."""

    limit: float = LIMIT
    rows: int
    """Training rows by which features were measured, the newest."""
    held_back: int
    features: dict[str, float | None]
    """The AUC of each feature alone, whichever way it points and however it bends; None where
    there are too few rows."""
    keys: list[KeyOverlap]
    equal_rows: EqualRows
    label_known_early: int
    """Rows of the training set whose label was known when the prediction was asked."""
    leaks: list[Leak]

    def __repr__(self) -> str:
        """Say what was found, a sentence a line."""
        told = "\n".join(f"  {each.message}" for each in self.leaks)
        count = f"{len(self.leaks)} leaks" if self.leaks else "no leak"
        return f"LeakageReport({count} in {self.rows} rows)" + (f"\n{told}" if told else "")


def look_for_leaks(
    matrix: np.ndarray,
    label: np.ndarray,
    held: np.ndarray,
    *,
    names: Sequence[str],
    keys: Mapping[str, tuple[pa.ChunkedArray, pa.ChunkedArray]],
    by: str,
    label_known_early: int = 0,
    rows: int,
) -> LeakageReport:
    """Return the report on rows learned from (`matrix`, `label` as 0/1) and rows held back.

    Matrices are rows x features in the order of `names`, null as NaN. `keys` gives of each entity
    key the training values and those held back; `by` is how rows were split; `rows` those of the
    training set.
    """
    shown, truth = matrix[-_MOST_ROWS:], label[-_MOST_ROWS:]
    features: dict[str, float | None] = {}
    leaks: list[Leak] = []
    for place, name in enumerate(names):
        features[name] = _strength(shown[:, place], truth)
        leaks += _of_feature(name, features[name], shown[:, place], truth)
    overlaps = [_overlap(name, *values) for name, values in keys.items()]
    equal = _equal_rows(matrix, held)
    leaks += [_shared(each) for each in overlaps if _is_shared(each, by)]
    leaks += _of_rows(equal, len(held)) + _of_label(label_known_early, rows)
    return LeakageReport(
        rows=len(shown),
        held_back=len(held),
        features=features,
        keys=overlaps,
        equal_rows=equal,
        label_known_early=label_known_early,
        leaks=leaks,
    )


def _strength(values: np.ndarray, label: np.ndarray) -> float | None:
    import numpy as np

    known = ~np.isnan(values)
    plain = None
    if known.sum() >= _LEAST_ROWS:
        plain = auc_of(values[known], label[known])
    bent = auc_by_value(values, label) if len(values) >= _LEAST_ROWS else None
    found = [max(each, 1 - each) for each in (plain, bent) if each is not None]
    return round(max(found), 6) if found else None


def _of_feature(
    name: str, strength: float | None, values: np.ndarray, label: np.ndarray
) -> list[Leak]:
    leaks = []
    if strength is not None and strength >= LIMIT:
        what = f"'{name}' alone tells the label with an AUC of {strength:.4f} (limit {LIMIT})"
        leaks.append(
            Leak(
                kind="feature",
                subject=name,
                message=f"{what}: is it known when the prediction is asked?",
                numbers={"auc": strength, "limit": LIMIT},
            )
        )
    found = nulls_by_chance(values, label)
    if found is not None and found.chance < BY_CHANCE:
        leaks.append(
            Leak(
                kind="null",
                subject=name,
                message=f"'{name}' is {found.state} in {found.rows} rows, and every one of them is "
                f"{found.label}: what decides whether it is known may be the outcome.",
                numbers={"rows": found.rows, "base_rate": found.base_rate, "chance": found.chance},
            )
        )
    return leaks


def _overlap(column: str, training: pa.ChunkedArray, held: pa.ChunkedArray) -> KeyOverlap:
    from pyarrow import compute

    known, asked = training.unique().drop_null(), held.drop_null()
    rows = compute.sum(compute.is_in(asked, value_set=known), min_count=0).as_py()
    distinct = asked.unique()
    return KeyOverlap(
        column=column,
        training_values=len(known),
        held_back_values=len(distinct),
        shared_values=compute.sum(compute.is_in(distinct, value_set=known), min_count=0).as_py(),
        rows=rows,
        share=rows / len(asked) if len(asked) else 0.0,
    )


def _is_shared(found: KeyOverlap, by: str) -> bool:
    # By time the rows held back are later ones of entities that serving will know as well.
    return by in {"random", "column"} and found.share >= 0.5 and found.training_values >= _PLACES


def _shared(found: KeyOverlap) -> Leak:
    return Leak(
        kind="key",
        subject=found.column,
        message=f"{found.shared_values} of {found.held_back_values} values of '{found.column}' "
        f"that were held back were learned from too ({found.share:.1%} of the rows): what the "
        "model remembers of them counts as skill. A split by time or by group would tell.",
        numbers={"share": found.share, "rows": found.rows, "values": found.shared_values},
    )


def _equal_rows(matrix: np.ndarray, held: np.ndarray) -> EqualRows:
    import numpy as np

    if not len(held):
        return EqualRows(rows=0, share=0.0, expected=0.0, distinct_share=1.0)
    known, asked = np.sort(equal_bits(matrix)), equal_bits(held)
    place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    rows = int((known[place] == asked).sum())
    distinct = 1 + int((known[1:] != known[:-1]).sum())
    shown = matrix[-_MOST_ROWS:]
    alike = 1.0
    for column in shown.T:
        shares = np.unique(column, return_counts=True)[1] / len(shown)
        alike *= float((shares**2).sum())
    return EqualRows(
        rows=rows,
        share=rows / len(held),
        expected=len(held) * min(1.0, len(matrix) * alike),
        distinct_share=distinct / len(matrix),
    )


def _of_rows(found: EqualRows, held_back: int) -> list[Leak]:
    usual = found.rows <= _TIMES_EXPECTED * found.expected or found.distinct_share < 0.5
    if found.share < _EQUAL_SHARE or usual:
        return []
    return [
        Leak(
            kind="rows",
            subject="",
            message=f"{found.rows} of {held_back} rows held back equal a row that was learned from "
            f"in every feature; about {found.expected:.0f} would be expected: are there copies?",
            numbers={
                "rows": found.rows,
                "share": found.share,
                "expected": found.expected,
                "distinct_share": found.distinct_share,
            },
        )
    ]


def _of_label(early: int, rows: int) -> list[Leak]:
    if not early:
        return []
    return [
        Leak(
            kind="label",
            subject="label",
            message=f"in {early} of {rows} rows the label was known before the prediction was "
            "asked: such rows are easier than those to come, or a time is wrong.",
            numbers={"rows": early, "share": early / rows},
        )
    ]
