"""As-of lookups on Spark: the newest row per key that was visible at the spine's time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.adapters.engines.spark.evaluate import to_arrow
from tondo.adapters.engines.spark.lowering import told
from tondo.adapters.engines.spark.tables import quote
from tondo.adapters.engines.spark.timelines import RUNNING, events_of, in_spine_order, rows_of
from tondo.core.columns import item_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from tondo.language.tree import Node
    from tondo.ports.engine import LookupJoin

_LATEST = 2**63 - 1


def lookup_join(session: Any, join: LookupJoin, asked: Any, *, rows: int) -> pa.Table:
    """Return the features of `join` for each row of `asked` (n, key, t), in the order of n."""
    trees = list(dict.fromkeys([*join.features.values(), *join.ties.values()]))
    timeline = _timeline(session, join, trees)
    values = ", ".join(["e", *(f"c{place}" for place in range(len(trees)))])
    events = timeline.selectExpr("key", "moment", "0 AS side", f"struct({values}) AS found")
    timed = join.event_time is not None
    spine = asked.where("key IS NOT NULL AND t IS NOT NULL" if timed else "key IS NOT NULL")
    moment = "t" if timed else f"{_LATEST}L"
    questions = spine.selectExpr("key", f"{moment} AS moment", "1 AS side", "n")
    both = events.unionByName(questions, allowMissingColumns=True)
    answered = both.selectExpr("n", "moment", f"last(found, true) {RUNNING} AS found")
    fresh = f"moment - found.e <= {join.ttl_us}" if timed and join.ttl_us is not None else "TRUE"
    known = answered.where("n IS NOT NULL").selectExpr(
        "n",
        *(
            f"if({fresh}, found.c{trees.index(tree)}, NULL) AS f{place}"
            for place, tree in enumerate(join.features.values())
        ),
    )
    return in_spine_order(_shown(known, join), rows)


def _shown(known: Any, join: LookupJoin) -> pa.Table:
    types = {join.prefix + name: tree.type for name, tree in join.features.items()}
    shown = [
        f"{told(f'f{place}', type_)} AS {quote(name)}"
        for place, (name, type_) in enumerate(types.items())
    ]
    return to_arrow(known.selectExpr("n", *shown), types)


def _timeline(session: Any, join: LookupJoin, trees: Sequence[Node]) -> Any:
    """Return the frame of key, moment, e and c0...: from which instant on which row stands."""
    if join.event_time is None:
        # The last row of a key, in the order of the table.
        rows = rows_of(session, join.table, trees, key=join.key)
        return rows.where("key IS NOT NULL").selectExpr(
            "*", "place AS moment", "CAST(NULL AS BIGINT) AS e"
        )
    events = events_of(
        session,
        join.table,
        trees,
        key=join.key,
        event_time=join.event_time,
        recorded_at=join.recorded_at,
    )
    known = events.where("key IS NOT NULL AND e IS NOT NULL AND r IS NOT NULL")
    visible = known.selectExpr("*", f"{_boundary('greatest(e, r)', join.cadence_us)} AS moment")
    order = ", ".join(["moment", "e", "r", *_content(join, trees)])
    window = f"PARTITION BY key ORDER BY {order}"
    # A row that became visible late counts only if nothing visible before it is newer.
    sifted = visible.selectExpr(
        "*",
        f"max(e) OVER ({window} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before",
        f"lead(moment) OVER ({window}) AS next",
    )
    return sifted.where("NOT next <=> moment AND (before IS NULL OR e >= before)")


def _boundary(instant: str, cadence_us: int | None) -> str:
    """Return the SQL of the first materialisation at or after an instant (from 1970 UTC on)."""
    return instant if cadence_us is None else f"{instant} + pmod(-{instant}, {cadence_us}L)"


def _content(join: LookupJoin, trees: Sequence[Node]) -> list[str]:
    """Return the order of rows equal in their times, the winner last: the greatest values.

    The order is that of `content_order` in `scoring/online.py`. A double's own comparison puts
    -0.0 beside 0.0, so their signs decide.
    """
    parts = []
    deciding = join.ties or join.features
    for name in sorted(deciding):
        column = f"c{trees.index(deciding[name])}"
        if item_type(deciding[name].type) == "double":
            signed = "struct(item AS v, CAST(item AS STRING) <> '-0.0' AS s)"
            column = f"transform({column}, item -> {signed})"
        parts.append(f"{column} ASC NULLS FIRST")
        if deciding[name].type == "double":
            parts.append(f"CAST({column} AS STRING) = '-0.0' DESC")
    return parts
