"""What writes SQL from a tree: constants, columns, guards against NaN, shared arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.adapters.engines.sql_emitter import Lowering, SqlEmitter, constant_of
from tondo.core.columns import item_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tondo.language.tree import Call, Column, Node

__all__ = [
    "NAN",
    "Emitter",
    "Lowering",
    "constant_of",
    "double_sql",
    "name_sql",
    "string_sql",
    "template",
    "type_sql",
]

NAN = "CAST('NaN' AS DOUBLE)"

_TYPES = {
    "double": "DOUBLE",
    "id": "BIGINT",
    "bool": "BOOLEAN",
    "string": "VARCHAR",
    "timestamp": "BIGINT",
    "date": "BIGINT",
}
_COLUMNS = {
    "timestamp": "epoch_us({0})",
    "date": "CAST({0} - DATE '1970-01-01' AS BIGINT)",
    "double": f"nullif({{0}}, {NAN})",
}
"""How items of a list, and times that are none, are read."""


def double_sql(value: float) -> str:
    """Return a DOUBLE constant; DuckDB would read a bare 0.1 as a decimal.

    >>> double_sql(0.1)
    "CAST('0.1' AS DOUBLE)"
    """
    return f"CAST('{value!r}' AS DOUBLE)"


def string_sql(value: str) -> str:
    """Return a VARCHAR constant; a NUL cannot stand in the text of a statement."""
    parts = ["'" + part.replace("'", "''") + "'" for part in value.split("\0")]
    return "(" + " || chr(0) || ".join(parts) + ")" if len(parts) > 1 else parts[0]


def name_sql(name: str) -> str:
    """Return a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def type_sql(type_: str) -> str:
    """Return DuckDB's type of the values inside, for a column type.

    >>> type_sql("list<timestamp>")
    'BIGINT[]'
    """
    item = item_type(type_)
    return _TYPES[type_] if item is None else f"{_TYPES[item]}[]"


class Emitter(SqlEmitter):
    """Writes DuckDB SQL."""

    engine = "DuckDB"

    def __init__(self, table: Mapping[str, Lowering], *, columns: Iterable[str] = ()) -> None:
        # DuckDB's names are the same in any case.
        super().__init__(table, columns=(each.lower() for each in columns))

    def local_timestamp(self, zone_name: str, argument: Node) -> str | None:  # noqa: ARG002 - where layers know it
        """Return the name under which local time was computed before, None if it was not."""
        return None

    def guarded(self, text: str) -> str:
        """Return the SQL of a double with NaN made null."""
        return self.shared(text, lambda x: f"nullif({x}, {NAN})")

    def computed_once(self, text: str, body: Callable[[str], str]) -> str:
        """Return `body` of a value that is computed once."""
        return f"{self.mapped(f'[{text}]', body)}[1]"

    def mapped(self, items: str, body: Callable[[str], str]) -> str:
        """Return the SQL of a list with `body` of each item."""
        variable = self.variable()
        return f"list_transform({items}, lambda {variable}: {body(variable)})"

    def column(self, node: Column) -> str:
        """Return the SQL of a column; of a list, with NaN among its items made null."""
        item = item_type(node.type)
        typed = f"CAST({name_sql(node.name)} AS {type_sql(node.type)})"
        if item is not None:
            read = _COLUMNS.get(item)
            listed = typed if item == "double" else name_sql(node.name)
            return self.mapped(listed, read.format) if read else typed
        if node.type == "double":
            return typed
        return _COLUMNS[node.type].format(name_sql(node.name)) if node.type in _COLUMNS else typed

    def constant(self, value: Any, type_: str) -> str:
        """Return the SQL of a double, a text or a whole number."""
        if type_ == "double":
            return double_sql(value)
        return string_sql(value) if type_ == "string" else f"CAST('{int(value)}' AS BIGINT)"

    def type_sql(self, type_: str) -> str:
        """Return DuckDB's type of the values inside, for a column type."""
        return type_sql(type_)

    def list_sql(self, items: str) -> str:
        """Return the SQL of a list of some items."""
        return f"[{items}]"


def template(text: str, *, makes_nan: bool = False, carries_nan: bool = False) -> Lowering:
    """Return the lowering that puts the arguments, in order, into `text`."""

    def sql(emitter: Emitter, call: Call) -> str:
        write = emitter.raw if carries_nan else emitter.plain
        return text.format(*map(write, call.arguments))

    return Lowering(sql, makes_nan, carries_nan)
