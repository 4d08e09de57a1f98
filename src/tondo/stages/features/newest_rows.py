"""The newest row of each entity in a source, found by the join that builds training sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.instants import from_micros
from tondo.language.tree import Column, Node
from tondo.stages.features.joins import lookup_of
from tondo.stages.features.loads import NewestRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tondo.ports.engine import Engine, LookupJoin
    from tondo.stages.features.views import FeatureView

_EVENT_TIME, _RECORDED_AT = "@event_time", "@recorded_at"
_KEY, _TIME = "@key", "@time"
# Rows turned into Python values at a time: they cost 20 times their Arrow bytes.
_CHUNK = 50_000


def newest_rows(
    view: FeatureView, table: Any, *, engine: Engine, until_us: int
) -> Iterator[NewestRow]:
    """Yield the newest row per key that was visible at `until_us`; null keys have none."""
    features: dict[str, Node] = dict(view.lookups)
    if view.event_time is not None:
        features[_EVENT_TIME] = Column(view.event_time, "timestamp")
    if view.recorded_at is not None:
        features[_RECORDED_AT] = Column(view.recorded_at, "timestamp")
    features[_KEY] = Column(view.entity.key, view.entity.type)
    base = lookup_of(view, table, spine_key=view.entity.key, features=list(view.lookups))
    join: LookupJoin = msgspec.structs.replace(base, features=features, ttl_us=None, prefix="")
    spine = _distinct_keys(view, table, engine=engine, until_us=until_us)
    joined = engine.point_in_time(spine, time=_TIME, lookups=[join], windows=[])
    # A name of the spine may be a feature's too; the join's own columns come last.
    joined = joined.select(range(spine.num_columns, joined.num_columns))
    for start in range(0, joined.num_rows, _CHUNK):
        yield from _rows_of(view, joined.slice(start, _CHUNK))


def _rows_of(view: FeatureView, part: pa.Table) -> Iterator[NewestRow]:
    keys = plain_values(part, _KEY)
    nothing = [None] * part.num_rows
    times = plain_values(part, _EVENT_TIME) if view.event_time is not None else nothing
    recorded = plain_values(part, _RECORDED_AT) if view.recorded_at is not None else nothing
    values = zip(*(plain_values(part, name) for name in view.types), strict=True)
    for row in zip(keys, times, recorded, values, strict=True):
        if row[0] is not None:
            yield NewestRow(*row)


def _distinct_keys(view: FeatureView, table: Any, *, engine: Engine, until_us: int) -> pa.Table:
    import pyarrow as pa
    from pyarrow import compute

    keys = engine.scan(table, [view.entity.key]).column(0).unique().drop_null()
    # In the order of the store's keys each batch touches pages of its own.
    keys = keys.take(compute.sort_indices(keys))
    times = pa.array([from_micros(until_us)], pa.timestamp("us", tz="UTC"))
    repeated = times.take(pa.repeat(pa.scalar(0), len(keys)))
    return pa.table({view.entity.key: keys, _TIME: repeated})


def plain_values(table: pa.Table, name: str) -> list[Any]:
    """Return a column as the language's own values: instants and dates are integers."""
    import pyarrow as pa

    column = table.column(name)
    of_lists = pa.types.is_list(column.type)
    casts = _casts(column.type.value_type if of_lists else column.type)
    for step in casts:
        column = column.cast(pa.list_(step) if of_lists else step)
    values: list[Any] = column.to_pylist()
    return values


def _casts(arrow: pa.DataType) -> list[pa.DataType]:
    """Return the casts that make integers of instants and dates; none for others."""
    import pyarrow as pa

    if pa.types.is_timestamp(arrow):
        return [pa.timestamp("us", tz="UTC"), pa.int64()]
    return [pa.int32()] if pa.types.is_date32(arrow) else []
