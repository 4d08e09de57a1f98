"""Learning the parameters of fitted functions on the training split, and freezing them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tondo.core.canonical import canonical_json
from tondo.core.errors import DataError, DefinitionError
from tondo.language.fitted import FITTED
from tondo.language.learners import LEARNERS
from tondo.language.tree import Fitted, Node
from tondo.language.walk import expand_fitted, fitted_of, replace, to_json

Evaluate = Callable[[Mapping[str, Node]], Mapping[str, Sequence[Any]]]
"""Trees without open fitted calls to their columns over the training split, by an engine."""

FOLDS = 5
"""Parts of the training rows: each gets values learned from the label of the other four."""


def fold_of(row: int) -> int:
    """Return the fold of a training row by its place: neighbours in time fall apart."""
    return row % FOLDS


def learn(
    fitted: Fitted, values: Iterable[Any], label: Sequence[Any] | None = None
) -> dict[str, Any]:
    """Return the parameters of one call from the values of its argument; plain JSON.

    `label` stands beside the values, null as None or NaN. TD-LANG-011 when there is nothing to
    learn from, TD-LANG-031 when a label is needed and there is none.

    >>> from tondo.language.tree import Column
    >>> learn(Fitted("fill_mean", Column("x", "double")), [1.0, None, 2.0])
    {'mean': 1.5}
    """
    plain = values.tolist() if hasattr(values, "tolist") else list(values)
    if FITTED[fitted.function].labelled:
        return _learn_labelled(fitted, plain, label)
    present = [each for each in plain if _is_present(each)]
    if not present and fitted.function != "vocab":
        raise _nothing(fitted, "every training value is null")
    return LEARNERS[fitted.function](present, fitted)


def _is_present(value: Any) -> bool:
    return value is not None and value == value  # noqa: PLR0124 - NaN is unequal to itself


def _learn_labelled(
    fitted: Fitted, values: Sequence[Any], label: Sequence[Any] | None
) -> dict[str, Any]:
    if label is None:
        raise DefinitionError(
            "TD-LANG-031",
            f"{fitted.function} learns from a label, and there is none here",
            expected="the label of the training rows",
            fix="Use it among the features of a model.",
        )
    pairs = [
        (value, float(target))
        for value, target in zip(values, label, strict=True)
        if _is_present(value) and _is_present(target)
    ]
    if not pairs:
        raise _nothing(fitted, "no training row has both a value and a label")
    return LEARNERS[fitted.function](pairs, fitted)


def _nothing(fitted: Fitted, why: str) -> DataError:
    return DataError(
        "TD-LANG-011",
        f"{fitted.function} has nothing to learn from: {why}",
        expected="at least one value in the training split",
        fix="Leave the feature out, or look at its source.",
    )


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


def fit_all(
    features: Mapping[str, Node], evaluate: Evaluate, *, label: Sequence[Any] | None = None
) -> dict[str, Node]:
    """Return the features with every fitted call frozen, innermost first.

    `evaluate` gets argument trees that hold no open fitted call and returns their columns over
    the training split; one call of it per level of nesting. `label` is for functions that learn
    from it.
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
        learned = {key: learn(each, columns[key], label) for key, each in ready.items()}
        done = {name: freeze(node, learned) for name, node in done.items()}


def fit_folds(
    features: Mapping[str, Node], evaluate: Evaluate, *, label: Sequence[Any]
) -> list[dict[str, Node]]:
    """Return, per fold, the frozen features as the training rows of that fold may see them.

    `features` are those of `fit_all`, all frozen; only those that learn from the label are here,
    and in fold k they learned it from the rows of all other folds. Empty when no feature learns
    from the label. What stands around such a call keeps its parameters.
    """
    taught = {name: node for name, node in features.items() if any(map(_labelled, fitted_of(node)))}
    calls = {
        canonical_json(to_json(each)).decode(): each
        for node in taught.values()
        for each in fitted_of(node)
        if _labelled(each)
    }
    if not calls:
        return []
    columns = evaluate({key: expand_fitted(each.argument) for key, each in calls.items()})
    values = {key: list(column) for key, column in columns.items()}
    return [_without(fold, taught, calls, values, label) for fold in range(FOLDS)]


def _labelled(call: Fitted) -> bool:
    return FITTED[call.function].labelled


def _without(
    fold: int,
    features: Mapping[str, Node],
    calls: Mapping[str, Fitted],
    values: Mapping[str, Sequence[Any]],
    label: Sequence[Any],
) -> dict[str, Node]:
    """Return the features with the labelled calls learned without the rows of `fold`."""
    kept = [row for row in range(len(label)) if fold_of(row) != fold]
    targets = [label[row] for row in kept]
    learned = {
        key: learn(call, [values[key][row] for row in kept], targets) for key, call in calls.items()
    }

    def changed(each: Node) -> Node:
        if not isinstance(each, Fitted) or not _labelled(each):
            return each
        parameters = learned[canonical_json(to_json(each)).decode()]
        return Fitted(each.function, each.argument, each.options, parameters, each.type)

    return {name: replace(node, changed) for name, node in features.items()}


def _open(node: Node) -> bool:
    return any(each.parameters is None for each in fitted_of(node))
