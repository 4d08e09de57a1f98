"""Which buckets a variant answers: a change of weights moves as few keys as it can."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from tondo.scoring.plan import BUCKETS, buckets_by_weight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.scoring.plan import PlannedDeployment, PlannedVariant

Runs = list[tuple[int, str]]
"""First bucket that is not the variant's any more, and its name; growing."""


def deal(variants: Sequence[PlannedVariant], before: PlannedDeployment | None) -> Runs:
    """Return the buckets of `variants`, nearest to those that hold.

    Who grows keeps every bucket and takes only from who shrinks, so a key that met the candidate
    meets it again at every larger share. Empty where the order of the variants says the same.

    >>> from tondo.scoring.plan import PlannedDeployment, PlannedVariant
    >>> def variant(name, weight, version):
    ...     return PlannedVariant(name=name, weight=weight, model="late", version=version,
    ...         model_version_id=str(version), package="0")
    >>> three = [variant("a", 0.5, 1), variant("b", 0.25, 2), variant("c", 0.25, 3)]
    >>> before = PlannedDeployment(name="late", variants=three)
    >>> deal([variant("a", 0.25, 1), variant("b", 0.25, 2), variant("c", 0.5, 3)], before)
    [(2500, 'a'), (5000, 'c'), (7500, 'b'), (10000, 'c')]
    """
    wanted = _counts(variants)
    owners = _owners(variants, before)
    for name, count in wanted.items():
        held = [place for place, owner in enumerate(owners) if owner == name]
        for place in held[count:]:
            owners[place] = None
    free = [place for place, owner in enumerate(owners) if owner is None]
    for name, count in reversed(wanted.items()):
        for _ in range(count - owners.count(name)):
            owners[free.pop()] = name
    runs = _runs(owners)
    return [] if runs == _without_empty(buckets_by_weight(variants)) else runs


def _counts(variants: Sequence[PlannedVariant]) -> dict[str, int]:
    """Return buckets by variant, in their order: the ends of `buckets_by_weight`, all dealt."""
    counts, reached = {}, 0
    for end, name in buckets_by_weight(variants):
        counts[name], reached = end - reached, end
    last = next(each.name for each in reversed(variants) if each.weight > 0)
    counts[last] += BUCKETS - reached
    return counts


def _owners(
    variants: Sequence[PlannedVariant], before: PlannedDeployment | None
) -> list[str | None]:
    """Return who of `variants` holds each bucket now: the same name, else the same version."""
    if before is None:
        return [None] * BUCKETS
    names = {each.name: each.model_version_id for each in variants}
    by_version = {version: name for name, version in reversed(names.items())}
    heirs = {
        each.name: each.name
        if names.get(each.name) == each.model_version_id
        else by_version.get(each.model_version_id)
        for each in before.variants
    }
    owners: list[str | None] = []
    for end, name in before.buckets or buckets_by_weight(before.variants):
        owners += [heirs[name]] * (end - len(owners))
    return owners + [None] * (BUCKETS - len(owners))


def _runs(owners: Sequence[str | None]) -> Runs:
    runs, end = [], 0
    for owner, together in groupby(owners):
        assert owner is not None
        end += len(list(together))
        runs.append((end, owner))
    return runs


def _without_empty(runs: Runs) -> Runs:
    kept, reached = [], 0
    for end, name in runs:
        if end > reached:
            kept.append((end, name))
            reached = end
    return kept
