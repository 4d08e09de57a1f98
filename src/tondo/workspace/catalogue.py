"""The catalogue of features with who uses them: definitions, versions and deployments."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import TondoError
from tondo.language.parse import parse
from tondo.language.walk import view_features_of
from tondo.stages.data.definitions import DerivedDefinition
from tondo.stages.features.catalogue import FeatureUse, entries
from tondo.stages.features.distribution import distributions
from tondo.stages.features.equivalents import equivalents

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tondo.stages.features.catalogue import FeatureEntry
    from tondo.stages.features.views import FeatureView
    from tondo.workspace.bootstrap import Parts


class _Use:
    """What is known so far of one model's use of one feature."""

    def __init__(self) -> None:
        self.defined = False
        self.versions: set[int] = set()
        self.deployments: set[str] = set()


def catalogue(parts: Parts) -> list[FeatureEntry]:
    """Return every feature with its use, its distribution, and what computes the same."""
    views = parts.views
    return entries(
        views,
        uses=feature_uses(parts),
        same_as=_same(views.values()),
        distributions=distributions(views, ledger=parts.ledger),
        functions={view.source: _functions(parts, view.source) for view in views.values()},
    )


def _functions(parts: Parts, source: str) -> dict[str, str]:
    """Return the columns of a dataset that Python functions compute, with the functions."""
    from tondo.workspace.verbs.data import DataVerbs

    try:
        definition = DataVerbs(parts).definition(source)
    except TondoError:
        return {}  # the source of a view that is kept may be gone from the project
    functions = definition.functions if isinstance(definition, DerivedDefinition) else {}
    return {name: each.python for name, each in functions.items()}


def feature_uses(parts: Parts) -> dict[str, list[FeatureUse]]:
    """Return, by canonical name, the models that read a feature."""
    found: dict[str, dict[str, _Use]] = defaultdict(lambda: defaultdict(_Use))
    for model, names in _defined(parts):
        for name in names:
            found[name][model].defined = True
    serving = _serving(parts)
    for model, number, version_id, names in _versions(parts):
        for name in names:
            found[name][model].versions.add(number)
            found[name][model].deployments.update(serving.get(version_id, ()))
    return {name: _ranked(models) for name, models in found.items()}


def _ranked(models: dict[str, _Use]) -> list[FeatureUse]:
    return [
        FeatureUse(
            model=model,
            defined=use.defined,
            versions=tuple(sorted(use.versions, reverse=True)),
            deployments=tuple(sorted(use.deployments)),
        )
        for model, use in sorted(models.items())
    ]


def _defined(parts: Parts) -> Iterable[tuple[str, set[str]]]:
    """Yield each model of the project and the view features that its definition names."""
    for model, found in parts.project.of("model").items():
        names: set[str] = set()
        features = found.body.get("features")
        for text in features.values() if isinstance(features, dict) else ():
            try:
                names |= {f"@{each.view}.{each.feature}" for each in view_features_of(parse(text))}
            except TondoError:
                # The model's own verbs say what is wrong with it; the catalogue need not.
                continue
        yield model, names


def _versions(parts: Parts) -> Iterable[tuple[str, int, str, set[str]]]:
    """Yield each registered version: model, number, id and the view features it was trained on."""
    from tondo.stages.features.training_set import read_training_set
    from tondo.stages.registry.versions import KIND, ModelVersion
    from tondo.stages.training.run import Run

    read: dict[str, set[str]] = {}
    for record in parts.ledger.records(KIND):
        version = msgspec.convert(record.body, ModelVersion)
        made_of = parts.ledger.read("run", version.run, Run).training_set
        if made_of not in read:
            training_set = read_training_set(made_of, ledger=parts.ledger)
            read[made_of] = {f"@{each[1]}.{each[2]}" for each in training_set.view_features}
        yield version.name, version.number, version.id, read[made_of]


def _serving(parts: Parts) -> dict[str, set[str]]:
    """Return, by the id of a version, the deployments that answer with it."""
    from tondo.stages.deployment.deploy import deployments

    found: dict[str, set[str]] = defaultdict(set)
    for state in deployments(ledger=parts.ledger):
        for variant in state.desired.variants:
            found[variant.model_version_id].add(state.name)
    return found


def _same(views: Iterable[FeatureView]) -> dict[str, str]:
    seen: list[FeatureView] = []
    found: dict[str, str] = {}
    for view in views:
        found |= {each.feature: each.same_as for each in equivalents(view, seen)}
        seen.append(view)
    return found
