"""What writes Spark SQL from a tree: constants, columns, guards against NaN, shared arguments.

Everything is written as calls, operators too: Spark's parser looks from each parenthesis that
groups to its end, and took seconds for thirty trees with them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tondo.adapters.engines.spark.tables import quote
from tondo.adapters.engines.sql_emitter import Lowering, SqlEmitter, constant_of
from tondo.core.columns import item_type

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from tondo.language.tree import Call, Column

__all__ = [
    "NULL_DOUBLE",
    "Emitter",
    "Lowering",
    "called",
    "chosen",
    "constant_of",
    "double_sql",
    "function",
    "string_sql",
    "template",
    "type_sql",
    "whole_sql",
]

_TYPES = {
    "double": "DOUBLE",
    "id": "BIGINT",
    "bool": "BOOLEAN",
    "string": "STRING",
    "timestamp": "BIGINT",
    "date": "BIGINT",
}
NULL_DOUBLE = "CAST(NULL AS DOUBLE)"
_COLUMNS = {
    "double": f"nanvl({{0}}, {NULL_DOUBLE})",
    "timestamp": "unix_micros(CAST({0} AS TIMESTAMP))",
    "date": "CAST(unix_date(CAST({0} AS DATE)) AS BIGINT)",
}
"""How items of a list, and times that are none, are read."""
_WHOLE = {"timestamp", "date"}
_KEYWORDS = {"and", "or", "not", "in", "div"}
_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\0": "\\u0000"})


def type_sql(type_: str) -> str:
    """Return Spark's type of the values inside, for a column type.

    >>> type_sql("list<timestamp>")
    'ARRAY<BIGINT>'
    """
    item = item_type(type_)
    return _TYPES[type_] if item is None else f"ARRAY<{_TYPES[item]}>"


def double_sql(value: float) -> str:
    """Return a DOUBLE constant; Spark would read a bare 0.1 as a decimal.

    >>> double_sql(0.1), double_sql(-1e-20)
    ('0.1D', '-1e-20D')
    """
    return f"{value!r}D" if math.isfinite(value) else f"CAST('{value}' AS DOUBLE)"


def whole_sql(value: int) -> str:
    """Return a BIGINT constant.

    >>> whole_sql(-3)
    '-3L'
    """
    return f"{value}L"


def string_sql(value: str) -> str:
    r"""Return a STRING constant.

    >>> print(string_sql("it's"))
    'it\'s'
    """
    return "'" + value.translate(_ESCAPES) + "'"


def called(name: str, *arguments: str) -> str:
    """Return the SQL of a function or operator of its arguments.

    >>> called("+", "a", "b")
    '`+`(a, b)'
    """
    shown = name if name.isidentifier() and name not in _KEYWORDS else f"`{name}`"
    return f"{shown}({', '.join(arguments)})"


def chosen(*parts: str) -> str:
    """Return the SQL of a choice: condition, value, condition, value..., and what else.

    >>> chosen("a", "b", "NULL")
    'if(a, b, NULL)'
    """
    otherwise = parts[-1]
    for place in range(len(parts) - 3, -1, -2):
        otherwise = called("if", parts[place], parts[place + 1], otherwise)
    return otherwise


class Emitter(SqlEmitter):
    """Writes Spark SQL.

    What it writes never raises, whatever the row: Spark may compute a part before the condition
    that guards it.
    """

    engine = "Spark"

    def __init__(
        self,
        table: Mapping[str, Lowering],
        *,
        columns: Iterable[str] = (),
        inner: Collection[str] = (),
    ) -> None:
        super().__init__(table, columns=columns)
        self.inner = inner
        """Columns that hold values as they are inside, not as they are in tables."""

    def guarded(self, text: str) -> str:
        """Return the SQL of a double with NaN made null."""
        return called("nanvl", text, NULL_DOUBLE)

    def computed_once(self, text: str, body: Callable[[str], str]) -> str:
        """Return `body` of a value that is computed once."""
        return called("get", self.mapped(f"array({text})", body), "0")

    def mapped(self, items: str, body: Callable[[str], str]) -> str:
        """Return the SQL of a list with `body` of each item."""
        variable = self.variable()
        return f"transform({items}, {variable} -> {body(variable)})"

    def column(self, node: Column) -> str:
        """Return the SQL of a column; of a list, with NaN among its items made null."""
        name, item = quote(node.name), item_type(node.type)
        if node.name in self.inner:
            return name
        typed = f"CAST({name} AS {type_sql(node.type)})"
        if item is not None:
            read = _COLUMNS.get(item)
            listed = typed if item == "double" else name
            return self.mapped(listed, read.format) if read else typed
        return _COLUMNS[node.type].format(name) if node.type in _WHOLE else typed

    def constant(self, value: Any, type_: str) -> str:
        """Return the SQL of a double, a text or a whole number."""
        if type_ == "double":
            return double_sql(value)
        return string_sql(value) if type_ == "string" else whole_sql(int(value))

    def type_sql(self, type_: str) -> str:
        """Return Spark's type of the values inside, for a column type."""
        return type_sql(type_)

    def list_sql(self, items: str) -> str:
        """Return the SQL of a list of some items."""
        return f"array({items})"


def function(name: str, *last: str, makes_nan: bool = False, carries_nan: bool = False) -> Lowering:
    """Return the lowering to a function of Spark: the arguments in order, then `last`."""

    def sql(emitter: Emitter, call: Call) -> str:
        write = emitter.raw if carries_nan else emitter.plain
        return called(name, *map(write, call.arguments), *last)

    return Lowering(sql, makes_nan, carries_nan)


def template(text: str) -> Lowering:
    """Return the lowering that puts the arguments, in order, into `text`."""

    def sql(emitter: Emitter, call: Call) -> str:
        return text.format(*map(emitter.plain, call.arguments))

    return Lowering(sql)
