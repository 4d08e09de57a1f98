"""How SQL is written from a tree, alike for every engine; an engine says how its SQL spells it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any

import msgspec

from tondo.core.columns import item_type
from tondo.core.errors import DefinitionError
from tondo.language.interpret import literal_value
from tondo.language.tree import Call, Column, Literal, Node

LONGEST_COPY = 240
"""An argument longer than this is computed once in a lambda; a shorter one is written twice."""


class Lowering(msgspec.Struct, frozen=True):
    """How an engine computes one function."""

    sql: Callable[[Any, Call], str]
    """From the engine's emitter and the call."""
    makes_nan: bool = False
    """It may answer NaN where the language says null."""
    carries_nan: bool = False
    """A NaN among its arguments makes it answer NaN, so they need no guard."""


class SqlEmitter(ABC):
    """Writes the SQL of one tree; names the variables of its lambdas."""

    engine: str
    """How the engine is called in errors."""

    def __init__(self, table: Mapping[str, Lowering], *, columns: Iterable[str] = ()) -> None:
        self.table = table
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
        return self.guarded(text) if self.may_be_nan(node) else text

    def shared(self, text: str, body: Callable[[str], str]) -> str:
        """Return `body(text)`, with a long `text` computed once."""
        return body(text) if len(text) <= LONGEST_COPY else self.computed_once(text, body)

    def variable(self) -> str:
        """Return a name for a variable that is no column of the tree and no other variable."""
        number = next(each for each in count(1) if f"v{each}" not in self.taken)
        self.taken.add(f"v{number}")
        return f"v{number}"

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
        """Return the lowering of the call's function; TD-LANG-014 if the engine has none."""
        found = self.table.get(node.function)
        if found is None:
            raise DefinitionError(
                "TD-LANG-014",
                f"{self.engine} has no lowering of '{node.function}'",
                fix="Use another function; every engine must know one before it is offered.",
            )
        return found

    def literal(self, node: Literal) -> str:
        """Return the SQL of a constant, of its type even where it is null."""
        value = literal_value(node)
        item = item_type(node.type)
        if value is None:
            return f"CAST(NULL AS {self.type_sql(node.type)})"
        if item is not None:
            listed = ", ".join(self.literal(Literal(each, item)) for each in value)
            return f"CAST({self.list_sql(listed)} AS {self.type_sql(node.type)})"
        if node.type == "bool":
            return "TRUE" if value else "FALSE"
        return self.constant(value, node.type)

    @abstractmethod
    def column(self, node: Column) -> str:
        """Return the SQL of a column; of a list, with NaN among its items made null."""

    @abstractmethod
    def guarded(self, text: str) -> str:
        """Return the SQL of a double with NaN made null."""

    @abstractmethod
    def computed_once(self, text: str, body: Callable[[str], str]) -> str:
        """Return `body` of a value that is computed once."""

    @abstractmethod
    def constant(self, value: Any, type_: str) -> str:
        """Return the SQL of a double, a text or a whole number."""

    @abstractmethod
    def type_sql(self, type_: str) -> str:
        """Return the engine's type of the values inside, for a column type."""

    @abstractmethod
    def list_sql(self, items: str) -> str:
        """Return the SQL of a list of some items."""


def constant_of(node: Node) -> object:
    """Return the value of a constant, None for anything else."""
    return literal_value(node) if isinstance(node, Literal) else None
