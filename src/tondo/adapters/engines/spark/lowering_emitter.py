"""What writes Spark SQL from a tree: constants, columns, guards against NaN, shared arguments.

Everything is written as calls, operators too: Spark's parser looks from each parenthesis that
groups to its end, and took seconds for thirty trees with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import count

import msgspec

from tondo.adapters.engines.spark.tables import quote
from tondo.core.columns import item_type
from tondo.core.errors import DefinitionError
from tondo.language.interpret import literal_value
from tondo.language.tree import Call, Column, Literal, Node

LONGEST_COPY = 240
"""An argument longer than this is computed once in a lambda; a shorter one is written twice."""

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


class Emitter:
    """Writes the SQL of one tree; names the variables of its lambdas.

    What it writes never raises, whatever the row: Spark may compute a part before the condition
    that guards it.
    """

    def __init__(
        self,
        table: Mapping[str, Lowering],
        *,
        columns: Iterable[str] = (),
        inner: Collection[str] = (),
    ) -> None:
        self.table = table
        self.inner = inner
        """Columns that hold values as they are inside, not as they are in tables."""
        # Inside a lambda its variable hides a column of the same name.
        self.taken = set(columns)

    def raw(self, node: Node) -> str:
        """Return the SQL of `node`; a double may be NaN where `may_be_nan(node)`."""
        if isinstance(node, Literal):
            return self.literal(node)
        if isinstance(node, Column):
            return self.column(node)
        assert isinstance(node, Call)
        return self.row(node).sql(self, node)

    def plain(self, node: Node) -> str:
        """Return the SQL of `node` with NaN made null."""
        text = self.raw(node)
        return called("nanvl", text, NULL_DOUBLE) if self.may_be_nan(node) else text

    def shared(self, text: str, body: Callable[[str], str]) -> str:
        """Return `body(text)`, with a long `text` computed once."""
        if len(text) <= LONGEST_COPY:
            return body(text)
        return called("get", self.mapped(f"array({text})", body), "0")

    def variable(self) -> str:
        """Return a name for a variable that is no column of the tree and no other variable."""
        number = next(each for each in count(1) if f"v{each}" not in self.taken)
        self.taken.add(f"v{number}")
        return f"v{number}"

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

    def may_be_nan(self, node: Node) -> bool:
        """Return whether `raw(node)` may hold NaN in place of null."""
        if node.type != "double" or isinstance(node, Literal):
            return False
        if not isinstance(node, Call):
            return True
        row = self.row(node)
        if row.makes_nan:
            return True
        return row.carries_nan and any(map(self.may_be_nan, node.arguments))

    def row(self, node: Call) -> Lowering:
        """Return the lowering of the call's function; TD-LANG-014 if Spark has none."""
        found = self.table.get(node.function)
        if found is None:
            raise DefinitionError(
                "TD-LANG-014",
                f"Spark has no lowering of '{node.function}'",
                fix="Use another function, or the embedded engine.",
            )
        return found

    def literal(self, node: Literal) -> str:
        """Return the SQL of a constant, of its type even where it is null."""
        value = literal_value(node)
        item = item_type(node.type)
        if value is None:
            return f"CAST(NULL AS {type_sql(node.type)})"
        if item is not None:
            listed = ", ".join(self.literal(Literal(each, item)) for each in value)
            return f"CAST(array({listed}) AS {type_sql(node.type)})"
        if node.type == "double":
            return double_sql(value)
        if node.type == "string":
            return string_sql(value)
        if node.type == "bool":
            return "TRUE" if value else "FALSE"
        return whole_sql(int(value))


class Lowering(msgspec.Struct, frozen=True):
    """How Spark computes one function."""

    sql: Callable[[Emitter, Call], str]
    makes_nan: bool = False
    """It may answer NaN where the language says null."""
    carries_nan: bool = False
    """A NaN among its arguments makes it answer NaN, so they need no guard."""


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


def constant_of(node: Node) -> object:
    """Return the value of a constant, None for anything else."""
    return literal_value(node) if isinstance(node, Literal) else None
