"""Windows [t - w, t) on Spark as sweeps: an event counts from one instant to another.

The design is that of the DuckDB engine (`duckdb/windows.py`): an event adds its exact values at
the first instant and takes them away after the last. Beside the spine's rows in the order of
time, running sums per key are the windows' sums. What cannot be taken away again goes by pairs
(`window_pairs.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.adapters.engines.spark.evaluate import to_arrow
from tondo.adapters.engines.spark.lowering import quantised_sql
from tondo.adapters.engines.spark.timelines import RUNNING, events_of, in_spine_order
from tondo.adapters.engines.spark.window_pairs import by_pairs
from tondo.adapters.engines.window_sums import EXACT, SUMS, Slots, answered
from tondo.core.errors import DataError
from tondo.language.windows import LARGEST, LARGEST_SQUARED, arguments_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from tondo.language.tree import Node, WindowCall
    from tondo.ports.engine import WindowJoin


def window_join(session: Any, join: WindowJoin, asked: Any, *, rows: int) -> pa.Table:
    """Return the features of `join` for each row of `asked` (n, key, t), in the order of n."""
    import pyarrow as pa

    keyed = asked.where("key IS NOT NULL AND t IS NOT NULL")
    columns: dict[str, Any] = {}
    for bounds in dict.fromkeys(map(_bounds, join.features.values())):
        calls = {name: call for name, call in join.features.items() if _bounds(call) == bounds}
        sums = {name: call for name, call in calls.items() if call.function in SUMS}
        others = {name: call for name, call in calls.items() if call.function not in SUMS}
        if sums:
            columns |= _by_sums(session, join, sums, keyed=keyed, rows=rows)
        if others:
            trees = [tree for call in others.values() for tree in arguments_of(call)]
            events = _within(_events(session, join, trees), next(iter(others.values())))
            columns |= by_pairs(events, others, keyed=keyed, rows=rows)
    return pa.table({join.prefix + name: columns[name] for name in join.features})


def _bounds(call: WindowCall) -> tuple[int, int | None]:
    return call.window_us, call.tile_us


def _events(session: Any, join: WindowJoin, trees: Sequence[Node]) -> Any:
    return events_of(
        session,
        join.table,
        trees,
        key=join.key,
        event_time=join.event_time,
        recorded_at=join.recorded_at,
    )


def _within(events: Any, call: WindowCall) -> Any:
    """Return the events that any window may hold, with `start` and `stop` of their part."""
    window_us, tile_us = _bounds(call)
    stop = f"e + {window_us + 1}L"
    if tile_us is not None:
        stop = f"e - pmod(e, {tile_us}L) + {tile_us + window_us}L"
    timed = events.selectExpr("*", "greatest(e + 1L, r) AS start", f"{stop} AS stop")
    # `greatest` passes over the null of what was never recorded.
    return timed.where("key IS NOT NULL AND e IS NOT NULL AND r < stop")


def _by_sums(
    session: Any, join: WindowJoin, calls: Mapping[str, WindowCall], *, keyed: Any, rows: int
) -> dict[str, pa.Array]:
    """Answer calls whose sums can be added to and taken from."""
    slots = Slots(calls.values())
    source = _events(session, join, [slot.argument for slot in slots.known])
    _check_sizes(source, join, calls, slots=slots)
    columns = _columns(slots)
    events = _within(source, next(iter(calls.values()))).selectExpr(
        "key", "start", "stop", *(f"{text} AS {name}" for name, text in columns.items())
    )
    added = events.selectExpr("key", "start AS moment", "0 AS side", "1L AS g", *columns)
    taken = events.selectExpr(
        "key",
        "stop AS moment",
        "0 AS side",
        "-1L AS g",
        *(f"-{name} AS {name}" for name in columns),
    )
    questions = keyed.selectExpr("key", "t AS moment", "1 AS side", "n")
    sweep = added.unionByName(taken).unionByName(questions, allowMissingColumns=True)
    running = sweep.selectExpr(
        "n", *(f"sum({name}) {RUNNING} AS {name}" for name in _names(columns))
    )
    shown = [text for name in _names(columns) for text in _shown(name)]
    found = to_arrow(
        running.where("n IS NOT NULL").selectExpr("n", "TRUE AS keyed", *shown), types={}
    )
    table = _without_nulls(in_spine_order(found, rows))
    return {name: answered(call, slots, table) for name, call in calls.items()}


def _names(columns: Mapping[str, str]) -> list[str]:
    return ["g", *columns]


def _columns(slots: Slots) -> dict[str, str]:
    """Return the columns that carry the slots."""
    columns: dict[str, str] = {}
    for place, slot in enumerate(slots.known):
        columns[f"p{place}"] = f"CAST(c{place} IS NOT NULL AS BIGINT)"
        if slot.kind == "count":
            continue
        exact = f"coalesce({quantised_sql(f'c{place}', slot.scale_bits)}, 0BD)"
        columns[f"q{place}"] = f"CAST({exact} AS DECIMAL(38, 0))"
        if slot.kind == "stddev":
            columns[f"z{place}"] = f"CAST({exact} * {exact} AS DECIMAL(38, 0))"
    return columns


def _shown(name: str) -> list[str]:
    """Return the columns of one running sum: as double where exact, as text beyond."""
    if name[0] in "gp":
        return [f"coalesce({name}, 0L) AS {name}"]
    return [
        f"CASE WHEN abs({name}) <= {EXACT}BD THEN CAST({name} AS DOUBLE) END AS {name}",
        f"CASE WHEN abs({name}) > {EXACT}BD THEN CAST({name} AS STRING) END AS {name}_wide",
    ]


def _without_nulls(found: pa.Table) -> pa.Table:
    """Return the table with 0 events and values for spine rows of a null key or time."""
    import pyarrow.compute as pc

    for place, name in enumerate(found.column_names):
        if name == "keyed" or name[0] in "gp":
            column = pc.fill_null(found.column(name), False if name == "keyed" else 0)
            found = found.set_column(place, name, column)
    return found


def _check_sizes(
    source: Any, join: WindowJoin, calls: Mapping[str, WindowCall], *, slots: Slots
) -> None:
    """Raise TD-LANG-012 when a value is too large for an exact sum, naming its row."""
    summed = [place for place, slot in enumerate(slots.known) if slot.kind != "count"]
    if not summed:
        return
    sizes = source.selectExpr(*(f"max(abs(c{place})) AS m{place}" for place in summed))
    found = sizes.toArrow().to_pylist()[0]
    for name, call in calls.items():
        largest = LARGEST_SQUARED if call.function == "stddev" else LARGEST
        for place in slots.places(call) if call.function != "count" else ():
            if (found[f"m{place}"] or 0.0) > largest:
                _refuse(source, join, name, call, column=f"c{place}")


def _refuse(source: Any, join: WindowJoin, feature: str, call: WindowCall, *, column: str) -> None:
    largest = LARGEST_SQUARED if call.function == "stddev" else LARGEST
    told = source.selectExpr("key", "CAST(timestamp_micros(e) AS STRING) AS at", f"{column} AS v")
    row = told.where(f"abs(v) > {largest!r}D").limit(1).toArrow().to_pylist()[0]
    raise DataError(
        "TD-LANG-012",
        f"{row['v']!r} is too large for {call.function} in feature '{feature}' of view "
        f"'{join.view}', in the row of {join.key} {row['key']!r} at {row['at']}",
        expected=f"a value between -{largest:g} and {largest:g}",
        fix="Correct the value, or make its unit larger in the feature's expression.",
        value=row["v"],
    )
