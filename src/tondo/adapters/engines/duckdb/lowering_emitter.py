"""What writes SQL from a tree: constants, columns, guards against NaN, shared arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import count

import msgspec

from tondo.core.columns import item_type
from tondo.core.errors import DefinitionError
from tondo.language.interpret import literal_value
from tondo.language.tree import Call, Column, Literal, Node

NAN = "CAST('NaN' AS DOUBLE)"
LONGEST_COPY = 240
"""An argument longer than this is computed once in a lambda; a shorter one is written twice."""

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


class Emitter:
    """Writes the SQL of one tree; names the variables of its lambdas."""

    def __init__(self, table: Mapping[str, Lowering], *, columns: Iterable[str] = ()) -> None:
        self.table = table
        # Inside a lambda its variable hides a column of the same name, in any case.
        self.taken = {each.lower() for each in columns}

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
        return self.guarded(text) if self.may_be_nan(node) else text

    def local_timestamp(self, zone_name: str, argument: Node) -> str | None:  # noqa: ARG002
        """Return the name under which local time was computed before, None if it was not."""
        return None

    def guarded(self, text: str) -> str:
        """Return the SQL of a double with NaN made null."""
        return self.shared(text, lambda x: f"nullif({x}, {NAN})")

    def shared(self, text: str, body: Callable[[str], str]) -> str:
        """Return `body(text)`, with a long `text` computed once."""
        if len(text) <= LONGEST_COPY:
            return body(text)
        return f"{self.mapped(f'[{text}]', body)}[1]"

    def variable(self) -> str:
        """Return a name for a variable that is no column of the tree and no other variable."""
        number = next(each for each in count(1) if f"v{each}" not in self.taken)
        self.taken.add(f"v{number}")
        return f"v{number}"

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
        """Return the lowering of the call's function; TD-LANG-014 if DuckDB has none."""
        found = self.table.get(node.function)
        if found is None:
            raise DefinitionError(
                "TD-LANG-014",
                f"DuckDB has no lowering of '{node.function}'",
                fix="Use another function; every engine must know one before it is offered.",
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
            return f"CAST([{listed}] AS {type_sql(node.type)})"
        if node.type == "double":
            return double_sql(value)
        if node.type == "string":
            return string_sql(value)
        if node.type == "bool":
            return "TRUE" if value else "FALSE"
        return f"CAST('{int(value)}' AS BIGINT)"


class Lowering(msgspec.Struct, frozen=True):
    """How DuckDB computes one function."""

    sql: Callable[[Emitter, Call], str]
    makes_nan: bool = False
    """It may answer NaN where the language says null."""
    carries_nan: bool = False
    """A NaN among its arguments makes it answer NaN, so they need no guard."""


def template(text: str, *, makes_nan: bool = False, carries_nan: bool = False) -> Lowering:
    """Return the lowering that puts the arguments, in order, into `text`."""

    def sql(emitter: Emitter, call: Call) -> str:
        write = emitter.raw if carries_nan else emitter.plain
        return text.format(*map(write, call.arguments))

    return Lowering(sql, makes_nan, carries_nan)


def constant_of(node: Node) -> object:
    """Return the value of a constant, None for anything else."""
    return literal_value(node) if isinstance(node, Literal) else None
