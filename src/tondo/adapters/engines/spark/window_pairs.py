"""Windows whose values cannot be taken away again: grouped over pairs of spine row and event.

Pairs are found by buckets of the window's length, so a key's other events are never looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.adapters.engines.spark.evaluate import to_arrow
from tondo.adapters.engines.spark.lowering import told
from tondo.adapters.engines.spark.lowering_logic import floor_div
from tondo.adapters.engines.spark.tables import quote
from tondo.adapters.engines.spark.timelines import in_spine_order
from tondo.language.distinct import HASH_DIGITS, RANK_BITS, estimate
from tondo.language.windows import arguments_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from tondo.language.tree import WindowCall

_SKETCHED = "approx_count_distinct"


def by_pairs(
    events: Any, calls: Mapping[str, WindowCall], *, keyed: Any, rows: int
) -> dict[str, pa.ChunkedArray]:
    """Answer calls of one window and tile for each of `rows` spine rows, in their order.

    `events`: key, e, r, start, stop, and `c0`... in the order of the calls' arguments. `keyed`:
    n, key and t of the spine rows that have both.
    """
    window_us = next(iter(calls.values())).window_us
    pairs = _pairs(events, keyed, window_us)
    places = {name: place for place, name in enumerate(calls)}
    columns: dict[str, pa.ChunkedArray] = {}
    plain = {name: call for name, call in calls.items() if call.function != _SKETCHED}
    if plain:
        columns |= _grouped_pairs(pairs, plain, places, keyed=keyed, rows=rows)
    for name, call in calls.items():
        if call.function == _SKETCHED:
            columns[name] = _sketched(pairs, call, f"c{places[name]}", keyed=keyed, rows=rows)
    return columns


def _pairs(events: Any, keyed: Any, window_us: int) -> Any:
    """Return the frame of spine instants (key, t), each beside every event of its window."""
    first, last = floor_div("start", window_us), floor_div("stop - 1L", window_us)
    bucketed = events.selectExpr("*", f"explode(sequence({first}, {last})) AS bucket")
    asked = keyed.selectExpr("key", "t", f"{floor_div('t', window_us)} AS bucket").distinct()
    return asked.join(bucketed, on=["key", "bucket"]).where("t >= start AND t < stop")


def _grouped_pairs(
    pairs: Any,
    calls: Mapping[str, WindowCall],
    places: Mapping[str, int],
    *,
    keyed: Any,
    rows: int,
) -> dict[str, pa.ChunkedArray]:
    from pyspark.sql import functions

    sums = [
        functions.expr(_grouped(call, f"c{places[name]}")).alias(f"g{places[name]}")
        for name, call in calls.items()
    ]
    grouped = pairs.groupBy("key", "t").agg(*sums)
    shown = [
        f"{told(_found(call, f'g{places[name]}'), call.type)} AS {quote(name)}"
        for name, call in calls.items()
    ]
    answers = keyed.join(grouped, on=["key", "t"], how="left").selectExpr("n", *shown)
    types = {name: call.type for name, call in calls.items()}
    found = in_spine_order(to_arrow(answers, types), rows)
    return {name: found.column(name) for name in calls}


def _grouped(call: WindowCall, name: str) -> str:
    """Return the aggregate over a group; ties of time go to recorded time, then value."""
    is_double = arguments_of(call)[0].type == "double"
    # Adding 0.0 turns -0.0 into 0.0: which of the two came first must not matter.
    unsigned = f"{name} + 0.0D" if is_double else name
    if call.function == "count_distinct":
        return f"CAST(array_size(collect_set({unsigned})) AS DOUBLE)"
    if call.function in {"min", "max"}:
        return f"{call.function}({unsigned})"
    sign = f", CAST({name} AS STRING) <> '-0.0'" if is_double else ""
    order = f"struct(e, r, {name} AS v{sign})"
    present = f"FILTER (WHERE {name} IS NOT NULL)"
    if call.function == "last_k":
        kept = f"slice(sort_array(collect_list({order}) {present}, false), 1, {call.most})"
        return f"transform({kept}, event -> event.v)"
    chosen = {"first": "min_by", "last": "max_by"}[call.function]
    return f"{chosen}({name}, {order}) {present}"


def _found(call: WindowCall, name: str) -> str:
    """Return a group's answer where there may be no group."""
    if call.function == "count_distinct":
        return f"coalesce({name}, 0.0D)"
    return f"coalesce({name}, array())" if call.function == "last_k" else name


def _sketched(
    pairs: Any, call: WindowCall, column: str, *, keyed: Any, rows: int
) -> pa.ChunkedArray:
    """Answer one call by the greatest rank of each register, estimated as in `distinct.py`."""
    import pyarrow as pa
    from pyspark.sql import functions

    text = _text(column, arguments_of(call)[0].type)
    digits = f"conv(substr(md5(CAST({text} AS BINARY)), 1, {HASH_DIGITS}), 16, 10)"
    hashed = pairs.where(f"{column} IS NOT NULL").selectExpr(
        "key", "t", f"CAST({digits} AS BIGINT) AS h"
    )
    rest = f"(h & {(1 << RANK_BITS) - 1}L)"
    rank = f"{RANK_BITS + 1} - if({rest} = 0L, 0, length(bin({rest})))"
    ranked = hashed.selectExpr(
        "key", "t", f"shiftright(h, {RANK_BITS}) AS register", f"{rank} AS rank"
    )
    greatest = ranked.groupBy("key", "t", "register").agg(functions.max("rank").alias("rank"))
    ranks = greatest.groupBy("key", "t").agg(functions.collect_list("rank").alias("ranks"))
    answers = keyed.join(ranks, on=["key", "t"], how="left")
    told_ranks = answers.selectExpr("n", "coalesce(ranks, array()) AS ranks")
    found = in_spine_order(to_arrow(told_ranks, types={}), rows)
    estimates = [
        None if each is None else estimate(each) for each in found.column("ranks").to_pylist()
    ]
    return pa.chunked_array([pa.array(estimates, pa.float64())])


def _text(column: str, type_: str) -> str:
    """Return the SQL of the text that is hashed: that of `distinct.text_of`."""
    if type_ == "double":
        # Of a double, its 64 bits as a whole number; SQL has no name for them.
        return f"reflect('java.lang.Double', 'doubleToRawLongBits', coalesce({column}, 0D) + 0.0D)"
    return f"CAST({column} AS STRING)"
