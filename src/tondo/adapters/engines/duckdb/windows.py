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

import numpy as np

from tondo.adapters.engines.duckdb.connection import quote, relation, to_arrow
from tondo.adapters.engines.duckdb.lowering import lower, quantised_sql, unquantisable_sql
from tondo.adapters.engines.duckdb.window_pairs import by_pairs
from tondo.core.errors import DataError
from tondo.language.walk import columns_of
from tondo.language.windows import LARGEST, LARGEST_SQUARED, arguments_of, finish, finish_ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from tondo.language.tree import Node, WindowCall
    from tondo.ports.engine import WindowJoin

_SUMS = ("count", "sum", "avg", "stddev", "ratio")
_EXACT = 1 << 53
"""Integers up to here are doubles; a quotient of two of them is rounded once."""


def window_join(connection: Any, join: WindowJoin, key: str, *, spine: str) -> pa.Table:
    """Return `__n` and the features of `join` for each row of the numbered `spine` table."""
    answer = to_arrow(connection, f"SELECT __n FROM {spine} ORDER BY __n")
    columns: dict[str, Any] = {}
    for bounds in dict.fromkeys(map(_bounds, join.features.values())):
        calls = {name: call for name, call in join.features.items() if _bounds(call) == bounds}
        sums = {name: call for name, call in calls.items() if call.function in _SUMS}
        others = {name: call for name, call in calls.items() if call.function not in _SUMS}
        if sums:
            columns |= _by_sums(connection, join, sums, key=key, spine=spine)
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


class _Slots:
    """The distinct summed arguments of some calls, and the columns that carry them."""

    def __init__(self, calls: Iterable[WindowCall]) -> None:
        self.columns: dict[str, str] = {}
        self._known: list[tuple[Any, ...]] = []
        for call in calls:
            for argument in arguments_of(call):
                self._add(call, argument)

    def places(self, call: WindowCall) -> list[int]:
        return [self._known.index(_slot(call, argument)) for argument in arguments_of(call)]

    def _add(self, call: WindowCall, argument: Node) -> None:
        slot = _slot(call, argument)
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


def _slot(call: WindowCall, argument: Node) -> tuple[Any, ...]:
    if call.function == "count":
        return ("count", argument)
    return ("stddev" if call.function == "stddev" else "sum", argument, call.scale_bits)


def _by_sums(
    connection: Any, join: WindowJoin, calls: Mapping[str, WindowCall], *, key: str, spine: str
) -> dict[str, pa.Array]:
    """Answer calls whose sums can be added to and taken from."""
    for name, call in calls.items():
        _check_size(connection, join, name, call)
    slots = _Slots(calls.values())
    names = ["g", *slots.columns]
    events = _events(connection, join, tuple(calls.values()), slots.columns)
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
        f"CASE WHEN abs({name}) <= {_EXACT} THEN {name}::DOUBLE END AS {name}, "
        f"CASE WHEN abs({name}) > {_EXACT} THEN {name}::VARCHAR END AS {name}_wide"
    )


def _finished(call: WindowCall, slots: _Slots, found: pa.Table) -> pa.Array:
    """Return the feature's column; the arithmetic is that of `language/windows.finish`."""
    import pyarrow as pa

    keyed = found.column("keyed").to_numpy()
    if call.argument is None:
        return pa.array(found.column("g").to_numpy().astype(float), mask=~keyed)
    place, *others = slots.places(call)
    n = found.column(f"p{place}").to_numpy()
    if call.function == "count":
        return pa.array(n.astype(float), mask=~keyed)
    if call.function == "stddev":
        return pa.array(_spreads(call, n, found, place), type=pa.float64())
    if call.function == "ratio":
        return _ratios(n, found, place, others[0])
    totals = found.column(f"q{place}").to_numpy()
    present = n > 0
    divisor = np.where(present, n, 1) if call.function == "avg" else np.ones(len(n))
    values = totals / (divisor * float(1 << call.scale_bits))
    wide = found.column(f"q{place}_wide")
    for row in np.flatnonzero(present & np.isnan(totals)):
        values[row] = finish(call, int(n[row]), int(wide[int(row)].as_py()), 0)
    return pa.array(values, mask=~present)


def _ratios(n: np.ndarray, found: pa.Table, above: int, below: int) -> pa.Array:
    import pyarrow as pa

    totals, divisors = (found.column(f"q{place}").to_numpy() for place in (above, below))
    present = (n > 0) & (divisors != 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Adding 0.0 makes 0.0 of the -0.0 that 0 over a negative sum gives.
        values = totals / divisors + 0.0
    wide = np.flatnonzero(present & (np.isnan(totals) | np.isnan(divisors)))
    if len(wide):
        rows = found.take(wide)
        exact = zip(_integers(rows, f"q{above}"), _integers(rows, f"q{below}"), strict=True)
        for row, (total, divisor) in zip(wide.tolist(), exact, strict=True):
            values[row] = finish_ratio(1, total, divisor)
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
