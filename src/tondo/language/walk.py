"""Questions about trees, and trees made from trees; also their JSON form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DataError, DefinitionError, near
from tondo.language.fitted import FITTED
from tondo.language.functions import FUNCTIONS
from tondo.language.tree import (
    LANGUAGE_VERSION,
    Call,
    Column,
    Fitted,
    Literal,
    Node,
    ViewFeature,
    WindowCall,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tondo.language.check import ViewSignature


def children_of(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below `node`."""
    if isinstance(node, Call):
        return node.arguments
    return (node.argument,) if isinstance(node, Fitted) else ()


def nodes_of(node: Node) -> Iterator[Node]:
    """Yield every node, children before parents."""
    pending: list[tuple[Node, bool]] = [(node, False)]
    while pending:
        here, opened = pending.pop()
        below = children_of(here)
        if opened or not below:
            yield here
        else:
            pending.append((here, True))
            pending.extend((each, False) for each in reversed(below))


def depth_of(node: Node) -> int:
    """Return the number of levels; a leaf has 1."""
    deepest = 0
    pending = [(node, 1)]
    while pending:
        here, depth = pending.pop()
        deepest = max(deepest, depth)
        pending.extend((each, depth + 1) for each in children_of(here))
    return deepest


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

    >>> from tondo.language.check import ViewSignature
    >>> weather = ViewSignature(view="weather", entity="origin", key="origin", features={})
    >>> canonical_name(ViewFeature("weather", "wind_speed"), weather)
    '@weather.wind_speed[origin]'
    """
    return f"@{feature.view}.{feature.feature}[{feature.key or signature.key}]"


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
        return FITTED[each.function].expand(each.argument, each.parameters)

    return replace(node, expanded)


class _Stored(msgspec.Struct, frozen=True):
    version: int
    tree: Node | WindowCall


def to_json(node: Node | WindowCall) -> dict[str, Any]:
    """Return the tree as plain JSON values with the language's version."""
    body: dict[str, Any] = msgspec.to_builtins(_Stored(LANGUAGE_VERSION, node))
    return body


def from_json(data: Any) -> Any:
    """Read what `to_json` wrote; TD-LANG-009 for another version or an unknown function."""
    try:
        stored = msgspec.convert(data, _Stored)
    except (msgspec.ValidationError, RecursionError) as error:
        raise _unreadable(str(error)) from None
    if stored.version != LANGUAGE_VERSION:
        raise _unreadable(f"its language version is {stored.version}")
    root = stored.tree.argument if isinstance(stored.tree, WindowCall) else stored.tree
    for each in nodes_of(root) if root is not None else ():
        if isinstance(each, Call | Fitted):
            table = FUNCTIONS if isinstance(each, Call) else FITTED
            if each.function not in table:
                raise _unreadable(
                    f"it calls '{each.function}', which is not known. "
                    + near(each.function, table)
                )
    return stored.tree


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
