"""Learning the parameters of fitted functions on the training split, and freezing them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tondo.core.canonical import canonical_json
from tondo.core.errors import DataError
from tondo.language.tree import Fitted, Node
from tondo.language.walk import expand_fitted, fitted_of, replace, to_json

Evaluate = Callable[[Mapping[str, Node]], Mapping[str, Sequence[Any]]]
"""Trees without open fitted calls to their columns over the training split, by an engine."""


def learn(fitted: Fitted, values: Iterable[Any]) -> dict[str, Any]:
    """Return the parameters of one call from the values of its argument; plain JSON.

    >>> from tondo.language.tree import Column
    >>> learn(Fitted("fill_mean", Column("x", "double")), [1.0, None, 2.0])
    {'mean': 1.5}
    """
    plain = values.tolist() if hasattr(values, "tolist") else values
    present = [each for each in plain if each is not None and each == each]  # noqa: PLR0124 - NaN out
    if not present and fitted.function != "vocab":
        raise DataError(
            "TD-LANG-011",
            f"{fitted.function} has nothing to learn from: every training value is null",
            expected="at least one value in the training split",
            fix="Leave the feature out, or look at its source.",
        )
    return _LEARNERS[fitted.function](present, fitted)


def freeze(node: Node, parameters: Mapping[str, Mapping[str, Any]]) -> Node:
    """Return the tree with the parameters of every call whose `fit_key` is in `parameters`."""

    def frozen(each: Node) -> Node:
        if isinstance(each, Fitted) and each.parameters is None:
            known = parameters.get(fit_key(each))
            if known is not None:
                return Fitted(each.function, each.argument, each.options, dict(known), each.type)
        return each

    return replace(node, frozen)


def fit_key(fitted: Fitted) -> str:
    """Return the text that names a call: equal calls are learned once."""
    return canonical_json(to_json(fitted)).decode()


def fit_all(features: Mapping[str, Node], evaluate: Evaluate) -> dict[str, Node]:
    """Return the features with every fitted call frozen, innermost first.

    `evaluate` gets argument trees that hold no open fitted call and returns their columns over
    the training split; one call of it per level of nesting.
    """
    done = dict(features)
    while True:
        ready = {
            fit_key(each): each
            for node in done.values()
            for each in fitted_of(node)
            if each.parameters is None and not _open(each.argument)
        }
        if not ready:
            return done
        columns = evaluate({key: expand_fitted(each.argument) for key, each in ready.items()})
        learned = {key: learn(each, columns[key]) for key, each in ready.items()}
        done = {name: freeze(node, learned) for name, node in done.items()}


def _open(node: Node) -> bool:
    return any(each.parameters is None for each in fitted_of(node))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _fill_mean(values: Sequence[float], _: Fitted) -> dict[str, Any]:
    return {"mean": _mean(values)}


def _fill_median(values: Sequence[float], _: Fitted) -> dict[str, Any]:
    ordered = sorted(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return {"median": low if low == high else low / 2 + high / 2}


def _ranked(values: Sequence[Any]) -> list[Any]:
    """Return distinct values by falling count, ties by value (text by code point)."""
    return [value for value, _ in sorted(Counter(values).items(), key=lambda e: (-e[1], e[0]))]


def _fill_mode(values: Sequence[Any], _: Fitted) -> dict[str, Any]:
    return {"mode": _ranked(values)[0]}


def _zscore(values: Sequence[float], _: Fitted) -> dict[str, Any]:
    mean = _mean(values)
    deviation = math.sqrt(math.fsum((each - mean) ** 2 for each in values) / len(values))
    return {"mean": mean, "inverse_deviation": _inverse(deviation)}


def _minmax(values: Sequence[float], _: Fitted) -> dict[str, Any]:
    low, high = min(values), max(values)
    return {"minimum": low, "inverse_range": _inverse(high - low)}


def _inverse(spread: float) -> float:
    """Return 1 / spread, 0 where the values have no spread that a double can divide by."""
    inverse = 1.0 / spread if spread > 0.0 else 0.0
    return inverse if math.isfinite(inverse) else 0.0


def _vocab(values: Sequence[Any], fitted: Fitted) -> dict[str, Any]:
    return {"values": _ranked(values)[: int(fitted.options[0])]}


_LEARNERS: dict[str, Callable[[Sequence[Any], Fitted], dict[str, Any]]] = {
    "fill_mean": _fill_mean,
    "fill_median": _fill_median,
    "fill_mode": _fill_mode,
    "zscore": _zscore,
    "minmax": _minmax,
    "vocab": _vocab,
}
