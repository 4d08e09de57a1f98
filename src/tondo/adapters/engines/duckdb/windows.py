"""Windows [t - w, t) as sweeps: an event counts from one instant to another.

An event at e, recorded at r, takes part at t exactly when max(e + 1, r) <= t <= e + w (integer
microseconds); with tiles of g, when t < (the end of its tile) + w. So each event adds its values
at the first instant and takes them away after the last; running sums per key are the window's
exact sums at every instant. What cannot be taken away again goes by pairs (`window_pairs.py`).
"""

# ruff: noqa: S608 - names in composed SQL are quoted by `quote`
from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tondo.adapters.engines.duckdb.connection import quote, relation, to_arrow
from tondo.adapters.engines.duckdb.lowering import lower, quantised_sql, unquantisable_sql
from tondo.adapters.engines.duckdb.window_pairs import by_pairs
from tondo.adapters.engines.window_sums import EXACT, SUMS, Slots, answered
from tondo.core.errors import DataError
from tondo.language.walk import columns_of
from tondo.language.windows import LARGEST, LARGEST_SQUARED, arguments_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from tondo.language.tree import Node, WindowCall
    from tondo.ports.engine import WindowJoin

_AT_ONCE = 8
"""Calls whose sums run in one query: its memory grows with their number, and does not all spill.
Twenty averages in one query took 1.8 times the memory, in nearly the same time."""


def window_join(connection: Any, join: WindowJoin, key: str, *, spine: str) -> pa.Table:
    """Return `__n` and the features of `join` for each row of the numbered `spine` table."""
    answer = to_arrow(connection, f"SELECT __n FROM {spine} ORDER BY __n")
    columns: dict[str, Any] = {}
    for bounds in dict.fromkeys(map(_bounds, join.features.values())):
        calls = {name: call for name, call in join.features.items() if _bounds(call) == bounds}
        sums = {name: call for name, call in calls.items() if call.function in SUMS}
        others = {name: call for name, call in calls.items() if call.function not in SUMS}
        for start in range(0, len(sums), _AT_ONCE):
            some = {name: sums[name] for name in list(sums)[start : start + _AT_ONCE]}
            columns |= _by_sums(connection, join, some, key=key, spine=spine)
        if others:
            events = partial(_events, connection, join, tuple(others.values()))
            columns |= by_pairs(connection, others, events=events, key=key, spine=spine)
    for name in join.features:
        answer = answer.append_column(join.prefix + name, columns[name])
    return answer


def _bounds(call: WindowCall) -> tuple[int, int | None]:
    return call.window_us, call.tile_us


def _events(
    connection: Any, join: WindowJoin, calls: Sequence[WindowCall], named: Mapping[str, str]
) -> str:
    """Return SELECT text of the events: key, e, r, start, stop and the `named` expressions.

    The `calls` have one window and one tile.
    """
    window_us, tile_us = _bounds(calls[0])
    read: set[str] = set()
    for call in calls:
        read = read.union(*map(columns_of, arguments_of(call)))
    times = [name for name in (join.event_time, join.recorded_at) if name]
    source = relation(
        connection, join.table, list(dict.fromkeys([join.key, *times, *sorted(read)]))
    )
    event = f"epoch_us({quote(join.event_time)})"
    recorded = f"epoch_us({quote(join.recorded_at)})" if join.recorded_at else event
    listed = "".join(f", {text} AS {name}" for name, text in named.items())
    stop = f"e + {window_us + 1}"
    if tile_us is not None:
        stop = f"e - ((e % {tile_us}) + {tile_us}) % {tile_us} + {tile_us + window_us}"
    return (
        f"SELECT *, greatest(e + 1, r) AS start, {stop} AS stop FROM "
        f"(SELECT {quote(join.key)} AS key, {event} AS e, {recorded} AS r{listed} FROM {source}) "
        f"WHERE key IS NOT NULL AND e IS NOT NULL AND r < {stop}"
    )


