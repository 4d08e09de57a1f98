"""The catalogue: every feature of every view, found by word, tag, entity and use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import NotFoundError, near
from tondo.language.walk import columns_of
from tondo.language.windows import arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tondo.stages.features.distribution import FeatureDistribution
    from tondo.stages.features.views import FeatureView


class FeatureUse(msgspec.Struct, frozen=True, kw_only=True):
    """A model that reads a feature."""

    model: str
    defined: bool
    """Whether the model's present definition reads it."""
    versions: tuple[int, ...] = ()
    """Registered versions that read it, the newest first."""
    deployments: tuple[str, ...] = ()
    """Deployments that answer with one of these versions now."""

    @property
    def live(self) -> bool:
        """Whether an answer given now depends on the feature."""
        return bool(self.deployments)


class FeatureEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One feature as the catalogue tells it."""

    name: str
    """Canonical name, `@view.feature`: what a model writes."""
    view: str
    feature: str
    type: str
    expression: str
    entity: str
    key: str
    owner: str
    description: str
    """Of the feature, where its view has a note on it; else of the view."""
    tags: tuple[str, ...] = ()
    source: str
    freshness: str
    arrival: str
    """`pushed`, or `every 1h`."""
    deprecated: str = ""
    """Why not to use it, and what to use instead; empty when it may be used."""
    python: tuple[str, ...] = ()
    """Python functions that computed what it reads: outside the promise of equality."""
    same_as: str = ""
    """Another feature that computes the same."""
    uses: tuple[FeatureUse, ...] = ()
    distribution: dict[str, Any] | None = None
    """Statistics of the values at the last materialisation, as of a column; None before one."""
    measured_at_us: int | None = None
    """The instant of these values."""

    def __repr__(self) -> str:
        """Name, type and expression in one line."""
        gone = f", deprecated: {self.deprecated}" if self.deprecated else ""
        by = f", outside the promise: {', '.join(self.python)}" if self.python else ""
        return f"FeatureEntry({self.name}: {self.type} = {self.expression}{by}{gone})"


def entries(
    views: Mapping[str, FeatureView],
    *,
    uses: Mapping[str, Sequence[FeatureUse]],
    same_as: Mapping[str, str],
    distributions: Mapping[str, FeatureDistribution],
    functions: Mapping[str, Mapping[str, str]],
) -> list[FeatureEntry]:
    """Return the catalogue, by view and feature; the mappings are by canonical name or view.

    `functions` gives, by source, the columns that Python functions compute, with their names.
    """
    found = [
        _entry(view, feature, uses=uses, same_as=same_as, measured=distributions.get(view.name))
        for view in views.values()
        for feature in sorted(view.types)
    ]
    return [_with_functions(each, views[each.view], functions) for each in found]


def _with_functions(
    entry: FeatureEntry, view: FeatureView, functions: Mapping[str, Mapping[str, str]]
) -> FeatureEntry:
    computed = functions.get(view.source)
    if not computed:
        return entry
    window = view.windows.get(entry.feature)
    nodes = [view.lookups[entry.feature]] if window is None else arguments_of(window)
    read = {name for node in nodes for name in columns_of(node)}
    named = {computed[name] for name in read if name in computed}
    return msgspec.structs.replace(entry, python=tuple(sorted(named)))


def _entry(
    view: FeatureView,
    feature: str,
    *,
    uses: Mapping[str, Sequence[FeatureUse]],
    same_as: Mapping[str, str],
    measured: FeatureDistribution | None,
) -> FeatureEntry:
    definition, name = view.definition, f"@{view.name}.{feature}"
    told = None if measured is None or measured.digest != view.digest else measured
    return FeatureEntry(
        name=name,
        view=view.name,
        feature=feature,
        type=view.types[feature],
        expression=definition.features[feature],
        entity=view.entity.entity,
        key=view.entity.key,
        owner=definition.owner,
        description=definition.notes.get(feature, definition.description),
        tags=tuple(definition.tags),
        source=view.source,
        freshness=definition.freshness,
        arrival=definition.arrival or f"every {definition.every}",
        deprecated=definition.deprecation(feature),
        same_as=same_as.get(name, ""),
        uses=tuple(uses.get(name, ())),
        distribution=None if told is None else told.features.get(feature),
        measured_at_us=None if told is None else told.until_us,
    )


def search(
    found: Iterable[FeatureEntry],
    *,
    words: str = "",
    tag: str = "",
    entity: str = "",
    used_by: str = "",
    unused: bool = False,
    deprecated: bool | None = None,
) -> list[FeatureEntry]:
    """Return the entries that fit, the nearest to `words` first.

    Every word must occur in name, tags, entity, owner, expression, source or description; a word in
    the name weighs most. `used_by` is a model or a deployment; `unused`: of no model at all.
    """
    wanted = words.lower().split()
    ranked = []
    for each in found:
        weights = [_weight(each, word) for word in wanted]
        fits = (
            all(weights)
            and (not tag or tag in each.tags)
            and (not entity or entity == each.entity)
            and (not used_by or any(_is_by(use, used_by) for use in each.uses))
            and not (unused and each.uses)
            and (deprecated is None or deprecated == bool(each.deprecated))
        )
        if fits:
            ranked.append((bool(each.deprecated), -sum(weights), each.name, each))
    return [each for *_, each in sorted(ranked, key=lambda entry: entry[:3])]


def _is_by(use: FeatureUse, name: str) -> bool:
    return name == use.model or name in use.deployments


def _weight(entry: FeatureEntry, word: str) -> int:
    """Return how much a word says of an entry, 0 when it does not occur."""
    fields = (
        (8, entry.feature),
        (6, entry.view),
        (5, " ".join(entry.tags)),
        (4, entry.entity),
        (3, f"{entry.description} {entry.owner}"),
        (2, f"{entry.expression} {entry.source}"),
    )
    return max((weight for weight, text in fields if word in text.lower()), default=0)


def named(found: Sequence[FeatureEntry], name: str) -> FeatureEntry:
    """Return one entry, by `view.feature` or `@view.feature`; TD-FEATURE-017 with near names."""
    wanted = name.removeprefix("@")
    known = {f"{each.view}.{each.feature}": each for each in found}
    if wanted in known:
        return known[wanted]
    raise NotFoundError(
        "TD-FEATURE-017",
        f"there is no feature '{wanted}'",
        expected="view.feature, such as weather.wind_gust",
        fix=near(wanted, known),
        feature=wanted,
    )
