"""As-of lookups: the newest row per key that was visible at the spine's time."""

# ruff: noqa: S608 - names in composed SQL are quoted by `quote`
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.adapters.engines.duckdb.connection import quote, relation, to_arrow
from tondo.adapters.engines.duckdb.lowering import lower
from tondo.core.columns import item_type
from tondo.language.walk import columns_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from tondo.language.tree import Node
    from tondo.ports.engine import LookupJoin

_MATCHED = "tondo_matched"
"""Temporary table: each spine row and the times of the row it is answered from."""
_ROWS = "tondo_rows"
"""Temporary table: the source's rows that answer any spine row."""


def lookup_join(connection: Any, join: LookupJoin, key: str, *, spine: str) -> pa.Table:
    """Return `__n` and the features of `join` for each row of the numbered `spine` table.

    Our own columns begin with two underscores, so that they meet none of the source's.
    """
    if join.event_time is None:
        return to_arrow(connection, _static(connection, join, key=key, spine=spine))
    fresh = "__e IS NOT NULL"
    if join.ttl_us is not None:
        fresh += f" AND __t - __e <= {join.ttl_us}"
    times = _times(join)
    same = " AND ".join(f"m.{name} = p.{name}" for name in times)
    found = ", ".join(f"v.{name}" for name in times)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_MATCHED} AS SELECT s.__n, s.__t, {found} FROM {spine} s "
        f"ASOF LEFT JOIN ({_timeline(connection, join)}) v "
        f"ON s.{key} = v.__key AND s.__t >= v.__visible"
    )
    try:
        winners = _winners(connection, join, same)
        return to_arrow(
            connection,
            f"SELECT __n, {_features(join, fresh)} FROM (SELECT m.__n, m.__t, m.__e, "
            f"p.* EXCLUDE ({', '.join(times)}) FROM {_MATCHED} m LEFT JOIN {winners} p ON {same}) "
            f"ORDER BY __n",
        )
    finally:
        connection.execute(f"DROP TABLE IF EXISTS {_MATCHED}")
        connection.execute(f"DROP TABLE IF EXISTS {_ROWS}")


def _times(join: LookupJoin) -> list[str]:
    """Return the columns that name a row: all that a timeline needs to carry."""
    return ["__key", "__e"] if join.recorded_at is None else ["__key", "__e", "__r"]


def _winners(connection: Any, join: LookupJoin, same: str) -> str:
    """Keep the columns of the matched rows; return where one row per matched time lies.

    Only here can ties be left: rows of one key that are equal in all their times.
    """
    read = _columns_of(join.features) | _columns_of(join.ties)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_ROWS} AS SELECT p.* FROM "
        f"({_rows(connection, join, read)}) p SEMI JOIN {_MATCHED} m ON {same}"
    )
    times = ", ".join(_times(join))
    if not _has_ties(connection, _ROWS, times):
        return _ROWS
    # By their numbers: choosing the first of a window turns -0.0 into 0.0 in lists (DuckDB 2.0).
    placed = (
        f"SELECT rowid AS row, row_number() OVER "
        f"(PARTITION BY {times} ORDER BY {_content(join)}) AS place FROM {_ROWS}"
    )
    return f"(SELECT * FROM {_ROWS} WHERE rowid IN (SELECT row FROM ({placed}) WHERE place = 1))"


def _features(join: LookupJoin, condition: str) -> str:
    return ", ".join(
        f"CASE WHEN {condition} THEN {lower(node)} END AS {quote(join.prefix + name)}"
        for name, node in join.features.items()
    )


def _columns_of(features: Mapping[str, Node]) -> set[str]:
    return set().union(*(columns_of(node) for node in features.values()))


