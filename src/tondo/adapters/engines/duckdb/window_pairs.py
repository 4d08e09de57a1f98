"""Windows whose values cannot be taken away again: grouped over pairs of spine row and event.

Pairs are found by buckets of the window's length, so a key's other events are never looked at.
"""

# ruff: noqa: S608 - names in composed SQL are quoted by `quote`
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.adapters.engines.duckdb.connection import quote, to_arrow
from tondo.adapters.engines.duckdb.lowering import lower
from tondo.language.distinct import HASH_DIGITS, RANK_BITS, estimate
from tondo.language.windows import arguments_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from tondo.language.tree import Node, WindowCall

_SKETCHED = "approx_count_distinct"


def by_pairs(
    connection: Any,
    calls: Mapping[str, WindowCall],
    *,
    events: Callable[[Mapping[str, str]], str],
    key: str,
    spine: str,
) -> dict[str, pa.ChunkedArray]:
    """Answer calls of one window and tile for each row of the numbered `spine`, in its order.

    `events` gives the SELECT text of key, e, r, start, stop and the named expressions.
    """
    columns: dict[str, pa.ChunkedArray] = {}
    plain = {name: call for name, call in calls.items() if call.function != _SKETCHED}
    if plain:
        columns |= _grouped_pairs(connection, plain, events=events, key=key, spine=spine)
    for name, call in calls.items():
        if call.function == _SKETCHED:
            columns[name] = _sketched(connection, call, events=events, key=key, spine=spine)
    return columns


def _pairs(events: str, window_us: int, *, key: str, spine: str) -> str:
    """Return WITH text up to `pairs`: `asked` spine rows, each beside every event of its window."""
    return (
        f"WITH events AS MATERIALIZED ({events}), "
        f"bucketed AS (SELECT *, unnest(range(floor(start / {window_us})::BIGINT, "
        f"floor((stop - 1) / {window_us})::BIGINT + 1)) AS bucket FROM events), "
        f"asked AS (SELECT DISTINCT {key} AS key, __t AS t, "
        f"floor(__t / {window_us})::BIGINT AS bucket FROM {spine}), "
        f"pairs AS (SELECT v.* EXCLUDE (start, stop, bucket), q.t FROM asked q JOIN bucketed v "
        f"ON q.key = v.key AND q.bucket = v.bucket AND q.t >= v.start AND q.t < v.stop)"
    )


def _grouped_pairs(
    connection: Any,
    calls: Mapping[str, WindowCall],
    *,
    events: Callable[[Mapping[str, str]], str],
    key: str,
    spine: str,
) -> dict[str, pa.ChunkedArray]:
    arguments: dict[str, str] = {}
    grouped, shown = [], []
    for place, (name, call) in enumerate(calls.items()):
        arguments[f"a{place}"] = lower(arguments_of(call)[0])
        grouped.append(f"{_grouped(call, f'a{place}')} AS g{place}")
        shown.append(f"{_shown(call, f'grouped.g{place}', key)} AS {quote(name)}")
    window_us = next(iter(calls.values())).window_us
    found = to_arrow(
        connection,
        f"{_pairs(events(arguments), window_us, key=key, spine=spine)}, "
        f"grouped AS (SELECT key, t, {', '.join(grouped)} FROM pairs GROUP BY key, t) "
        f"SELECT {', '.join(shown)} FROM {spine} s LEFT JOIN grouped "
        f"ON s.{key} = grouped.key AND s.__t = grouped.t ORDER BY s.__n",
    )
    return {name: found.column(name) for name in calls}


def _grouped(call: WindowCall, name: str) -> str:
    """Return the aggregate over a group; ties of time go to recorded time, then value."""
    is_double = call.argument is not None and call.argument.type == "double"
    # Adding 0.0 turns -0.0 into 0.0: which of the two came first must not matter.
    unsigned = f"{name} + 0.0::DOUBLE" if is_double else name
    if call.function == "count_distinct":
        return f"count(DISTINCT {unsigned})"
    if call.function in {"min", "max"}:
        return f"{call.function}({unsigned})"
    if call.function == "last_k":
        sign = f", signbit({name})" if is_double else ""
        order = f"e DESC, r DESC, {name} DESC{sign}"
        return f"list({name} ORDER BY {order}) FILTER ({name} IS NOT NULL)[1:{call.most}]"
    sign = f", NOT signbit({name})" if is_double else ""
    # Not arg_min over a row of these: its sort keys lose the sign of -0.0.
    return f"{call.function}({name} ORDER BY e, r, {name}{sign}) FILTER ({name} IS NOT NULL)"


def _shown(call: WindowCall, name: str, key: str) -> str:
    """Return a group's answer where there may be no group: none of a null key or time."""
    empty = {"count_distinct": "0", "last_k": "[]"}.get(call.function)
    if empty is None:
        return name
    text = f"CASE WHEN {_keyed(key)} THEN coalesce({name}, {empty}) END"
    return f"CAST({text} AS DOUBLE)" if call.function == "count_distinct" else text


def _keyed(key: str) -> str:
    return f"s.{key} IS NOT NULL AND s.__t IS NOT NULL"


def _sketched(
    connection: Any,
    call: WindowCall,
    *,
    events: Callable[[Mapping[str, str]], str],
    key: str,
    spine: str,
) -> pa.ChunkedArray:
    """Answer one call by the greatest rank of each register, estimated as in `distinct.py`."""
    import pyarrow as pa

    text = _text(arguments_of(call)[0])
    hashed = f"('0x' || substr(md5({text}), 1, {HASH_DIGITS}))::BIGINT"
    rest = f"(h & {(1 << RANK_BITS) - 1})"
    rank = f"{RANK_BITS + 1} - CASE WHEN {rest} = 0 THEN 0 ELSE length(bin({rest})) END"
    pairs = _pairs(events({"h": hashed}), call.window_us, key=key, spine=spine)
    found = to_arrow(
        connection,
        f"{pairs}, ranked AS (SELECT key, t, h >> {RANK_BITS} AS register, max({rank}) AS rank "
        f"FROM pairs WHERE h IS NOT NULL GROUP BY key, t, register), "
        f"grouped AS (SELECT key, t, list(rank) AS ranks FROM ranked GROUP BY key, t) "
        f"SELECT grouped.ranks, {_keyed(key)} AS keyed FROM {spine} s LEFT JOIN grouped "
        f"ON s.{key} = grouped.key AND s.__t = grouped.t ORDER BY s.__n",
    )
    answers = [
        estimate(ranks or ()) if keyed else None
        for ranks, keyed in zip(*(column.to_pylist() for column in found.columns), strict=True)
    ]
    return pa.chunked_array([pa.array(answers, pa.float64())])


def _text(argument: Node) -> str:
    """Return the SQL of the text that is hashed: that of `distinct.text_of`."""
    text = lower(argument)
    if argument.type == "double":
        return f"CAST(CAST(CAST(({text}) + 0.0::DOUBLE AS BIT) AS BIGINT) AS VARCHAR)"
    if argument.type == "timestamp":
        return f"CAST(epoch_us({text}) AS VARCHAR)"
    if argument.type == "date":
        return f"CAST({text} - DATE '1970-01-01' AS VARCHAR)"
    return f"CAST({text} AS VARCHAR)"
