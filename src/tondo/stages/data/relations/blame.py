"""Which relations a batch breaks, and which column is to blame.

The smallest repair tells: when moving a time by some hours, or exchanging two columns, makes all
hold again, these are named. Otherwise it is the column in most of the broken relations, and of
those the one that the fewest relations that still hold speak for.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from tondo.stages.data.relations.kinds import Missing, Relation, TimePart

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np

    from tondo.stages.data.relations.rows import Rows

LEAST_SHARE = 0.005
"""Share of the rows from which a broken relation blocks: below, it may be a few hand-made rows."""

_FEWEST = 3
"""Broken rows that are more than a slip."""
_UNSEEN = 6.9
"""-ln(0.001): had a relation been broken in more than 6.9 / n of the rows, n accepted rows would
have shown it, but for one time in a thousand."""
_ERRORS = 3.3
_MOST_ROWS = 2_000
"""Broken rows on which repairs are tried."""
_MOST_EXCHANGED = 12
_HOURS = 14
"""Zones are up to 14 hours from UTC."""


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A relation that does not hold in a batch."""

    relation: Relation
    column: str
    """The one to blame."""
    share: float
    """Broken rows among those that the relation is measured in."""
    rows: int
    """Those rows: all of the batch for missing values, else the ones that have what it needs."""
    certain: bool
    """Whether these are more than the accepted rows leave room for."""
    repair: str = ""
    """What would make it hold again, as a sentence's end; empty when it is not known."""


def broken_relations(rows: Rows, relations: Iterable[Relation]) -> list[Broken]:
    """Return the relations that a batch breaks at all, each with the column to blame."""
    import numpy as np

    known = [each for each in relations if _has_columns(each, rows)]
    measured = [(each, each.test(rows)) for each in known]
    broken = [_measure(each, *tested, rows=len(rows)) for each, tested in measured]
    found = [each for each in broken if each.certain and each.share > LEAST_SHARE]
    if not found:
        return [each for each in broken if each.share]
    names = {each.relation.formula for each in found}
    wrong = [tested.broken for each, tested in measured if each.formula in names]
    part = rows.take(np.flatnonzero(np.logical_or.reduce(wrong))[:_MOST_ROWS])
    blamed = _blame(part, [each.relation for each in found], known)
    return [
        msgspec.structs.replace(each, column=column, repair=repair)
        for each in broken
        if each.share
        for column, repair in [blamed.get(each.relation.formula, (each.column, ""))]
    ]


def _has_columns(relation: Relation, rows: Rows) -> bool:
    is_time = isinstance(relation, TimePart)
    there = set(relation.columns) <= rows.columns.keys()
    return there and (not is_time or relation.columns[0] in rows.instants)


def _measure(relation: Relation, spoken: np.ndarray, broken: np.ndarray, *, rows: int) -> Broken:
    count, witnesses = int(broken.sum()), int(spoken.sum())
    usual = witnesses * _UNSEEN / relation.witnesses
    size = (rows if isinstance(relation, Missing) else witnesses) or 1
    return Broken(
        relation=relation,
        column=relation.columns[0],
        share=count / size,
        rows=size,
        certain=count >= max(_FEWEST, usual + _ERRORS * usual**0.5),
    )


def _blame(
    rows: Rows, broken: Sequence[Relation], known: Sequence[Relation]
) -> dict[str, tuple[str, str]]:
    """Return formula to the column that is blamed and the repair."""
    blamed: dict[str, tuple[str, str]] = {}
    left = list(broken)
    for repair in (_other_clock, _exchange):
        found = repair(rows, left, known)
        if found is not None:
            column, sentence, mended = found
            blamed |= {each.formula: (column, sentence) for each in mended}
            left = [each for each in left if each not in mended]
    often = Counter(name for each in left for name in each.columns)
    names = {each.formula for each in broken}
    spoken_for = Counter(name for each in known if each.formula not in names for name in each.fixed)
    for each in left:
        column = max(each.columns, key=lambda name: (often[name], -spoken_for[name]))
        blamed[each.formula] = (column, "")
    return blamed


def _holds(relation: Relation, rows: Rows) -> bool:
    return not relation.test(rows).broken.any()


def _other_clock(
    rows: Rows, broken: Sequence[Relation], known: Sequence[Relation]
) -> tuple[str, str, list[Relation]] | None:
    """Return the time that holds again when it is moved by hours, for all that is known of it."""
    for time in dict.fromkeys(each.time for each in broken if isinstance(each, TimePart)):
        parts = [each for each in known if isinstance(each, TimePart) and each.time == time]
        for hours in sorted(range(-_HOURS, _HOURS + 1), key=abs):
            if hours and all(_holds(each, rows.moved(time, hours)) for each in parts):
                sentence = f"{time} is moved by {hours:+d} h; has the time zone changed?"
                return time, sentence, [each for each in broken if each in parts]
    return None


def _exchange(
    rows: Rows, broken: Sequence[Relation], known: Sequence[Relation]
) -> tuple[str, str, list[Relation]] | None:
    """Return the two columns of which an exchange mends most and breaks nothing."""
    often = Counter(name for each in broken for name in each.columns if name not in rows.instants)
    names = [name for name, _ in often.most_common(_MOST_EXCHANGED)]
    best: tuple[str, str, list[Relation]] | None = None
    for first, second in itertools.combinations(names, 2):
        if rows.columns[first].reads != rows.columns[second].reads:
            continue
        touched = [each for each in known if {first, second} & set(each.columns)]
        exchanged = rows.exchanged(first, second)
        mended = [each for each in broken if each in touched]
        if mended and all(_holds(each, exchanged) for each in touched):
            sentence = f"{first} and {second} are exchanged; are they swapped?"
            if best is None or len(mended) > len(best[2]):
                best = (first, sentence, mended)
    return best
