"""The interpreter and the compiled row functions as engines that evaluate tables."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from tondo.adapters.engines.arrow_types import arrow_type
from tondo.core.columns import item_type
from tondo.language.interpret import evaluate
from tondo.language.rows import compile_rows
from tondo.language.tree import Column, nodes_of
from tondo.language.walk import expand_fitted
from tondo.ports.engine import FileTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from tondo.language.tree import Node

    Rows = Callable[[Mapping[str, Any]], list[Any]]

_WHOLE = {"timestamp": "int64", "date": "int32"}
"""Times are whole numbers to the language: microseconds and days."""


class _RowByRow:
    """What both share: rows out of Arrow, answers into Arrow."""

    name: str
    gaps: ClassVar[frozenset[str]] = frozenset(
        {"crosses", "point_in_time", "profile", "profile_slices", "query", "scan"}
    )
    """Methods of the port, and functions of the language, that are not offered."""

    def close(self) -> None:
        """Nothing is held open."""

    def evaluate(
        self, expressions: Mapping[str, Node], table: Any, *, keep: Sequence[str] = ()
    ) -> pa.Table:
        """Return `keep` columns and one column per checked expression, rows in input order."""
        import pyarrow as pa

        trees = {name: expand_fitted(node) for name, node in expressions.items()}
        types = {
            each.name: each.type
            for node in trees.values()
            for each in nodes_of(node)
            if isinstance(each, Column)
        }
        source = _read(table, [*types, *keep])
        columns = [_values(source.column(name), type_) for name, type_ in types.items()]
        names = list(types)
        compute = self._compute(trees)
        rows = zip(*columns, strict=True) if columns else ((),) * source.num_rows
        answers = [compute(dict(zip(names, row, strict=True))) for row in rows]
        found = {name: source.column(name) for name in keep}
        for place, (name, node) in enumerate(trees.items()):
            found[name] = _array([answer[place] for answer in answers], node.type)
        return pa.table(found)

    def _compute(self, trees: Mapping[str, Node]) -> Rows:
        raise NotImplementedError


class InterpretEngine(_RowByRow):
    """The specification itself: slow and plain."""

    name = "interpret"

    def _compute(self, trees: Mapping[str, Node]) -> Rows:
        return partial(_interpreted, tuple(trees.values()))


class RowsEngine(_RowByRow):
    """The functions that compute features when a request is answered."""

    name = "rows"

    def _compute(self, trees: Mapping[str, Node]) -> Rows:
        return compile_rows(trees)


def _interpreted(nodes: Sequence[Node], row: Mapping[str, Any]) -> list[Any]:
    return [evaluate(node, row) for node in nodes]


def _read(table: Any, names: Sequence[str]) -> pa.Table:
    import pyarrow as pa
    from pyarrow import parquet

    if not isinstance(table, FileTable):
        return pa.table(table)
    wanted = list(dict.fromkeys(names))
    return pa.concat_tables(parquet.ParquetFile(path).read(columns=wanted) for path in table.paths)


def _values(column: pa.ChunkedArray, type_: str) -> list[Any]:
    values: list[Any] = _cast(column, type_, to_whole=True).to_pylist()
    return values


def _array(values: list[Any], type_: str) -> pa.ChunkedArray:
    import pyarrow as pa

    whole = pa.chunked_array([pa.array(values, _arrow_type(type_, whole=True))])
    return _cast(whole, type_, to_whole=False)


def _cast(column: pa.ChunkedArray, type_: str, *, to_whole: bool) -> pa.ChunkedArray:
    """Return a column of times as whole numbers, or back; others as they are."""
    if (item_type(type_) or type_) not in _WHOLE:
        return column
    return column.cast(_arrow_type(type_, whole=to_whole))


def _arrow_type(type_: str, *, whole: bool) -> pa.DataType:
    """Return the type of a column, or `whole` that of its times as whole numbers."""
    import pyarrow as pa

    item = item_type(type_)
    if whole and (item or type_) in _WHOLE:
        number = pa.type_for_alias(_WHOLE[item or type_])
        return number if item is None else pa.list_(number)
    return arrow_type(type_)
