"""Point-in-time joins: for each spine row what was known of its keys at its time.

Every join is turned into a *timeline*: per key, from which instant on which answer stands. One
ASOF join of the spine with the timeline then answers, however many events lie in a window, and
recorded times and cadences only move the instants. No spine row is lost, none is doubled.
"""

# ruff: noqa: S608 - names in composed SQL are quoted by `quote`
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.adapters.engines.duckdb.connection import quote, relation, to_arrow
from tondo.adapters.engines.duckdb.lookups import lookup_join
from tondo.adapters.engines.duckdb.windows import window_join

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from tondo.ports.engine import LookupJoin, WindowJoin

SPINE = "tondo_spine"
"""Temporary table: `__n` (row number), `__t` (microseconds), the key columns as `__k0`..."""


def point_in_time(
    connection: Any,
    spine: Any,
    *,
    time: str,
    lookups: Sequence[LookupJoin],
    windows: Sequence[WindowJoin],
) -> pa.Table:
    """Return the spine, every row once and in order, and the joined columns after its own.

    A row takes part when event time and recorded time are at or before the spine's time (a
    window's events: strictly before it). A null key or time gives null in every feature.
    """
    answer = to_arrow(connection, f"SELECT * FROM {relation(connection, spine)}")
    named = [join.spine_key for join in lookups] + [join.spine_key for join in windows]
    keys = list(dict.fromkeys(named))
    _number_spine(connection, answer, time=time, keys=keys)
    try:
        for join in lookups:
            found = lookup_join(connection, join, f"__k{keys.index(join.spine_key)}", spine=SPINE)
            answer = _append(answer, found)
        for window in windows:
            found = window_join(
                connection, window, f"__k{keys.index(window.spine_key)}", spine=SPINE
            )
            answer = _append(answer, found)
    finally:
        connection.execute(f"DROP TABLE IF EXISTS {SPINE}")
    return answer


def _number_spine(connection: Any, spine: pa.Table, *, time: str, keys: Sequence[str]) -> None:
    named = [f"{quote(key)} AS __k{place}" for place, key in enumerate(keys)]
    columns = ["row_number() OVER () - 1 AS __n", f"epoch_us({quote(time)}) AS __t", *named]
    source = relation(connection, spine, list(dict.fromkeys([time, *keys])))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {SPINE} AS SELECT {', '.join(columns)} FROM {source}"
    )


def _append(answer: pa.Table, found: pa.Table) -> pa.Table:
    """Add the columns of `found`, which has every row number once, in order."""
    assert found.num_rows == answer.num_rows
    for name in found.column_names:
        if name != "__n":
            answer = answer.append_column(name, found.column(name))
    return answer
