"""Expressions over a table: one column each, rows in input order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.adapters.engines.arrow_types import arrow_type
from tondo.adapters.engines.spark.lowering import lower, settled, told
from tondo.adapters.engines.spark.lowering_layers import Layers
from tondo.adapters.engines.spark.tables import in_order, names_of, ordered, quote
from tondo.language.walk import columns_of, expand_fitted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from tondo.language.tree import Node


def evaluate(
    session: Any, expressions: Mapping[str, Node], table: Any, *, keep: Sequence[str]
) -> pa.Table:
    """Return `keep` columns and one column per checked expression."""
    # One column at least, by which rows are counted.
    read = dict.fromkeys(keep)
    for tree in expressions.values():
        read |= dict.fromkeys(sorted(columns_of(tree)))
    frame, places = ordered(session, table, list(read) or names_of(table)[:1])
    computed = computed_columns(frame, expressions, keep=[*keep, *places])
    return in_order(
        to_arrow(computed, {name: tree.type for name, tree in expressions.items()}), table
    )


def computed_columns(frame: Any, trees: Mapping[str, Node], *, keep: Sequence[str]) -> Any:
    """Return a frame of `keep` and the value of each tree, as it leaves the engine."""
    kept = [f"{quote(name)} AS k{place}" for place, name in enumerate(keep)]
    inner = inner_columns(frame, list(trees.values()), keep=kept)
    shown = [f"k{place} AS {quote(name)}" for place, name in enumerate(keep)]
    shown += [
        f"{told(f'c{place}', tree.type)} AS {quote(name)}"
        for place, (name, tree) in enumerate(trees.items())
    ]
    return inner.selectExpr(*shown)


def inner_columns(frame: Any, trees: Sequence[Node], *, keep: Sequence[str]) -> Any:
    """Return a frame of `keep`, SQL with ` AS name`, and `c0`...: the trees' values inside.

    In steps, so that no text is too deep, and a last value is computed once and looked at twice.
    """
    names = [text.rpartition(" AS ")[2] for text in keep]
    layers = Layers()
    shallow = [layers.shallow(expand_fitted(tree)) for tree in trees]
    inner = layers.names
    for layer in layers.columns:
        parts = [f"{lower(tree, inner=inner)} AS {name}" for name, tree in layer.items()]
        frame = frame.selectExpr("*", *parts)
    lowered = [f"{lower(tree, inner=inner)} AS c{place}" for place, tree in enumerate(shallow)]
    final = [f"{settled(f'c{place}', tree.type)} AS c{place}" for place, tree in enumerate(trees)]
    return frame.selectExpr(*keep, *lowered).selectExpr(*names, *final)


def to_arrow(frame: Any, types: Mapping[str, str]) -> pa.Table:
    """Bring a frame to the driver; columns of `types` as every engine tells them."""
    import pyarrow as pa

    found = frame.toArrow()
    fields = [
        pa.field(field.name, arrow_type(types[field.name]) if field.name in types else field.type)
        for field in found.schema
    ]
    return found.cast(pa.schema(fields))
