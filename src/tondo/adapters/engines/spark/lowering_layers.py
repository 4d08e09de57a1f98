"""Deep trees in layers: parts that are computed first, as columns, so that no text is too deep.

Spark parses and plans by recursion, on a stack that a tree of 150 levels exhausts.
"""

from __future__ import annotations

from tondo.language.tree import Call, Column, Node

MOST_LEVELS = 16
"""Levels of one text: each is a handful of Spark's own."""
_NAME = "tondo_layer_"


class Layers:
    """The parts of some trees that come first: `columns`, layer by layer, name to tree."""

    def __init__(self) -> None:
        self.columns: list[dict[str, Node]] = []
        self._known: dict[Node, Column] = {}

    @property
    def names(self) -> frozenset[str]:
        """The names of all parts; they hold values as they are inside."""
        return frozenset(name for layer in self.columns for name in layer)

    def shallow(self, tree: Node) -> Node:
        """Return the tree with its deep parts replaced by their columns.

        >>> deep = Column("x", "double")
        >>> for _ in range(40):
        ...     deep = Call("negate", (deep,), "double")
        >>> layers = Layers()
        >>> layers.shallow(deep).function, len(layers.columns)
        ('negate', 2)
        """
        return self._shallow(tree)[0]

    def _shallow(self, node: Node) -> tuple[Node, int, int]:
        """Return the replaced node, its levels, and the layer after which it can be computed."""
        if not isinstance(node, Call):
            return node, 1, 0
        parts = [self._shallow(each) for each in node.arguments]
        levels = 1 + max((part[1] for part in parts), default=0)
        layer = max((part[2] for part in parts), default=0)
        node = Call(node.function, tuple(part[0] for part in parts), node.type)
        if levels < MOST_LEVELS:
            return node, levels, layer
        return self._column(node, layer), 1, layer + 1

    def _column(self, node: Node, layer: int) -> Column:
        if node not in self._known:
            name = f"{_NAME}{len(self._known)}"
            self._known[node] = Column(name, node.type)
            self.columns += [{} for _ in range(layer + 1 - len(self.columns))]
            self.columns[layer][name] = node
        return self._known[node]
