"""Windows [t - w, t) as sweeps: an event counts from one instant to another.

An event at e, recorded at r, takes part at t exactly when max(e + 1, r) <= t <= e + w (integer
microseconds). So each event adds its values at the first instant and takes them away after the
last; running sums per key are the window's exact sums at every instant. Least, greatest, first
and last cannot be taken away again: they are grouped over pairs of spine row and event, found
by buckets of length w.
"""

# ruff: noqa: S608 - names in composed SQL are quoted by `quote`
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tondo.adapters.engines.duckdb.connection import quote, relation, to_arrow
from tondo.adapters.engines.duckdb.lowering import lower, quantised_sql, unquantisable_sql
from tondo.core.errors import DataError
from tondo.language.walk import columns_of
from tondo.language.windows import LARGEST, LARGEST_SQUARED, finish

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

    from tondo.language.tree import Node, WindowCall
    from tondo.ports.engine import WindowJoin

_SUMS = ("count", "sum", "avg", "stddev")
_EXACT = 1 << 53
"""Integers up to here are doubles; a quotient of two of them is rounded once."""


def window_join(connection: Any, join: WindowJoin, key: str, *, spine: str) -> pa.Table:
    """Return `__n` and the features of `join` for each row of the numbered `spine` table."""
    answer = to_arrow(connection, f"SELECT __n FROM {spine} ORDER BY __n")
    columns: dict[str, Any] = {}
    for window_us in sorted({call.window_us for call in join.features.values()}):
        calls = {name: call for name, call in join.features.items() if call.window_us == window_us}
        sums = {name: call for name, call in calls.items() if call.function in _SUMS}
        others = {name: call for name, call in calls.items() if call.function not in _SUMS}
        if sums:
            columns |= _by_sums(connection, join, sums, key=key, spine=spine)
        if others:
            columns |= _by_pairs(connection, join, others, key=key, spine=spine)
    for name in join.features:
        answer = answer.append_column(join.prefix + name, columns[name])
    return answer


def _events(connection: Any, join: WindowJoin, window_us: int, named: Mapping[str, str]) -> str:
    """Return SELECT text of the events: key, e, r, start, stop and the `named` expressions."""
    read: set[str] = set()
    for call in join.features.values():
        if call.argument is not None:
            read |= columns_of(call.argument)
    times = [name for name in (join.event_time, join.recorded_at) if name]
    source = relation(
        connection, join.table, list(dict.fromkeys([join.key, *times, *sorted(read)]))
    )
    event = f"epoch_us({quote(join.event_time)})"
    recorded = f"epoch_us({quote(join.recorded_at)})" if join.recorded_at else event
    listed = "".join(f", {text} AS {name}" for name, text in named.items())
    return (
        f"SELECT *, greatest(e + 1, r) AS start, e + {window_us + 1} AS stop FROM "
        f"(SELECT {quote(join.key)} AS key, {event} AS e, {recorded} AS r{listed} FROM {source}) "
        f"WHERE key IS NOT NULL AND e IS NOT NULL AND r <= e + {window_us}"
    )


class _Slots:
    """The distinct summed arguments of some calls, and the columns that carry them."""

    def __init__(self, calls: Iterable[WindowCall]) -> None:
        self.columns: dict[str, str] = {}
        self._known: list[tuple[Any, ...]] = []
        for call in calls:
            if call.argument is not None:
                self._add(call, call.argument)

    def place(self, call: WindowCall) -> int:
        return self._known.index(_slot(call))

    def _add(self, call: WindowCall, argument: Node) -> None:
        slot = _slot(call)
        if slot not in self._known:
            self._known.append(slot)
        place = self._known.index(slot)
        text = lower(argument)
        self.columns[f"p{place}"] = f"({text} IS NOT NULL)::BIGINT"
        if call.function == "count":
            return
        exact = f"coalesce({quantised_sql(text, call.scale_bits)}, 0)"
        self.columns[f"q{place}"] = exact
        if call.function == "stddev":
            self.columns[f"z{place}"] = f"{exact} * {exact}"


def _slot(call: WindowCall) -> tuple[Any, ...]:
    if call.function == "count":
        return ("count", call.argument)
    return ("stddev" if call.function == "stddev" else "sum", call.argument, call.scale_bits)


def _by_sums(
    connection: Any, join: WindowJoin, calls: Mapping[str, WindowCall], *, key: str, spine: str
) -> dict[str, pa.Array]:
    """Answer calls whose sums can be added to and taken from."""
    for name, call in calls.items():
        _check_size(connection, join, name, call)
    slots = _Slots(calls.values())
    window_us = next(iter(calls.values())).window_us
    names = ["g", *slots.columns]
    events = _events(connection, join, window_us, slots.columns)
    listed, taken = ", ".join(slots.columns), ", ".join(f"-{name}" for name in slots.columns)
    comma = ", " if slots.columns else ""
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
    return {name: _finished(call, slots, found) for name, call in calls.items()}


