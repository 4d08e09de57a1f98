"""Questions about trees, and trees made from trees; also their JSON form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DataError, DefinitionError
from tondo.language.check import ViewSignature, verify
from tondo.language.fitted import FITTED
from tondo.language.tree import (
    LANGUAGE_VERSION,
    MOST_DEPTH,
    Call,
    Column,
    Fitted,
    Literal,
    Node,
    ViewFeature,
    WindowCall,
    children_of,
    depth_of,
    nodes_of,
)

__all__ = [
    "bind_views",
    "canonical_name",
    "children_of",
    "columns_of",
    "depth_of",
    "expand_fitted",
    "fitted_of",
    "from_json",
    "is_constant",
    "nodes_of",
    "replace",
    "to_json",
    "view_features_of",
]

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def replace(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return the tree with `change` applied to every node, children first."""
    if isinstance(node, Call):
        below = tuple(replace(each, change) for each in node.arguments)
        if any(new is not old for new, old in zip(below, node.arguments, strict=True)):
            node = Call(node.function, below, node.type)
    elif isinstance(node, Fitted):
        argument = replace(node.argument, change)
        if argument is not node.argument:
            node = Fitted(node.function, argument, node.options, node.parameters, node.type)
    elif isinstance(node, ViewFeature) and node.by is not None:
        by = replace(node.by, change)
        if by is not node.by:
            node = ViewFeature(node.view, node.feature, node.key, node.type, by)
    return change(node)


def columns_of(node: Node) -> set[str]:
    """Return the names of the columns that are read, fetched features included.

    >>> sorted(columns_of(Call("add", (Column("a"), Column("b")))))
    ['a', 'b']
    """
    return {each.name for each in nodes_of(node) if isinstance(each, Column)}


def view_features_of(node: Node) -> list[ViewFeature]:
    """Return the distinct view features, in the order of reading."""
    return list(dict.fromkeys(each for each in nodes_of(node) if isinstance(each, ViewFeature)))


def fitted_of(node: Node) -> list[Fitted]:
    """Return the fitted calls, innermost first."""
    return [each for each in nodes_of(node) if isinstance(each, Fitted)]


def canonical_name(feature: ViewFeature, signature: ViewSignature) -> str:
    """Return `@view.feature[key]`, the key always written out.

    >>> weather = ViewSignature(view="weather", entity="origin", key="origin", features={})
    >>> canonical_name(ViewFeature("weather", "wind_speed"), weather)
    '@weather.wind_speed[origin]'
    """
    return f"@{feature.view}.{feature.feature}[{feature.key or signature.key}]"


def key_column(feature: ViewFeature, views: Mapping[str, ViewSignature]) -> str:
    """Return the name under which a row holds the key of a view feature.

    Of a key that is computed it begins with `=`, which no request can send.
    """
    if isinstance(feature.by, ViewFeature):
        return canonical_name(feature.by, views[feature.by.view])
    return feature.key or views[feature.view].key if feature.by is None else f"={feature.key}"


def bind_views(node: Node, views: Mapping[str, ViewSignature]) -> Node:
    """Return the tree in which every view feature is the column of its canonical name."""

    def bound(each: Node) -> Node:
        if isinstance(each, ViewFeature):
            return Column(canonical_name(each, views[each.view]), each.type)
        return each

    return replace(node, bound)


def expand_fitted(node: Node) -> Node:
    """Return the tree in which frozen fitted calls are plain; TD-LANG-010 if one is not frozen."""

    def expanded(each: Node) -> Node:
        if not isinstance(each, Fitted):
            return each
        if each.parameters is None:
            raise DefinitionError(
                "TD-LANG-010",
                f"'{each.function}' has not been fitted",
                expected="frozen parameters, learned on the training split",
                fix="Train first; a feature view may not hold fitted functions.",
            )
        return FITTED[each.function].expand(each, each.parameters)

    return replace(node, expanded)


class _Stored(msgspec.Struct, frozen=True):
    version: int
    tree: Node | WindowCall


def to_json(node: Node | WindowCall) -> dict[str, Any]:
    """Return the tree as plain JSON values with the language's version."""
    body: dict[str, Any] = msgspec.to_builtins(_Stored(LANGUAGE_VERSION, node))
    return body


def from_json(data: Any) -> Any:
    """Read what `to_json` wrote, and check its types again: a package may come from anywhere.

    TD-LANG-009 for another language version, an unknown function or a tree that does not check.
    """
    try:
        stored = msgspec.convert(data, _Stored)
    except (msgspec.ValidationError, RecursionError) as error:
        raise _unreadable(str(error)) from None
    if stored.version != LANGUAGE_VERSION:
        raise _unreadable(f"its language version is {stored.version}")
    tree = stored.tree
    roots = [tree.argument, tree.divisor] if isinstance(tree, WindowCall) else [tree]
    for root in roots:
        if root is not None:
            _verify_stored(root)
    return tree


def _verify_stored(root: Node) -> None:
    if depth_of(root) > MOST_DEPTH:
        raise _unreadable(f"it is nested deeper than {MOST_DEPTH} levels")
    try:
        verify(root)
        if all(each.parameters is not None for each in fitted_of(root)):
            verify(expand_fitted(root))
    except DefinitionError as error:
        raise _unreadable(error.message) from None
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(f"its frozen parameters do not fit ({error!r})") from None


def _unreadable(why: str) -> DataError:
    return DataError(
        "TD-LANG-009",
        f"the stored tree cannot be read: {why}",
        expected=f"a tree of language version {LANGUAGE_VERSION}",
        fix="Read it with the tondo that wrote it, or define the feature again.",
    )


def is_constant(node: Node) -> bool:
    """Return whether the tree reads nothing of the row."""
    return all(isinstance(each, Literal | Call) for each in nodes_of(node))
