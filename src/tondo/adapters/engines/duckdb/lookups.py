"""As-of lookups: the newest row per key that was visible at the spine's time."""

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
    """Return `n` and the features of `join` for each row of the numbered `spine` table."""
    columns = _columns_of(join.features)
    if join.event_time is None:
        rows = _rows(connection, join, columns)
        return to_arrow(connection, _static(connection, join, rows, key=key, spine=spine))
    timeline = _timeline(connection, join, columns)
    fresh = "e IS NOT NULL"
    if join.ttl_us is not None:
        fresh += f" AND t - e <= {join.ttl_us}"
    return to_arrow(
        connection,
        f"SELECT n, {_features(join, fresh)} FROM (SELECT s.n, s.t, v.* EXCLUDE (key) "
        f"FROM {spine} s ASOF LEFT JOIN ({timeline}) v "
        f"ON s.{key} = v.key AND s.t >= v.visible) ORDER BY n",
    )


def feature_sql(node: Node) -> str:
    """Return the SQL of a feature's final value: what is not finite is null."""
    text = lower(node)
    if node.type == "double":
        return f"CASE WHEN isfinite({text}) THEN {text} END"
    return text


def _features(join: LookupJoin, condition: str) -> str:
    return ", ".join(
        f"CASE WHEN {condition} THEN {feature_sql(node)} END AS {quote(join.prefix + name)}"
        for name, node in join.features.items()
    )


def _columns_of(features: Mapping[str, Node]) -> set[str]:
    return set().union(*(columns_of(node) for node in features.values()))


def _rows(connection: Any, join: LookupJoin, read: set[str]) -> str:
    """Return SELECT text of the source: key, e, r, visible and the columns in `read`."""
    times = [name for name in (join.event_time, join.recorded_at) if name]
    source = relation(connection, join.table, list(dict.fromkeys([join.key, *times, *sorted(read)])))
    columns = [f"{quote(join.key)} AS key"]
    present = ["key IS NOT NULL"]
    if join.event_time is not None:
        event, recorded = f"epoch_us({quote(join.event_time)})", "NULL::BIGINT"
        visible = event
        present.append("e IS NOT NULL")
        if join.recorded_at is not None:
            recorded = f"epoch_us({quote(join.recorded_at)})"
            visible = f"greatest({event}, {recorded})"
            present.append("r IS NOT NULL")
        columns += [
            f"{event} AS e",
            f"{recorded} AS r",
            f"{_boundary(visible, join.cadence_us)} AS visible",
        ]
    columns += [quote(name) for name in sorted(read)]
    return (
        f"SELECT * FROM (SELECT {', '.join(columns)} FROM {source}) WHERE {' AND '.join(present)}"  # noqa: S608 - names are quoted
    )


def _boundary(instant: str, cadence_us: int | None) -> str:
    """Return the SQL of the first materialisation at or after an instant (from 1970 UTC on)."""
    if cadence_us is None:
        return instant
    past = f"((({instant}) % {cadence_us}) + {cadence_us}) % {cadence_us}"
    return f"({instant}) + ({cadence_us} - {past}) % {cadence_us}"


def _timeline(connection: Any, join: LookupJoin, columns: set[str]) -> str:
    """Return SELECT text with one row per (key, visible): the winner from that instant on."""
    tied = _has_ties(connection, _rows(connection, join, set()), "key, e, r")
    if tied:
        columns = columns | _columns_of(join.ties)
    rows = _rows(connection, join, columns)
    if not tied and join.recorded_at is None and join.cadence_us is None:
        return rows
    order = "visible, e, r" + (", " + _content(join) if tied else "")
    window = f"(PARTITION BY key ORDER BY {order})"
    # A row that became visible late counts only if nothing visible before it is newer.
    return (
        f"SELECT * EXCLUDE (before, next) FROM ("
        f"SELECT *, max(e) OVER (PARTITION BY key ORDER BY {order} "
        f"ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before, "
        f"lead(visible) OVER {window} AS next FROM ({rows})) "
        f"WHERE next IS DISTINCT FROM visible AND (before IS NULL OR e >= before)"
    )


def _has_ties(connection: Any, rows: str, columns: str) -> bool:
    """Say whether rows are equal in `columns`; equal hashes of others only cost time."""
    answer = connection.execute(
        f"SELECT count(*) > count(DISTINCT hash({columns})) FROM ({rows})"  # noqa: S608
    ).fetchone()
    return bool(answer[0])


def _content(join: LookupJoin) -> str:
    """Return the order of rows equal in their times: by feature values, null and -0.0 first.

    The order is of `content_order` in `scoring/online.py`; a double's own comparison puts
    -0.0 beside 0.0, so their signs decide.
    """
    parts = []
    deciding = join.ties or join.features
    for name in sorted(deciding):
        node = deciding[name]
        text = feature_sql(node)
        parts.append(f"{text} NULLS FIRST")
        if node.type == "double":
            parts.append(f"(NOT signbit({text})) NULLS FIRST")
    return ", ".join(parts)


def _static(connection: Any, join: LookupJoin, rows: str, *, key: str, spine: str) -> str:
    """Return SELECT text for a view without time: the last row of each key."""
    # The mark tells a row with null columns from no row at all.
    marked = f"SELECT *, true AS found FROM ({rows})"  # noqa: S608 - names are quoted
    if _has_ties(connection, rows, "key"):
        marked = (
            f"SELECT * EXCLUDE (place) FROM (SELECT *, true AS found, row_number() OVER () AS place "
            f"FROM ({rows})) QUALIFY row_number() OVER (PARTITION BY key ORDER BY place DESC) = 1"
        )
    return (
        f"SELECT n, {_features(join, 'found')} FROM (SELECT s.n, v.* EXCLUDE (key) "
        f"FROM {spine} s LEFT JOIN ({marked}) v ON s.{key} = v.key) ORDER BY n"
    )
