"""What lookups and windows share: sources as frames of events, and answers in spine order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tondo.adapters.engines.spark.evaluate import inner_columns
from tondo.adapters.engines.spark.tables import FILE, MICROS, ROW, digest_of, frame, ordered, quote
from tondo.language.walk import columns_of
from tondo.ports.engine import FileTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from tondo.language.tree import Node

RUNNING = "OVER (PARTITION BY key ORDER BY moment, side ROWS UNBOUNDED PRECEDING)"
"""A key's events in time; at one instant, events (side 0) come before spine rows (side 1)."""


def events_of(
    session: Any,
    table: Any,
    trees: Sequence[Node],
    *,
    key: str,
    event_time: str,
    recorded_at: str | None,
) -> Any:
    """Return the frame of key, e, r (e where nothing is recorded) and the trees' values c0..."""
    recorded = recorded_at or event_time
    source = frame(session, table, _named([key, event_time, recorded], trees))
    kept = [
        f"{quote(key)} AS key",
        f"{MICROS.format(quote(event_time))} AS e",
        f"{MICROS.format(quote(recorded))} AS r",
    ]
    return inner_columns(source, trees, keep=kept)


def rows_of(session: Any, table: Any, trees: Sequence[Node], *, key: str) -> Any:
    """Return the frame of key, `place` in the order of the table, and the trees' values c0..."""
    source, place = _placed(session, table, _named([key], trees))
    return inner_columns(source, trees, keep=[f"{quote(key)} AS key", f"{place} AS place"])


def _named(first: Sequence[str], trees: Sequence[Node]) -> list[str]:
    read = set().union(*map(columns_of, trees)) if trees else set()
    return list(dict.fromkeys([*first, *sorted(read)]))


def _placed(session: Any, table: Any, names: Sequence[str]) -> tuple[Any, str]:
    """Return a frame and the SQL of a number that rises with the order of its rows."""
    if not isinstance(table, FileTable):
        import pyarrow as pa

        given = pa.table(table).select(list(names))
        numbered = given.append_column(ROW, pa.array(range(given.num_rows), pa.int64()))
        return session.createDataFrame(numbered), ROW
    found, places = ordered(session, table, names)
    if not places:
        return found, "0L"
    files = ",".join(str(digest_of(path)) for path in table.paths)
    number = f"array_position(CAST(split('{files}', ',') AS ARRAY<BIGINT>), {FILE})"
    return found, f"{number} * {1 << 40}L + {ROW}"


def in_spine_order(found: pa.Table, rows: int) -> pa.Table:
    """Return a row for each of the spine's: that with its number in `n`, or nulls."""
    import pyarrow as pa

    places = np.full(rows, -1)
    places[found.column("n").to_numpy()] = np.arange(found.num_rows)
    chosen = pa.array(places, mask=places < 0)
    return found.drop_columns(["n"]).take(chosen)