def _check_size(connection: Any, join: WindowJoin, feature: str, call: WindowCall) -> None:
    """Raise TD-LANG-012 when a value is too large for an exact sum, naming its row."""
    if call.argument is None or call.function == "count":
        return
    largest = LARGEST_SQUARED if call.function == "stddev" else LARGEST
    text = lower(call.argument)
    read = sorted({join.key, join.event_time} | columns_of(call.argument))
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
        f"CASE WHEN abs({name}) <= {_EXACT} THEN {name}::DOUBLE END AS {name}, "
        f"CASE WHEN abs({name}) > {_EXACT} THEN {name}::VARCHAR END AS {name}_wide"
    )


def _finished(call: WindowCall, slots: _Slots, found: pa.Table) -> pa.Array:
    """Return the feature's column; the arithmetic is that of `language/windows.finish`."""
    import pyarrow as pa

    keyed = found.column("keyed").to_numpy()
    if call.argument is None:
        return pa.array(found.column("g").to_numpy().astype(float), mask=~keyed)
    place = slots.place(call)
    n = found.column(f"p{place}").to_numpy()
    if call.function == "count":
        return pa.array(n.astype(float), mask=~keyed)
    if call.function == "stddev":
        return pa.array(_spreads(call, n, found, place), type=pa.float64())
    totals = found.column(f"q{place}").to_numpy()
    present = n > 0
    divisor = np.where(present, n, 1) if call.function == "avg" else np.ones(len(n))
    values = totals / (divisor * float(1 << call.scale_bits))
    wide = found.column(f"q{place}_wide")
    for row in np.flatnonzero(present & np.isnan(totals)):
        values[row] = finish(call, int(n[row]), int(wide[int(row)].as_py()), 0)
    return pa.array(values, mask=~present)


def _spreads(call: WindowCall, n: np.ndarray, found: pa.Table, place: int) -> list[float | None]:
    totals = _integers(found, f"q{place}")
    squares = _integers(found, f"z{place}")
    return [
        finish(call, count, total, square)
        for count, total, square in zip(n.tolist(), totals, squares, strict=True)
    ]


def _integers(found: pa.Table, name: str) -> list[int]:
    """Return a running sum as unbounded integers; 0 where no event ever was."""
    narrow, wide = found.column(name).to_pylist(), found.column(f"{name}_wide").to_pylist()
    return [
        int(text) if text is not None else int(value or 0)
        for value, text in zip(narrow, wide, strict=True)
    ]


def _by_pairs(
    connection: Any, join: WindowJoin, calls: Mapping[str, WindowCall], *, key: str, spine: str
) -> dict[str, pa.ChunkedArray]:
    """Answer calls that need the events themselves, by pairs within buckets of length w."""
    arguments = {
        f"a{place}": lower(call.argument)
        for place, call in enumerate(calls.values())
        if call.argument is not None
    }
    window_us = next(iter(calls.values())).window_us
    events = _events(connection, join, window_us, arguments)
    shown = ", ".join(
        f"{_grouped(call, f'a{place}')} AS {quote(name)}"
        for place, (name, call) in enumerate(calls.items())
    )
    found = to_arrow(
        connection,
        f"WITH events AS MATERIALIZED ({events}), "
        f"bucketed AS (SELECT *, unnest(range(floor(start / {window_us})::BIGINT, "
        f"floor((stop - 1) / {window_us})::BIGINT + 1)) AS bucket FROM events), "
        f"asked AS (SELECT DISTINCT {key} AS key, __t AS t, "
        f"floor(__t / {window_us})::BIGINT AS bucket FROM {spine}), "
        f"grouped AS (SELECT q.key, q.t, {shown} FROM asked q JOIN bucketed v "
        f"ON q.key = v.key AND q.bucket = v.bucket AND q.t >= v.start AND q.t < v.stop "
        f"GROUP BY q.key, q.t) "
        f"SELECT grouped.* EXCLUDE (key, t) FROM {spine} s LEFT JOIN grouped "
        f"ON s.{key} = grouped.key AND s.__t = grouped.t ORDER BY s.__n",
    )
    return {name: found.column(name) for name in calls}


def _grouped(call: WindowCall, name: str) -> str:
    """Return the aggregate over a group; ties of first and last go to recorded time, then value."""
    is_double = call.type == "double"
    if call.function in {"min", "max"}:
        # Adding 0.0 turns -0.0 into 0.0: which of the two came first must not matter.
        return f"{call.function}({name}){' + 0.0::DOUBLE' if is_double else ''}"
    sign = f", NOT signbit({name})" if is_double else ""
    # Not arg_min over a row of these: its sort keys lose the sign of -0.0.
    return f"{call.function}({name} ORDER BY e, r, {name}{sign}) FILTER ({name} IS NOT NULL)"
