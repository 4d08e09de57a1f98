"""Many trees to one SELECT in layers, so that what they share is computed once.

Innermost the columns are read (NaN made null, times as whole numbers), then times of a zone, then
the expressions, outermost their last form. Each layer computes without regard to the others, so
only what is defined for every value may be lifted into one.
"""

# ruff: noqa: S608 - composed SQL holds quoted names and expressions of our own

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from tondo.adapters.engines.duckdb.lowering import ROOTS
from tondo.adapters.engines.duckdb.lowering_emitter import Emitter, name_sql
from tondo.adapters.engines.duckdb.lowering_table import LOWERINGS
from tondo.adapters.engines.duckdb.lowering_times import local_timestamp_sql
from tondo.core.columns import item_type
from tondo.language.tree import Call, Column, Literal, Node
from tondo.language.walk import columns_of, expand_fitted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_PARTS = ("year", "month", "day", "hour", "minute", "second", "day_of_week", "day_of_year")
FINITE = frozenset(
    [
        "length",
        "strpos",
        "sign",
        "bucketize",
        "hash_bucket",
        "position_in",
        "count",
        "epoch",
        *_PARTS,
    ]
)
"""Functions whose answer is never infinite and never NaN."""
_CHOICES = frozenset(["case", "coalesce", "nullif", "greatest", "least"])


def select(expressions: Mapping[str, Node], source: str, *, keep: Sequence[str] = ()) -> str:
    """Return the SELECT of `keep` columns and one column per checked, frozen expression.

    Its answers are those of `lowering.lower`, bit for bit.
    """
    trees = {name: expand_fitted(node) for name, node in expressions.items()}
    read = {each for node in trees.values() for each in columns_of(node)}
    emitter = _LayeredEmitter(columns={*read, *keep})
    raws, lasts = [], []
    for name, node in trees.items():
        raw, last = _rooted(emitter, node)
        alias = emitter.alias()
        raws.append(f"{raw} AS {alias}")
        lasts.append(f"{last.replace('{0}', alias)} AS {name_sql(name)}")
    kept = [name_sql(name) for name in keep]
    inner = list(dict.fromkeys([*kept, *emitter.direct])) + emitter.base
    text = (
        f"SELECT {', '.join(inner)} FROM {source}"
        if inner
        else f"SELECT 1 AS {emitter.alias()} FROM {source}"
    )
    if emitter.times:
        text = f"SELECT *, {', '.join(emitter.times)} FROM ({text})"
    text = f"SELECT {', '.join(kept + raws)} FROM ({text})"
    return f"SELECT {', '.join(kept + lasts)} FROM ({text})"


def _rooted(emitter: Emitter, node: Node) -> tuple[str, str]:
    """Return what an expression is in its own layer, and its last form over `{0}`."""
    if node.type == "double":
        if isinstance(node, Literal) or _is_finite(node):
            return emitter.plain(node), "{0}"
        return emitter.raw(node), ROOTS["double"]
    item = item_type(node.type)
    if item in ROOTS:
        return emitter.mapped(emitter.plain(node), ROOTS[item].format), "{0}"
    return emitter.plain(node), ROOTS.get(node.type, "{0}")


def _is_finite(node: Node) -> bool:
    """Return whether a double is surely finite or null; columns may hold infinities."""
    if isinstance(node, Literal):
        return True
    if not isinstance(node, Call):
        return False
    if node.function in FINITE:
        return True
    values = node.arguments
    if node.function == "case":
        pairs = len(values) // 2 * 2
        values = (*values[1:pairs:2], *values[pairs:])
    return node.function in _CHOICES and all(map(_is_finite, values))


class _LayeredEmitter(Emitter):
    """Reads each column once, and each zone's local time of a column once."""

    def __init__(self, *, columns: Iterable[str]) -> None:
        super().__init__(LOWERINGS, columns=columns)
        self.aliases: dict[tuple[str, ...], str] = {}
        self.direct: list[str] = []
        self.base: list[str] = []
        self.times: list[str] = []

    def alias(self) -> str:
        """Return a name that no column and no variable has."""
        name = next(f"c{each}" for each in count(1) if f"c{each}" not in self.taken)
        self.taken.add(name)
        return name

    def column(self, node: Column) -> str:
        """Return the SQL of a column, or the name under which it was read."""
        text = super().column(node)
        if node.type in {"string", "bool", "id", "double"}:
            self.direct.append(name_sql(node.name))
            return text
        return self._named(("column", node.type, node.name), text, self.base)

    def plain(self, node: Node) -> str:
        """Return the SQL of `node` with NaN made null; of a column, its name when so read."""
        if not isinstance(node, Column) or node.type != "double":
            return super().plain(node)
        text = super().column(node)
        guarded = f"CASE WHEN isnan({text}) THEN NULL ELSE {text} END"
        return self._named(("column", node.type, node.name), guarded, self.base)

    def local_timestamp(self, zone_name: str, argument: Node) -> str | None:
        """Return the name of a column's local time, null outside the calendar."""
        if not isinstance(argument, Column):
            return None
        text = local_timestamp_sql(zone_name, self.column(argument))
        return self._named(("local", zone_name, argument.name), text, self.times)

    def _named(self, key: tuple[str, ...], text: str, layer: list[str]) -> str:
        if key not in self.aliases:
            self.aliases[key] = self.alias()
            layer.append(f"{text} AS {self.aliases[key]}")
        return self.aliases[key]
