"""Point-in-time joins on Spark: for each spine row what was known of its keys at its time.

Every join is turned into a *timeline*, as on DuckDB: per key, from which instant on which answer
stands. Spark has no as-of join: spine and timeline are laid under each other, and in the order of
time within a key each spine row takes the last answer before it. A key's rows are read by one
task, once and in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.adapters.engines.spark.evaluate import evaluate
from tondo.adapters.engines.spark.lookups import lookup_join
from tondo.adapters.engines.spark.tables import MICROS, names_of, quote
from tondo.adapters.engines.spark.windows import window_join
from tondo.ports.engine import FileTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from tondo.ports.engine import LookupJoin, WindowJoin


def point_in_time(
    session: Any,
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
    answer = _read(session, spine)
    for lookup in lookups:
        asked = _asked(session, answer, time=time, key=lookup.spine_key)
        answer = _append(answer, lookup_join(session, lookup, asked, rows=answer.num_rows))
    for window in windows:
        asked = _asked(session, answer, time=time, key=window.spine_key)
        answer = _append(answer, window_join(session, window, asked, rows=answer.num_rows))
    return answer


def _read(session: Any, spine: Any) -> pa.Table:
    """Return the spine as an Arrow table, its times in UTC."""
    if isinstance(spine, FileTable) or not hasattr(spine, "__arrow_c_stream__"):
        return evaluate(session, {}, spine, keep=names_of(spine))
    import pyarrow as pa

    return pa.table(spine)


def _asked(session: Any, spine: pa.Table, *, time: str, key: str) -> Any:
    """Return the frame of `n` (row number), `key` and `t` (microseconds) of a spine."""
    import pyarrow as pa

    numbers = pa.array(range(spine.num_rows), pa.int64())
    table = pa.table({"n": numbers, "key": spine.column(key), "time": spine.column(time)})
    return session.createDataFrame(table).selectExpr(
        "n", "key", f"{MICROS.format(quote('time'))} AS t"
    )


def _append(answer: pa.Table, found: pa.Table) -> pa.Table:
    """Add the columns of `found`, which has a row for each of the spine, in order."""
    assert not found.column_names or found.num_rows == answer.num_rows
    for name in found.column_names:
        answer = answer.append_column(name, found.column(name))
    return answer