def _rows(connection: Any, join: LookupJoin, read: set[str], *, visible: bool = False) -> str:
    """Return SELECT text of the source: its times, `__visible` if asked, the columns `read`."""
    columns = [f"{quote(join.key)} AS __key"]
    present = ["__key IS NOT NULL"]
    if join.event_time is not None:
        event = moment = f"epoch_us({quote(join.event_time)})"
        columns.append(f"{event} AS __e")
        present.append("__e IS NOT NULL")
        if join.recorded_at is not None:
            recorded = f"epoch_us({quote(join.recorded_at)})"
            columns.append(f"{recorded} AS __r")
            present.append("__r IS NOT NULL")
            moment = f"greatest({event}, {recorded})"
        if visible:
            columns.append(f"{_boundary(moment, join.cadence_us)} AS __visible")
    named = [name for name in (join.key, join.event_time, join.recorded_at, *sorted(read)) if name]
    source = relation(connection, join.table, list(dict.fromkeys(named)))
    columns += [quote(name) for name in sorted(read)]
    return (
        f"SELECT * FROM (SELECT {', '.join(columns)} FROM {source}) WHERE {' AND '.join(present)}"
    )


def _boundary(instant: str, cadence_us: int | None) -> str:
    """Return the SQL of the first materialisation at or after an instant (from 1970 UTC on)."""
    if cadence_us is None:
        return instant
    past = f"((({instant}) % {cadence_us}) + {cadence_us}) % {cadence_us}"
    return f"({instant}) + ({cadence_us} - {past}) % {cadence_us}"


def _timeline(connection: Any, join: LookupJoin) -> str:
    """Return SELECT text: from which instant on (__visible) which row is the newest of its key."""
    rows = _rows(connection, join, set(), visible=True)
    if join.recorded_at is None:
        if join.cadence_us is None:
            return rows
        return f"SELECT __key, __visible, max(__e) AS __e FROM ({rows}) GROUP BY __key, __visible"
    # A row that became visible late counts only if nothing visible before it is newer.
    order = "PARTITION BY __key ORDER BY __visible, __e, __r"
    return (
        f"SELECT * EXCLUDE (__before, __next) FROM (SELECT *, max(__e) OVER "
        f"({order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS __before, "
        f"lead(__visible) OVER ({order}) AS __next FROM ({rows})) "
        f"WHERE __next IS DISTINCT FROM __visible AND (__before IS NULL OR __e >= __before)"
    )


def _has_ties(connection: Any, rows: str, columns: str) -> bool:
    """Say whether rows are equal in `columns`; equal hashes of others only cost time."""
    answer = connection.execute(
        f"SELECT count(*) > count(DISTINCT hash({columns})) FROM {rows}"
    ).fetchall()
    return bool(answer[0][0])


def _content(join: LookupJoin) -> str:
    """Return the order of rows equal in their times, the winner first: the greatest values.

    The order is that of `content_order` in `scoring/online.py` turned round. A double's own
    comparison puts -0.0 beside 0.0, so their signs decide.
    """
    parts = []
    deciding = join.ties or join.features
    for name in sorted(deciding):
        text, type_ = lower(deciding[name]), deciding[name].type
        if item_type(type_):
            # In lists DuckDB takes null for the greatest of all, here it is the least.
            sign = ", s: NOT signbit(item)" if item_type(type_) == "double" else ""
            items = f"lambda item: {{k: item IS NOT NULL, v: item{sign}}}"
            text = f"list_transform({text}, {items})"
        parts.append(f"{text} DESC NULLS LAST")
        if type_ == "double":
            parts.append(f"signbit({text}) NULLS LAST")
    return ", ".join(parts)


def _static(connection: Any, join: LookupJoin, *, key: str, spine: str) -> str:
    """Return SELECT text for a view without time: the last row of each key."""
    rows = _rows(connection, join, _columns_of(join.features))
    # The mark tells a row with null columns from no row at all.
    marked = f"SELECT *, true AS __found FROM ({rows})"
    if _has_ties(connection, f"({_rows(connection, join, set())})", "__key"):
        numbered = f"SELECT *, row_number() OVER () AS __place FROM ({marked})"
        marked = (
            f"WITH numbered AS MATERIALIZED ({numbered}) "
            f"SELECT * EXCLUDE (__place) FROM numbered SEMI JOIN "
            f"(SELECT max(__place) AS __place FROM numbered GROUP BY __key) USING (__place)"
        )
    return (
        f"SELECT __n, {_features(join, '__found')} FROM (SELECT s.__n, v.* EXCLUDE (__key) "
        f"FROM {spine} s LEFT JOIN ({marked}) v ON s.{key} = v.__key) ORDER BY __n"
    )
