"""What writes SQL from a tree: constants, columns, guards against NaN, shared arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

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
}


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


class Emitter:
    """Writes the SQL of one tree; numbers the variables of its lambdas."""

    def __init__(self, table: Mapping[str, Lowering]) -> None:
        self.table = table
        self.variables = 0

    def raw(self, node: Node) -> str:
        """Return the SQL of `node`; a double may be NaN where `may_be_nan(node)`."""
        if isinstance(node, Literal):
            return self.literal(node)
        if isinstance(node, Column):
            inner = name_sql(node.name)
            return _COLUMNS.get(node.type, f"CAST({{0}} AS {_TYPES[node.type]})").format(inner)
        assert isinstance(node, Call)
        return self.row(node).sql(self, node)

    def plain(self, node: Node) -> str:
        """Return the SQL of `node` with NaN made null."""
        text = self.raw(node)
        return self.guarded(text) if self.may_be_nan(node) else text

    def guarded(self, text: str) -> str:
        """Return the SQL of a double with NaN made null."""
        return self.shared(text, lambda x: f"nullif({x}, {NAN})")

    def shared(self, text: str, body: Callable[[str], str]) -> str:
        """Return `body(text)`, with a long `text` computed once."""
        if len(text) <= LONGEST_COPY:
            return body(text)
        self.variables += 1
        variable = f"v{self.variables}"
        return f"list_transform([{text}], lambda {variable}: {body(variable)})[1]"

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
        if value is None:
            return f"CAST(NULL AS {_TYPES[node.type]})"
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
