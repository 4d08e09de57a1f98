"""What the page of features shows: the catalogue, searched and cut in pages."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from tondo.stages.data.statistics import ColumnStatistics, of_profile
from tondo.stages.features.catalogue import FeatureEntry, search
from tondo.workspace.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tondo.workspace.facade import Workspace

FEATURES_ON_A_PAGE = 100


class FeatureRow(msgspec.Struct, frozen=True, kw_only=True):
    """A feature and the statistics of its values, where they were measured."""

    entry: FeatureEntry
    statistics: ColumnStatistics | None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for; empty text asks for everything."""

    words: str = ""
    tag: str = ""
    entity: str = ""
    used_by: str = ""


class FeaturesPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the catalogue."""

    project: str
    asked: Asked
    rows: list[FeatureRow]
    found: int
    total: int
    page: int
    """From 1."""
    pages: int
    tags: list[tuple[str, int]]
    """Every tag and how many features have it, the commonest first."""
    entities: list[tuple[str, int]]
    models: list[str]


def features_page(workspace: Workspace, asked: Asked, *, page: int = 1) -> FeaturesPage:
    """Return the features that fit, the nearest first, a page of them."""
    known = catalogue(workspace.parts)
    found = search(known, **msgspec.structs.asdict(asked))
    pages = max(1, -(-len(found) // FEATURES_ON_A_PAGE))
    page = min(max(page, 1), pages)
    start = (page - 1) * FEATURES_ON_A_PAGE
    return FeaturesPage(
        project=workspace.parts.project.name,
        asked=asked,
        rows=[_row(each) for each in found[start : start + FEATURES_ON_A_PAGE]],
        found=len(found),
        total=len(known),
        page=page,
        pages=pages,
        tags=_counted(tag for each in known for tag in each.tags),
        entities=_counted(each.entity for each in known),
        models=sorted({use.model for each in known for use in each.uses}),
    )


def _row(entry: FeatureEntry) -> FeatureRow:
    if entry.distribution is None:
        return FeatureRow(entry=entry, statistics=None)
    told = of_profile({entry.feature: entry.distribution}, {entry.feature: entry.type})
    return FeatureRow(entry=entry, statistics=told.columns[entry.feature])


def _counted(words: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(words).items(), key=lambda each: (-each[1], each[0]))
