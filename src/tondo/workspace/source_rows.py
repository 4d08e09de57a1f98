"""The rows of a source that the values of one key were made of; few files are read for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tondo.core.instants import from_micros, to_micros

if TYPE_CHECKING:
    import pyarrow as pa

    from tondo.ports.engine import FileTable

_EVER_US = 2**62


class _Group(NamedTuple):
    """A row group with the times that its footer promises."""

    file: Any
    place: int
    first_us: int
    last_us: int


def rows_of_key(source: FileTable, column: str, key: Any) -> pa.Table:
    """Return the rows whose `column` is `key`."""
    groups = _groups(source, column, key, time=None)
    return _joined(source, [_read(each, column, key) for each in groups])


def rows_in_window(
    source: FileTable, column: str, key: Any, *, time: str, start_us: int, end_us: int
) -> pa.Table:
    """Return the rows of a key with start <= time < end, the newest first."""
    found = []
    for group in _groups(source, column, key, time=time):
        if group.first_us < end_us and group.last_us >= start_us:
            rows = _read(group, column, key)
            found.append(_between(rows, time, start_us, end_us - 1))
    return _joined(source, found).sort_by([(time, "descending")])


def newest_row(source: FileTable, column: str, key: Any, *, time: str, until_us: int) -> pa.Table:
    """Return the newest row of a key with time <= until, or no row."""
    groups = [each for each in _groups(source, column, key, time=time) if each.first_us <= until_us]
    newest_us = -_EVER_US
    found: list[pa.Table] = []
    for group in sorted(groups, key=lambda each: -each.last_us):
        if found and group.last_us < newest_us:
            break
        rows = _between(_read(group, column, key), time, -_EVER_US, until_us)
        if rows.num_rows:
            row = rows.sort_by([(time, "descending")]).slice(0, 1)
            newest_us = max(newest_us, to_micros(row.column(time)[0].as_py()))
            found.append(row)
    return _joined(source, found).sort_by([(time, "descending")]).slice(0, 1)


def _groups(source: FileTable, column: str, key: Any, *, time: str | None) -> list[_Group]:
    """Return the row groups that may hold the key, by what their footers promise."""
    import pyarrow.parquet as pq

    found = []
    for path in source.paths:
        file = pq.ParquetFile(path)
        places = {name: at for at, name in enumerate(file.schema_arrow.names)}
        for number in range(file.num_row_groups):
            group = file.metadata.row_group(number)
            low, high = _bounds(group, places.get(column))
            if low is not None and high is not None and not low <= key <= high:
                continue
            first, last = _bounds(group, None if time is None else places.get(time))
            first_us = -_EVER_US if first is None else to_micros(first)
            last_us = _EVER_US if last is None else to_micros(last)
            found.append(_Group(file, number, first_us, last_us))
    return found


def _bounds(group: Any, place: int | None) -> tuple[Any, Any]:
    """Return smallest and largest value of a column in a row group; None where not promised."""
    if place is None:
        return None, None
    promised = group.column(place).statistics
    if promised is None or not promised.has_min_max:
        return None, None
    return promised.min, promised.max


def _read(group: _Group, column: str, key: Any) -> pa.Table:
    import pyarrow.compute as pc

    table = group.file.read_row_group(group.place)
    return table.filter(pc.equal(table.column(column), key))


def _between(table: pa.Table, time: str, first_us: int, last_us: int) -> pa.Table:
    import pyarrow.compute as pc

    at = table.column(time)
    kept = pc.less_equal(at, from_micros(last_us))
    if first_us > -_EVER_US:
        kept = pc.and_(kept, pc.greater_equal(at, from_micros(first_us)))
    return table.filter(kept)


def _joined(source: FileTable, tables: list[pa.Table]) -> pa.Table:
    import pyarrow as pa

    if tables:
        return pa.concat_tables(tables, promote_options="default")
    return pa.table({name: pa.array([], pa.null()) for name in source.columns})
