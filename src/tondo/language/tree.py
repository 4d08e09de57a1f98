"""The typed tree: what an expression is once parsed. Trees are data, stored as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

LANGUAGE_VERSION = 1
"""Grows when the meaning of any function changes; a package records it."""

MOST_DEPTH = 150
"""Deeper nesting is refused, so that no tree can exhaust the stack of a reader."""


Scalar = float | int | bool | str | None


class Literal(msgspec.Struct, frozen=True, tag="literal", tag_field="node"):
    """A constant. Timestamps are microseconds UTC, dates are days since 1970."""

    value: Scalar | tuple[Scalar, ...]
    """The text of an expression holds no lists; frozen fitted functions do."""
    type: str = ""
    """Column type; empty for a bare null before checking."""


class Column(msgspec.Struct, frozen=True, tag="column", tag_field="node"):
    """A column of the row, or a fetched feature under its canonical name `@view.f[key]`."""

    name: str
    type: str = ""


class ViewFeature(msgspec.Struct, frozen=True, tag="view_feature", tag_field="node"):
    """`@view.feature`, `@view.feature[column]` or `@view.feature[expression]`: fetched by key."""

    view: str
    feature: str
    key: str | None = None
    """Column that holds the join key, or the text that computes it; None: the entity's own."""
    type: str = ""
    by: Node | None = None
    """What computes the key, where it is no column of the row."""


class Call(msgspec.Struct, frozen=True, tag="call", tag_field="node"):
    """A function of the table, operators included (`add`, `and`, `case`, ...)."""

    function: str
    arguments: tuple[Node, ...]
    type: str = ""


class Fitted(msgspec.Struct, frozen=True, tag="fitted", tag_field="node"):
    """A function whose parameters are learned on the training split, then frozen here."""

    function: str
    argument: Node
    options: tuple[float | str, ...] = ()
    parameters: dict[str, Any] | None = None
    """None until fitted."""
    type: str = ""


Node = Literal | Column | ViewFeature | Call | Fitted


class WindowCall(msgspec.Struct, frozen=True, tag="window", tag_field="node"):
    """`avg(x) over 3h`: an aggregate over [t - w, t) of a view's events."""

    function: str
    argument: Node | None
    """None for `count(*)`."""
    window_us: int
    scale_bits: int = 20
    """Sums are over multiples of 2**-scale_bits."""
    type: str = ""
    tile_us: int | None = None
    """`tiles 1h`: the window begins at the tile boundary at or before t - w. None: at t - w."""
    divisor: Node | None = None
    """The second argument of `ratio`."""
    most: int | None = None
    """The second argument of `last_k`."""

    @property
    def reach_us(self) -> int:
        """How long before the as-of time the window may begin."""
        return self.window_us + (self.tile_us or 0)


def children_of(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below `node`."""
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, ViewFeature) and node.by is not None:
        return (node.by,)
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
    """Return the number of levels; a leaf has 1.

    >>> depth_of(Call("negate", (Column("x"),)))
    2
    """
    deepest = 0
    pending = [(node, 1)]
    while pending:
        here, depth = pending.pop()
        deepest = max(deepest, depth)
        pending.extend((each, depth + 1) for each in children_of(here))
    return deepest
