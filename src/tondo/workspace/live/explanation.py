"""Why a row got its score: what each feature did to it, by the package that answered.

Where the runtime tells exact contributions (LightGBM: Shapley values of its trees), these are
taken, and they sum to the score. Elsewhere each feature alone is set to its usual value in
training, and the score's change is told: such changes need not sum to anything.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tondo.core.errors import TondoError
from tondo.language.tree import Fitted
from tondo.ports.runtime import Explaining
from tondo.scoring.baseline import Distribution

if TYPE_CHECKING:
    from tondo.language.tree import Node
    from tondo.scoring.model import LoadedModel

Method = Literal["contributions", "usual values"]


class FeatureEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What one feature did."""

    feature: str
    expression: str
    """As the model spec has it."""
    value: float | None
    """As the model saw it; None where it was missing."""
    word: str = ""
    """What the value stands for, where the feature numbers words."""
    usual: float | None
    """In training: the middle value, or the commonest of a few."""
    effect: float | None
    """In the explanation's unit; None where the model gave no number without the feature."""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a row got its score."""

    variant: str
    model: str
    version: int
    score: float
    """Computed from the package, as of the same instant."""
    method: Method
    unit: Literal["log-odds", "value", "score"]
    expected: float | None
    """What the model expects knowing nothing; with the effects it sums to the raw score."""
    effects: list[FeatureEffect]
    """The strongest first."""
    read: dict[str, Any] = {}
    """What was read from feature views, by canonical name."""


def explain_vector(model: LoadedModel, vector: list[float]) -> dict[str, Any]:
    """Return the fields of an Explanation that come from a vector: score, method, effects."""
    usual = {name: usual_value(model, name) for name in model.contents.features}
    score = model.score_vector(vector)
    if isinstance(model.runtime, Explaining):
        effects, expected = _contributions(model, model.runtime, vector)
        unit = "log-odds" if model.contents.task == "binary" else "value"
        method = "contributions"
    else:
        effects, expected = _changes(model, vector, score, usual), None
        method, unit = "usual values", "score"
    texts = model.contents.spec.get("features", {})
    found = [
        FeatureEffect(
            feature=name,
            expression=str(texts.get(name, "")),
            value=_known(value),
            word=_word(model.contents.features[name], value),
            usual=_known(usual[name]),
            effect=_known(effect),
        )
        for name, value, effect in zip(model.contents.features, vector, effects, strict=True)
    ]
    found.sort(key=lambda each: (-abs(each.effect or 0.0), each.feature))
    return {
        "score": score,
        "method": method,
        "unit": unit,
        "expected": expected,
        "effects": found,
    }


def _word(tree: Node, value: float) -> str:
    """Return the word that a `vocab` numbers so; empty for all else, and for words not in it."""
    if not isinstance(tree, Fitted) or tree.function != "vocab" or not math.isfinite(value):
        return ""
    words = (tree.parameters or {}).get("values", [])
    place = int(value) - 1
    return str(words[place]) if 0 <= place < len(words) else "another"


def _contributions(
    model: LoadedModel, runtime: Explaining, vector: list[float]
) -> tuple[list[float], float]:
    import numpy as np

    matrix = np.array([vector], dtype=np.float64).reshape(1, len(model.contents.features))
    found: list[float] = runtime.contributions(matrix)[0].tolist()
    return found[:-1], found[-1]


def _changes(
    model: LoadedModel, vector: list[float], score: float, usual: dict[str, float]
) -> list[float]:
    """Return by how much each feature's value, instead of its usual one, moved the score."""
    moved = []
    for place, name in enumerate(model.contents.features):
        other = [*vector]
        other[place] = usual[name]
        try:
            moved.append(score - model.score_vector(other))
        except TondoError:
            moved.append(math.nan)
    return moved


def usual_value(model: LoadedModel, feature: str) -> float:
    """Return a feature's middle value in training, or the commonest where it has a few values.

    NaN where most of its values were missing, or the package does not tell.
    """
    told = model.contents.baseline.get("features", {}).get(feature)
    if told is None:
        return math.nan
    known = msgspec.convert(told, Distribution)
    present = sum(known.counts)
    if not known.edges or known.nulls > present:
        return math.nan
    if known.kind == "category":
        most = max(range(len(known.edges)), key=lambda place: known.counts[place])
        return known.edges[most]
    below = accumulate(known.counts[:-1])
    distances = [abs(reached - present / 2) for reached in below]
    return known.edges[distances.index(min(distances))]


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
