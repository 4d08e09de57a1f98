"""Features that compute the same: one meaning should have one name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.canonical import canonical_json, digest
from tondo.language.tree import Call, WindowCall
from tondo.language.walk import replace, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tondo.language.tree import Node
    from tondo.stages.features.views import FeatureView

_COMMUTATIVE = frozenset({"add", "multiply", "and", "or", "equal", "not_equal"})
"""Functions of two arguments, or of many, that answer the same bits in every order."""


class Equivalent(msgspec.Struct, frozen=True, kw_only=True):
    """A feature that computes what another one does."""

    feature: str
    """Canonical name, `@view.feature`."""
    same_as: str
    """Canonical name of the feature that was there before."""


def meaning_of(view: FeatureView, feature: str) -> str:
    """Return the digest of what a feature computes: source, times, key, arrival, expression.

    Order does not count where it cannot change a bit, as in `a + b`; names, owner and text never.
    """
    tree = view.windows.get(feature) or view.lookups[feature]
    return digest(
        {
            "source": [view.source, view.event_time, view.recorded_at],
            "entity": [view.entity.key, view.entity.type],
            "arrival": [view.definition.arrival, view.every_us, view.ttl_us],
            "tree": to_json(_ordered(tree)),
        }
    )


def equivalents(view: FeatureView, others: Iterable[FeatureView]) -> list[Equivalent]:
    """Return which features of `view` another view computes already, or the view itself twice."""
    known: dict[str, str] = {}
    for other in others:
        if other.name != view.name:
            for feature in other.types:
                known.setdefault(meaning_of(other, feature), f"@{other.name}.{feature}")
    found = []
    for feature in sorted(view.types):
        name = f"@{view.name}.{feature}"
        before = known.setdefault(meaning_of(view, feature), name)
        if before != name:
            found.append(Equivalent(feature=name, same_as=before))
    return found


def _ordered(tree: Node | WindowCall) -> Node | WindowCall:
    if isinstance(tree, WindowCall):
        argument = tree.argument
        ordered = None if argument is None else replace(argument, _sorted)
        return msgspec.structs.replace(tree, argument=ordered)
    return replace(tree, _sorted)


def _sorted(node: Node) -> Node:
    if not isinstance(node, Call) or node.function not in _COMMUTATIVE:
        return node
    arguments = sorted(node.arguments, key=lambda each: canonical_json(to_json(each)))
    return Call(node.function, tuple(arguments), node.type)
