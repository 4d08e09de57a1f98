"""As-of lookups: the newest row per key that was visible at the spine's time."""

# ruff: noqa: S608 - names in composed SQL are quoted by `quote`
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.adapters.engines.duckdb.connection import quote, relation, to_arrow
from tondo.adapters.engines.duckdb.lowering import lower
from tondo.language.walk import columns_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from tondo.language.tree import Node
    from tondo.ports.engine import LookupJoin


def lookup_join(connection: Any, join: LookupJoin, key: str, *, spine: str) -> pa.Table:
    """Return `__n` and the features of `join` for each row of the numbered `spine` table.

    Our own columns begin with two underscores, so that they meet none of the source's.
    """
    if join.event_time is None:
        return to_arrow(connection, _static(connection, join, key=key, spine=spine))
    fresh = "__e IS NOT NULL"
    if join.ttl_us is not None:
        fresh += f" AND __t - __e <= {join.ttl_us}"
    found = _newest(connection, join, key=key, spine=spine)
    return to_arrow(connection, f"SELECT __n, {_features(join, fresh)} FROM ({found}) ORDER BY __n")


def _newest(connection: Any, join: LookupJoin, *, key: str, spine: str) -> str:
    """Return SELECT text: __n, __t, __e of the winner and the columns that features read."""
    columns = _columns_of(join.features)
    times = _rows(connection, join, set())
    tied = _has_ties(connection, times, "__key, __e, __r")
    if tied:
        rows = _rows(connection, join, columns | _columns_of(join.ties))
        timeline = _winners(rows, "__visible, __e, __r, " + _content(join))
    elif join.recorded_at is None and join.cadence_us is None:
        timeline = _rows(connection, join, columns)
    else:
        return _by_times(connection, join, times, key=key, spine=spine)
    return (
        f"SELECT s.__n, s.__t, v.* EXCLUDE (__key) FROM {spine} s "
        f"ASOF LEFT JOIN ({timeline}) v ON s.{key} = v.__key AND s.__t >= v.__visible"
    )


def _by_times(connection: Any, join: LookupJoin, times: str, *, key: str, spine: str) -> str:
    """Find the winners by key and times alone, then read the columns of only these rows."""
    if join.recorded_at is None:
        timeline = f"SELECT __key, __visible, max(__e) AS __e FROM ({times}) GROUP BY ALL"
        found, same = "v.__key, v.__e", "m.__key = p.__key AND m.__e = p.__e"
    else:
        timeline = _winners(times, "__visible, __e, __r")
        found = "v.__key, v.__e, v.__r"
        same = "m.__key = p.__key AND m.__e = p.__e AND m.__r = p.__r"
    rows = _rows(connection, join, _columns_of(join.features))
    return (
        f"SELECT m.__n, m.__t, m.__e, p.* EXCLUDE (__key, __e, __r, __visible) FROM ("
        f"SELECT s.__n, s.__t, {found} FROM {spine} s ASOF LEFT JOIN ({timeline}) v "
        f"ON s.{key} = v.__key AND s.__t >= v.__visible) m LEFT JOIN ({rows}) p ON {same}"
    )


def _features(join: LookupJoin, condition: str) -> str:
    return ", ".join(
        f"CASE WHEN {condition} THEN {lower(node)} END AS {quote(join.prefix + name)}"
        for name, node in join.features.items()
    )


def _columns_of(features: Mapping[str, Node]) -> set[str]:
    return set().union(*(columns_of(node) for node in features.values()))


def _rows(connection: Any, join: LookupJoin, read: set[str]) -> str:
    """Return SELECT text of the source: __key, __e, __r, __visible and the columns in `read`."""
    event_time, recorded_at = join.event_time, join.recorded_at
    times = [name for name in (event_time, recorded_at) if name]
    named = list(dict.fromkeys([join.key, *times, *sorted(read)]))
    columns = [f"{quote(join.key)} AS __key"]
    present = ["__key IS NOT NULL"]
    if event_time is not None:
        visible = event = f"epoch_us({quote(event_time)})"
        recorded = "NULL::BIGINT"
        present.append("__e IS NOT NULL")
        if recorded_at is not None:
            recorded = f"epoch_us({quote(recorded_at)})"
            visible = f"greatest({event}, {recorded})"
            present.append("__r IS NOT NULL")
        visible = _boundary(visible, join.cadence_us)
        columns += [f"{event} AS __e", f"{recorded} AS __r", f"{visible} AS __visible"]
    columns += [quote(name) for name in sorted(read)]
    return (
        f"SELECT * FROM (SELECT {', '.join(columns)} "
        f"FROM {relation(connection, join.table, named)}) WHERE {' AND '.join(present)}"
    )


def _boundary(instant: str, cadence_us: int | None) -> str:
    """Return the SQL of the first materialisation at or after an instant (from 1970 UTC on)."""
    if cadence_us is None:
        return instant
    past = f"((({instant}) % {cadence_us}) + {cadence_us}) % {cadence_us}"
    return f"({instant}) + ({cadence_us} - {past}) % {cadence_us}"


def _winners(rows: str, order: str) -> str:
    """Return SELECT text with one row per (__key, __visible): the winner from that instant on.

    A row that became visible late counts only if nothing visible before it is newer.
    """
    return (
        f"SELECT * EXCLUDE (__before, __next) FROM (SELECT *, max(__e) OVER (PARTITION BY __key "
        f"ORDER BY {order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS __before, "
        f"lead(__visible) OVER (PARTITION BY __key ORDER BY {order}) AS __next FROM ({rows})) "
        f"WHERE __next IS DISTINCT FROM __visible AND (__before IS NULL OR __e >= __before)"
    )


def _has_ties(connection: Any, rows: str, columns: str) -> bool:
    """Say whether rows are equal in `columns`; equal hashes of others only cost time."""
    answer = connection.execute(
        f"SELECT count(*) > count(DISTINCT hash({columns})) FROM ({rows})"
    ).fetchall()
    return bool(answer[0][0])


def _content(join: LookupJoin) -> str:
    """Return the order of rows equal in their times: by feature values, null and -0.0 first.

    The order is of `content_order` in `scoring/online.py`; a double's own comparison puts
    -0.0 beside 0.0, so their signs decide.
    """
    parts = []
    deciding = join.ties or join.features
    for name in sorted(deciding):
        node = deciding[name]
        text = lower(node)
        parts.append(f"{text} NULLS FIRST")
        if node.type == "double":
            parts.append(f"(NOT signbit({text})) NULLS FIRST")
    return ", ".join(parts)


def _static(connection: Any, join: LookupJoin, *, key: str, spine: str) -> str:
    """Return SELECT text for a view without time: the last row of each key."""
    rows = _rows(connection, join, _columns_of(join.features))
    # The mark tells a row with null columns from no row at all.
    marked = f"SELECT *, true AS __found FROM ({rows})"
    if _has_ties(connection, _rows(connection, join, set()), "__key"):
        numbered = f"SELECT *, row_number() OVER () AS __place FROM ({marked})"
        marked = (
            f"SELECT * EXCLUDE (__place) FROM ({numbered}) QUALIFY "
            f"row_number() OVER (PARTITION BY __key ORDER BY __place DESC) = 1"
        )
    return (
        f"SELECT __n, {_features(join, '__found')} FROM (SELECT s.__n, v.* EXCLUDE (__key) "
        f"FROM {spine} s LEFT JOIN ({marked}) v ON s.{key} = v.__key) ORDER BY __n"
    )
