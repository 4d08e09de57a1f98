"""Label quality: what a label is, where it is missing, late, contradictory or likely wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.durations import format_duration, parse_duration_us
from tondo.core.errors import CallerError, near
from tondo.stages.data import display
from tondo.stages.data.suspects import SuspectedLabel, suspected_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa

MOST_SAMPLES = 10
MOST_CLASSES = 50
"""A label with more different values is a number to predict, and has no classes to balance."""


class Contradiction(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that are equal in every feature and have different labels."""

    values: dict[str, Any]
    labels: dict[str, int]
    """Label to how many of the rows have it."""
    rows: tuple[int, ...]
    """The first of them, from 0."""


class LabelQuality(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a label's quality; counts are of rows."""

    label: str
    definition: str
    horizon: str
    rows: int
    missing: int
    """Null labels, those not yet due among them."""
    not_due: int | None
    """Null labels whose horizon ends after `as_of`; None where that cannot be told."""
    late: int | None
    """Labels known after the horizon; None without `time`, `known_at` and `horizon`."""
    classes: dict[str, int]
    """Label to rows, the most frequent first; empty for a number to predict."""
    imbalance: float | None
    """Rows of the most frequent class for each row of the rarest."""
    contradicting: int
    """Rows that are equal to another in every feature and have another label."""
    minority: int
    """Rows whose label is not the most frequent of their equals: errors that no model of these
    features can avoid."""
    contradictions: tuple[Contradiction, ...]
    """The largest groups."""
    scored: int | None
    """Labelled rows with out-of-fold scores; None when none were handed in."""
    suspected: int
    suspects: tuple[SuspectedLabel, ...]
    """The most suspicious first."""

    @property
    def contradicting_share(self) -> float:
        """Contradicting rows as a share of the labelled ones."""
        return self.contradicting / max(self.rows - self.missing, 1)

    def lines(self) -> list[tuple[str, str]]:
        """Return each finding as name and text."""
        pending = "" if self.not_due is None else f", {self.not_due:,} of them not yet due"
        late = "not known without time, known_at and horizon"
        found = [
            ("definition", self.definition or "none given"),
            ("horizon", self.horizon or "none given"),
            ("missing", f"{self.missing:,} of {self.rows:,} rows{pending}"),
            ("late", late if self.late is None else f"{self.late:,} known after the horizon"),
        ]
        if self.imbalance is not None:
            counts = ", ".join(f"{name}: {count:,}" for name, count in self.classes.items())
            found.append(("classes", f"{counts} ({self.imbalance:.3g} to 1)"))
        found.append(
            (
                "contradictions",
                (
                    f"{self.contradicting:,} rows ({self.contradicting_share:.2%}) have equals "
                    f"with another label; {self.minority:,} labels are in the minority"
                ),
            )
        )
        text = "no out-of-fold scores were given"
        if self.scored is not None:
            text = f"{self.suspected:,} of {self.scored:,} scored labels"
        return [*found, ("suspected errors", text)]

    def __repr__(self) -> str:
        body = "\n".join(f"  {name}: {text}" for name, text in self.lines())
        shown = "\n".join(f"    {each}" for each in self.suspects[:5])
        return f"label '{self.label}'\n{body}" + (f"\n{shown}" if shown else "")

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        rows = [list(each) for each in self.lines()]
        page = display.table(["", ""], rows, caption=f"label {self.label}")
        if self.suspects:
            cells = [
                [str(each.row), each.label, each.suggested, f"{each.margin:.3f}"]
                for each in self.suspects
            ]
            head = ["row", "label", "suggested", "margin"]
            page = display.Markup(page + display.table(head, cells, caption="suspected errors"))
        return page


def label_quality(
    table: pa.Table,
    *,
    label: str,
    features: Sequence[str],
    time: str | None = None,
    known_at: str | None = None,
    horizon: str | None = None,
    as_of_us: int | None = None,
    definition: str = "",
    scores: np.ndarray | None = None,
    classes: Sequence[Any] | None = None,
) -> LabelQuality:
    """Return the quality of a label of a table.

    `features` are the columns in which rows must be equal to contradict each other: the model's
    inputs, or a row's key. `time` is the row's own time, `known_at` when its label became known,
    `horizon` (`7d`) how long that may take; with `as_of_us` a missing label is due or not.
    `scores` are out-of-fold: for each row the probability of each of `classes`, in their order
    (rows x classes), or of the second class alone (rows); NaN where a row has none. Errors:
    TD-LABEL-001 (a column is not there), -002 (scores that do not fit).
    """
    named = [label, *features, *(each for each in (time, known_at) if each)]
    for name in named:
        if name not in table.column_names:
            raise CallerError(
                "TD-LABEL-001",
                f"there is no column '{name}'",
                fix=near(name, table.column_names),
                column=name,
            )
    labels = _plain(table.column(label).to_pylist())
    counts = _classes(labels)
    groups = _contradictions(table, labels, features)
    found = None if scores is None else suspected_labels(labels, scores, classes=classes)
    late, not_due = _lateness(table, labels, time, known_at, horizon, as_of_us)
    sizes = list(counts.values())
    return LabelQuality(
        label=label,
        definition=definition,
        horizon="" if horizon is None else format_duration(parse_duration_us(horizon)),
        rows=len(labels),
        missing=labels.count(None),
        not_due=not_due,
        late=late,
        classes=counts,
        imbalance=sizes[0] / sizes[-1] if len(sizes) > 1 else None,
        contradicting=sum(sum(each.labels.values()) for each in groups),
        minority=sum(sum(each.labels.values()) - max(each.labels.values()) for each in groups),
        contradictions=tuple(groups[:MOST_SAMPLES]),
        scored=None if found is None else found.scored,
        suspected=0 if found is None else len(found.suspects),
        suspects=() if found is None else found.suspects,
    )


def _plain(values: Sequence[Any]) -> list[Any]:
    """Return values with NaN read as null."""
    return [None if each != each else each for each in values]  # noqa: PLR0124 - NaN is unequal


def _classes(labels: Sequence[Any]) -> dict[str, int]:
    counts: dict[Any, int] = {}
    for each in labels:
        if each is not None:
            counts[each] = counts.get(each, 0) + 1
    if len(counts) > MOST_CLASSES:
        return {}
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return {shown(value): count for value, count in ranked}


def shown(value: Any) -> str:
    """Return a label as text: a whole number without its point."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _contradictions(
    table: pa.Table, labels: Sequence[Any], features: Sequence[str]
) -> list[Contradiction]:
    """Return equal rows with different labels, the largest group first; null equals null."""
    columns = [_plain(table.column(name).to_pylist()) for name in features]
    groups: dict[tuple[Any, ...], list[int]] = {}
    for place, key in enumerate(zip(*columns, strict=True)):
        if labels[place] is not None:
            hashable = tuple(tuple(each) if isinstance(each, list) else each for each in key)
            groups.setdefault(hashable, []).append(place)
    found = []
    for key, places in groups.items():
        if len({labels[place] for place in places}) > 1:
            counts = _counted([labels[place] for place in places])
            values = dict(zip(features, key, strict=True))
            rows = tuple(places[:MOST_SAMPLES])
            found.append(Contradiction(values=values, labels=counts, rows=rows))
    return sorted(found, key=lambda each: (-sum(each.labels.values()), each.rows))


def _counted(labels: Sequence[Any]) -> dict[str, int]:
    return {shown(each): labels.count(each) for each in sorted(set(labels), key=str)}


def _lateness(
    table: pa.Table,
    labels: Sequence[Any],
    time: str | None,
    known_at: str | None,
    horizon: str | None,
    as_of_us: int | None,
) -> tuple[int | None, int | None]:
    """Return how many labels came after the horizon, and how many may still come."""
    if time is None or horizon is None:
        return None, None
    width = parse_duration_us(horizon)
    begun = _micros(table, time)
    late = None
    if known_at is not None:
        known = _micros(table, known_at)
        rows = zip(labels, begun, known, strict=True)
        late = sum(None not in row and row[2] - row[1] > width for row in rows)
    if as_of_us is None:
        return late, None
    rows_ = zip(labels, begun, strict=True)
    not_due = sum(each is None and at is not None and at + width > as_of_us for each, at in rows_)
    return late, not_due


def _micros(table: pa.Table, name: str) -> list[Any]:
    import pyarrow as pa

    column = table.column(name)
    if not pa.types.is_timestamp(column.type):
        raise CallerError(
            "TD-LABEL-001",
            f"'{name}' is a column of {column.type}",
            expected="a timestamp column",
            fix="Name the column that holds the time.",
            column=name,
        )
    micros: list[Any] = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()).to_pylist()
    return micros