def _columns(slots: Slots) -> dict[str, str]:
    """Return the columns that carry the slots."""
    columns: dict[str, str] = {}
    for place, slot in enumerate(slots.known):
        text = lower(slot.argument)
        columns[f"p{place}"] = f"({text} IS NOT NULL)::BIGINT"
        if slot.kind == "count":
            continue
        exact = f"coalesce({quantised_sql(text, slot.scale_bits)}, 0)"
        columns[f"q{place}"] = exact
        if slot.kind == "stddev":
            columns[f"z{place}"] = f"{exact} * {exact}"
    return columns


def _by_sums(
    connection: Any, join: WindowJoin, calls: Mapping[str, WindowCall], *, key: str, spine: str
) -> dict[str, pa.Array]:
    """Answer calls whose sums can be added to and taken from."""
    for name, call in calls.items():
        _check_size(connection, join, name, call)
    slots = Slots(calls.values())
    columns = _columns(slots)
    names = ["g", *columns]
    events = _events(connection, join, tuple(calls.values()), columns)
    listed, taken = ", ".join(columns), ", ".join(f"-{name}" for name in columns)
    comma = ", " if columns else ""
    sums = ", ".join(f"sum({name}) AS {name}" for name in names)
    running = ", ".join(f"sum({name}) OVER sweep AS {name}" for name in names)
    shown = ", ".join(_shown(name) for name in names)
    found = to_arrow(
        connection,
        f"WITH events AS MATERIALIZED ({events}), "
        f"deltas AS (SELECT key, start AS moment, 1 AS g{comma}{listed} FROM events "
        f"UNION ALL SELECT key, stop, -1{comma}{taken} FROM events), "
        f"steps AS (SELECT key, moment, {sums} FROM deltas GROUP BY key, moment), "
        f"timeline AS (SELECT key, moment, {running} FROM steps WINDOW sweep AS "
        f"(PARTITION BY key ORDER BY moment ROWS UNBOUNDED PRECEDING)) "
        f"SELECT {shown}, s.{key} IS NOT NULL AND s.__t IS NOT NULL AS keyed "
        f"FROM {spine} s ASOF LEFT JOIN timeline v ON s.{key} = v.key AND s.__t >= v.moment "
        f"ORDER BY s.__n",
    )
    return {name: answered(call, slots, found) for name, call in calls.items()}


def _check_size(connection: Any, join: WindowJoin, feature: str, call: WindowCall) -> None:
    """Raise TD-LANG-012 when a value is too large for an exact sum, naming its row."""
    if call.function == "count":
        return
    for argument in arguments_of(call):
        _check_argument(connection, join, feature, call, argument=argument)


def _check_argument(
    connection: Any, join: WindowJoin, feature: str, call: WindowCall, *, argument: Node
) -> None:
    largest = LARGEST_SQUARED if call.function == "stddev" else LARGEST
    text = lower(argument)
    read = sorted({join.key, join.event_time} | columns_of(argument))
    found = connection.execute(
        f"SELECT {quote(join.key)}, {quote(join.event_time)}::VARCHAR, {text} "
        f"FROM {relation(connection, join.table, read)} "
        f"WHERE {unquantisable_sql(text, largest)} LIMIT 1"
    ).fetchall()
    for key, event_time, value in found:
        raise DataError(
            "TD-LANG-012",
            f"{value!r} is too large for {call.function} in feature '{feature}' of view "
            f"'{join.view}', in the row of {join.key} {key!r} at {event_time}",
            expected=f"a value between -{largest:g} and {largest:g}",
            fix="Correct the value, or make its unit larger in the feature's expression.",
            value=value,
        )


def _shown(name: str) -> str:
    """Return the columns of one running sum: as double where exact, as text beyond."""
    if name[0] in "gp":
        return f"coalesce({name}, 0)::BIGINT AS {name}"
    return (
        f"CASE WHEN abs({name}) <= {EXACT} THEN {name}::DOUBLE END AS {name}, "
        f"CASE WHEN abs({name}) > {EXACT} THEN {name}::VARCHAR END AS {name}_wide"
    )
