"""In which order view features are fetched whose keys come from other view features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import DefinitionError
from tondo.language.walk import columns_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.language.tree import Node

Needed = tuple[str, str, str, str]
"""(canonical name, view, feature, key column). The key column is a column of the row, the canonical
name of another view feature, or the name of a computed key."""


def hops_of(needed: Sequence[Needed], keys: Mapping[str, Node]) -> list[list[Needed]]:
    """Return the features in the rounds in which they can be fetched: keys first.

    `keys` are the computed keys. TD-LANG-090 when a key depends on itself.

    >>> carrier = ("@aircraft.carrier[tail]", "aircraft", "carrier", "tail")
    >>> size = ("@fleet.size[@aircraft.carrier[tail]]", "fleet", "size", "@aircraft.carrier[tail]")
    >>> [[each[1] for each in hop] for hop in hops_of([size, carrier], {})]
    [['aircraft'], ['fleet']]
    """
    waiting = list(dict.fromkeys(needed))
    hops: list[list[Needed]] = []
    while waiting:
        missing = {each[0] for each in waiting}
        ready = [each for each in waiting if not _reads(each[3], keys) & missing]
        if not ready:
            raise DefinitionError(
                "TD-LANG-090",
                f"the key of {waiting[0][0]} depends on itself",
                expected="keys from columns of the row, or from features that do not need them",
                fix="Look the key up by a column of the row.",
            )
        hops.append(ready)
        waiting = [each for each in waiting if each not in ready]
    return hops


def keys_of(hop: Sequence[Needed], keys: Mapping[str, Node]) -> dict[str, Node]:
    """Return the computed keys that a round looks up by."""
    return {each[3]: keys[each[3]] for each in hop if each[3] in keys}


def _reads(key: str, keys: Mapping[str, Node]) -> set[str]:
    return columns_of(keys[key]) if key in keys else {key}
