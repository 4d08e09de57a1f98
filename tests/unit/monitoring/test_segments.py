from __future__ import annotations

import pyarrow as pa
import pytest

from tondo.adapters.blobs.memory.blobs import MemoryBlobs
from tondo.stages.monitoring.segments import LogSegment, SegmentColumns, parquet_bytes

TABLE = pa.table({"id": [f"{n:032d}" for n in range(1000)], "score": [n / 7 for n in range(1000)]})


@pytest.fixture
def blobs():
    made = MemoryBlobs()
    yield made
    made.close()


def segment(blobs, table=TABLE, name="s1"):
    blob = blobs.put(parquet_bytes(table))
    return LogSegment(
        stream="predictions/late",
        segment=name,
        blob=blob,
        rows=table.num_rows,
        first_us=None,
        last_us=None,
    )


def test_columns_come_in_the_order_that_was_asked_for(blobs):
    columns = SegmentColumns(blobs)
    wanted = segment(blobs)
    columns.read(wanted, ["score"])
    assert columns.read(wanted, ["score", "id"]).equals(TABLE.select(["score", "id"]))
    assert columns.read(wanted, ["id", "score"]).equals(TABLE)


def test_a_column_is_read_from_its_blob_once(blobs, monkeypatch):
    columns, wanted = SegmentColumns(blobs), segment(blobs)
    columns.read(wanted, ["score"])
    monkeypatch.setattr(blobs, "local_path", None)
    assert columns.read(wanted, ["score"]).equals(TABLE.select(["score"]))


def test_what_was_just_written_need_not_be_read(blobs, monkeypatch):
    columns, wanted = SegmentColumns(blobs), segment(blobs)
    columns.keep(wanted, TABLE)
    monkeypatch.setattr(blobs, "local_path", None)
    assert columns.read(wanted, ["id", "score"]).equals(TABLE)


def test_no_more_is_kept_than_the_bound_and_what_was_read_last_stays(blobs, monkeypatch):
    columns = SegmentColumns(blobs, most_bytes=35_000)
    segments = [segment(blobs, TABLE.slice(n, 900), f"s{n}") for n in range(9)]
    for each in segments:
        columns.read(each, ["score"])
    assert 0 < columns.kept_bytes <= 35_000
    monkeypatch.setattr(blobs, "local_path", None)
    assert columns.read(segments[-1], ["score"]).num_rows == 900


def test_a_column_that_would_push_out_the_others_is_not_kept(blobs):
    columns = SegmentColumns(blobs, most_bytes=35_000)
    assert columns.read(segment(blobs), ["id", "score"]).equals(TABLE)
    assert 8_000 <= columns.kept_bytes < 9_000
