"""Who answers a row, for rows by position: `plan.choose`, with all that is known beforehand done.

Comes in: a deployment and its columns. Goes out: a function from a row to a variant's name.
Holds: the answer is that of `plan.choose` for the same row as a mapping.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.columns import item_type
from tondo.scoring.plan import BUCKETS, bucket_of, ends_of, variant_of_bucket

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tondo.scoring.plan import PlannedDeployment, Target

Values = tuple[Any, ...]
"""A row's values in the order of the columns; UNSET where a column was left out."""

Rule = tuple[int | None, Container[Any], str]
"""The place of the value that is looked at, None for the key; the values that fit; the variant."""


def chooser(
    deployment: PlannedDeployment, types: Mapping[str, str]
) -> Callable[[str, Values], str]:
    """Return the function from prediction id and values to the variant that answers.

    `types` are the columns' types, in the order of the values. Who answers changes only at the
    buckets where the plan says that a variant's end: it is asked there, once.
    """
    columns = list(types)
    starts = sorted({0, *(end for end, _ in ends_of(deployment) if 0 <= end < BUCKETS)})
    names = [variant_of_bucket(deployment, start) for start in starts]
    sticky = deployment.sticky
    place_of_key = None if sticky is None or sticky not in types else columns.index(sticky)
    rules = [
        _rule(target, types) for target in deployment.targets if target.column in {None, *columns}
    ]

    def choose(id_: str, row: Values) -> str:
        if sticky is None:
            key = id_
        else:
            value = None if place_of_key is None else row[place_of_key]
            key = "None" if value is msgspec.UNSET else str(value)
        for place, fitting, name in rules:
            if (key if place is None else row[place]) in fitting:
                return name
        return names[bisect_right(starts, bucket_of(deployment, key)) - 1]

    return choose


def _rule(target: Target, types: Mapping[str, str]) -> Rule:
    """Return a rule by position; one look finds a scalar among many."""
    if target.column is None:
        return None, frozenset(target.values), target.variant
    is_list = item_type(types[target.column]) is not None
    fitting = target.values if is_list else frozenset(target.values)
    return list(types).index(target.column), fitting, target.variant


def taker(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Return what takes the values at some places out of a sequence.

    >>> taker([2])(("a", "b", "c")), taker([2, 0])(("a", "b", "c"))
    (('c',), ('c', 'a'))
    """
    if len(places) == 1:
        place = places[0]
        return lambda row: (row[place],)
    return itemgetter(*places) if places else lambda _: ()
