"""Which relations hold in every accepted row.

Few cheap families are tried, each first on a few rows: nearly every candidate ends there. What
remains is tested on all. A relation is kept when each of its columns differs from its most frequent
value in 30 rows: by chance, and with that value, all of them would fit once in e^30 times.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec

from tondo.stages.data.relations.kinds import Arithmetic, Determined, Missing, apart, combined
from tondo.stages.data.relations.time_zones import learn_time_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    import numpy as np

    from tondo.stages.data.column_numbers import ColumnNumbers
    from tondo.stages.data.relations.kinds import Relation
    from tondo.stages.data.relations.rows import Rows

LEAST_WITNESSES = 200
"""Accepted rows that a relation must speak of."""

_LEAST_TELLING = 30
_SAMPLE, _LEAST_SPOKEN = 64, 8
_MOST_TESTED = 500
"""Candidates that are tested on all rows: half a second, should columns of zeros be many."""
_FACTORS = (1, 0, 60, 100, 1000)
"""Sums, products (0), and digits put together: minutes, clock times as 1430, thousands."""
_MOST_TEXTS = 1000
_ROWS_A_TEXT = 20
"""Fewer rows for each text, and 'one text, one value' would be what any columns show."""
_MOST_RELATIONS = 200


def learn_relations(rows: Rows, *, running: AbstractSet[str] = frozenset()) -> tuple[Relation, ...]:
    """Return what holds in every row; at most 200 relations, the first of each family.

    `rows` has as many columns as one is willing to pair: 40 cost some hundredths of a second.
    `running` columns tell the time, and are not related to each other: in January a day of the
    month is a day of the year, and in February no more.
    """
    telling = [name for name, each in rows.columns.items() if _tells(each.values)]
    numbers = [name for name in telling if rows.columns[name].reads == "number"]
    standing = [name for name in telling if name not in running]
    families: tuple[Iterator[Relation], ...] = (
        learn_time_parts(rows, numbers, least=LEAST_WITNESSES),
        (each for each in _arithmetic(rows, numbers) if not running >= set(each.columns)),
        _determined(rows, standing),
        _missing(rows),
    )
    return tuple(
        each for family in families for each in itertools.islice(family, _MOST_RELATIONS // 4)
    )


def _tells(values: np.ndarray) -> bool:
    """Say whether enough values differ from the most frequent one."""
    import numpy as np

    present = values[~np.isnan(values)]
    if len(present) < LEAST_WITNESSES:
        return False
    _, counts = np.unique(present, return_counts=True)
    return bool(len(present) - counts.max() >= _LEAST_TELLING)


def _arithmetic(rows: Rows, numbers: Sequence[str]) -> Iterator[Arithmetic]:
    for each in itertools.islice(_candidates(rows, numbers), _MOST_TESTED):
        tested = each.test(rows)
        if tested.broken.any() or int(tested.spoken.sum()) < LEAST_WITNESSES:
            continue
        part = rows.take(tested.spoken)
        if all(_tells(part.values(name)) for name in each.columns):
            yield msgspec.structs.replace(each, witnesses=len(part))


def _candidates(rows: Rows, numbers: Sequence[str]) -> Iterator[Arithmetic]:
    """Yield what a few rows do not refute, copies before sums and products."""
    import numpy as np

    values = {name: rows.values(name) for name in numbers}
    for at, first in enumerate(numbers):
        places = _telling_rows(values[first])
        few = np.array([each[places] for each in values.values()])
        for result in np.flatnonzero(_fits(few, few[at], few[at])[:at]).tolist():
            yield Arithmetic(result=numbers[result], first=first)
        for factor in _FACTORS:
            right = combined(few[at], few, factor)
            fitting = _fits(few[:, None, :], right[None, :, :], few[at])
            for result, second in np.argwhere(fitting).tolist():
                # Of sums and products either order is the same.
                if len({at, result, second}) == 3 and (factor > 1 or at < second):
                    yield Arithmetic(
                        result=numbers[result], first=first, second=numbers[second], factor=factor
                    )


def _telling_rows(values: np.ndarray) -> np.ndarray:
    """Return some rows, half of them without the most frequent value: they refute most."""
    import numpy as np

    present = np.flatnonzero(~np.isnan(values))
    found, counts = np.unique(values[present], return_counts=True)
    rarer = present[values[present] != found[counts.argmax()]]
    halves = [each[_spread(len(each), _SAMPLE // 2)] for each in (present, rarer)]
    return np.concatenate(halves)


def _spread(count: int, most: int) -> np.ndarray:
    import numpy as np

    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)


def _fits(left: np.ndarray, right: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Return which pairs of sides agree in every row that has both, of which there are a few."""
    import numpy as np

    spoken = np.count_nonzero(np.isfinite(left - right), axis=-1) >= _LEAST_SPOKEN
    fitting: np.ndarray = spoken & ~apart(left, right, part).any(axis=-1)
    return fitting


def _determined(rows: Rows, telling: Sequence[str]) -> Iterator[Determined]:
    texts = [
        name
        for name in telling
        if rows.columns[name].reads == "label"
        and len(rows.columns[name].labels) <= min(_MOST_TEXTS, len(rows) // _ROWS_A_TEXT)
    ]
    for by in texts:
        for name in telling:
            found = None if by == name else _pairs(rows.columns[by], rows.columns[name])
            if found is not None:
                yield Determined(by=by, column=name, pairs=found[0], witnesses=found[1])


def _pairs(
    by: ColumnNumbers, column: ColumnNumbers
) -> tuple[tuple[tuple[str, str | float], ...], int] | None:
    """Return each text with the one value beside it, and the rows that say so."""
    import numpy as np

    if column.reads not in {"label", "number"}:
        return None
    # The first rows refute nearly every pair.
    for few in (slice(_SAMPLE * _ROWS_A_TEXT), slice(None)):
        codes, values = by.values[few], column.values[few]
        there = ~(np.isnan(codes) | np.isnan(values))
        codes, values = codes[there].astype(np.int64), values[there]
        beside = np.full(len(by.labels), np.nan)
        beside[codes] = values
        if (beside[codes] != values).any():
            return None
    if len(values) < LEAST_WITNESSES or not _tells(values):
        return None
    pairs = tuple(
        (str(label), column.said(value))
        for label, value in zip(by.labels, beside, strict=True)
        if not np.isnan(value)
    )
    return pairs, len(values)


def _missing(rows: Rows) -> Iterator[Missing]:
    """Yield where nulls imply nulls; a column that never has a value explains nothing."""
    import numpy as np

    masks = {name: rows.missing(name) for name in rows.columns}
    counts = {name: int(np.count_nonzero(mask)) for name, mask in masks.items()}
    some = [name for name in masks if _LEAST_TELLING <= counts[name] <= len(rows) - _LEAST_TELLING]
    for name, beside in itertools.permutations(some, 2):
        if counts[name] <= counts[beside] and not (masks[name] & ~masks[beside]).any():
            yield Missing(column=name, beside=beside, witnesses=counts[name])
