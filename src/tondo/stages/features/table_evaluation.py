"""Named expressions over a bare file, computed by any engine: columns in, columns out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import DefinitionError, placed
from tondo.language.alone import check_alone
from tondo.language.parse import parse
from tondo.language.tree import Column, Node
from tondo.language.walk import columns_of, replace
from tondo.stages.data.arrow_types import arrow_type, check_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from tondo.ports.engine import Evaluator
    from tondo.stages.data.bare_files import BareFile

MOST_AT_ONCE = 64
"""Expressions in one query: planning grows faster than their number."""


def check_expressions(texts: Mapping[str, str], file: BareFile) -> dict[str, Node]:
    """Return name to typed tree; errors name the expression (TD-LANG-001 to 006, -013, -040).

    A column of a type that cannot be read is TD-DATA-007 where an expression reads it.
    """
    check_names(list(texts), "the expressions", cased=True)
    checked = {}
    for name, text in texts.items():
        with placed(f"'{name}'"):
            _refuse_unreadable(text, file)
            checked[name] = check_alone(text, file.columns)
    return checked


def _refuse_unreadable(text: str, file: BareFile) -> None:
    if not file.refused:
        return
    try:
        named = columns_of(parse(text))
    except DefinitionError:
        return  # what is no expression is told by its check
    for name, error in file.refused.items():
        if name in named:
            raise error


def answer_schema(expressions: Mapping[str, Node]) -> pa.Schema:
    """Return the Arrow schema of the answers."""
    import pyarrow as pa

    return pa.schema([(name, arrow_type(node.type)) for name, node in expressions.items()])


def evaluate_file(
    expressions: Mapping[str, Node], file: BareFile, *, evaluator: Evaluator
) -> Iterator[pa.Table]:
    """Yield the expressions' columns a piece of rows at a time, rows in their order.

    Engines see columns under names of their own: some would not tell `x` from `X`.
    """
    read = {name for node in expressions.values() for name in columns_of(node)}
    names = [name for name in file.columns if name in read]
    inner = {name: f"c{place}" for place, name in enumerate(names)}

    def renamed(node: Node) -> Node:
        return Column(inner[node.name], node.type) if isinstance(node, Column) else node

    trees = [replace(node, renamed) for node in expressions.values()]
    schema = answer_schema(expressions)
    for piece in file.pieces(names):
        yield _answers(trees, piece.rename_columns(list(inner.values())), evaluator, schema)


def _answers(
    trees: Sequence[Node], piece: pa.Table, evaluator: Evaluator, schema: pa.Schema
) -> pa.Table:
    import pyarrow as pa

    if not piece.num_columns:
        # Constants have as many values as there are rows, and engines count rows by a column.
        piece = pa.table({"rows": pa.nulls(piece.num_rows, pa.bool_())})
    columns: list[pa.ChunkedArray] = []
    for start in range(0, len(trees), MOST_AT_ONCE):
        some = trees[start : start + MOST_AT_ONCE]
        named = {f"f{place}": tree for place, tree in enumerate(some)}
        columns += evaluator.evaluate(named, piece).columns
    return pa.table(columns, names=schema.names).cast(schema)
