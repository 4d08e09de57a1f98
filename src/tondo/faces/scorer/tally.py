"""What was counted, by name: of one process, or of several together."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tondo.faces.scorer.cells import Key

Tally = dict["Key", list[int]]


def add(tally: Tally, counted: Iterable[tuple[Key, list[int]]]) -> None:
    """Add counters to those of the same names.

    >>> tally = {("shed", "late", "rows"): [2]}
    >>> add(tally, [(("shed", "late", "rows"), [3]), (("shed", "late", "v2"), [1])])
    >>> tally
    {('shed', 'late', 'rows'): [5], ('shed', 'late', 'v2'): [1]}
    """
    for key, values in counted:
        before = tally.get(key)
        tally[key] = values if before is None else list(map(operator.add, before, values))
