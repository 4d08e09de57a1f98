"""Large Parquet files are read where they lie: the same numbers and refusals as in memory."""

import decimal
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tondo
from tondo.core.errors import DataError, TondoError
from tondo.stages.data import large_parquet

ODD = pa.table(
    {
        "whole": pa.array([1, None, 3, 2**40], pa.int64()),
        "beyond": pa.array([1, 2, None, 2**60 + 1], pa.int64()),
        "unsigned": pa.array([0, 1, 2, 2**62 + 1], pa.uint64()),
        "half": pa.array([1.5, None, 2.5, float("nan")], pa.float16()),
        "single": pa.array([0.1, -0.0, None, float("inf")], pa.float32()),
        "price": pa.array([decimal.Decimal("1.10"), None, decimal.Decimal("2.25"), None]),
        "word": pa.array(["a", "", None, "é b"]).dictionary_encode(),
        "long": pa.array(["1", "2", None, "x"], pa.large_string()),
        "seen": pa.array([True, None, False, True]),
        "naive": pa.array([0, 1_000, None, 5], pa.timestamp("ms")),
        "zoned": pa.array([0, 1_000, None, 5], pa.timestamp("us", tz="Europe/Paris")),
        "fine": pa.array([0, 1_000, None, 5_000], pa.timestamp("ns")),
        "day": pa.array([1, None, 3, 4], pa.date32()),
        "items": pa.array([[1, 2], [], None, [3]], pa.list_(pa.int32())),
        "nothing": pa.nulls(4),
    }
)
PLAIN = ODD.drop_columns(["half", "price"])


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    monkeypatch.setattr(large_parquet, "_HELD_BYTES", 0)
    monkeypatch.setattr(large_parquet, "_BATCH_ROWS", 2)


@pytest.fixture
def path(tmp_path):
    """A file whose path would be a pattern and a partition to an engine."""
    folder = tmp_path / "month=1"
    folder.mkdir()
    return folder / "days [1]*.parquet"


@pytest.mark.parametrize("table", [ODD, PLAIN], ids=["rewritten", "as it stands"])
def test_the_numbers_are_those_of_the_table_in_memory(table, path):
    pq.write_table(table, path, row_group_size=3)
    assert large_parquet.is_large(path)
    assert tondo.statistics(path) == tondo.statistics(table)
    assert tondo.infer_schema(path, name="a") == tondo.infer_schema(table, name="a")
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_batch_is_checked_by_the_types_that_its_schema_means(path):
    table = pa.table({"key": pa.array([5, 6, 7, 8]), "x": [1.0, 2.0, 3.0, 4.0]})
    pq.write_table(table, path)
    schema = tondo.infer_schema(pa.table({"key": pa.array([2**60, 2**60 + 1]), "x": [1.0, 4.0]}))
    assert schema.columns["key"].type == "id"
    assert not tondo.check_schema(path, schema).anomalies
    pq.write_table(table.set_column(0, "key", [[1.5, 2.0, 3.0, 4.0]]), path)
    assert [each.column for each in tondo.check_schema(path, schema).anomalies] == ["key"]


def damaged(table, *, at):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, write_page_checksum=True, use_dictionary=False)
    data = bytearray(sink.getvalue().to_pybytes())
    data[at] ^= 0xFF
    return bytes(data)


MANY = pa.table({"x": np.arange(4000.0)})
UTF8 = pa.array([b"ok", b"\xff\xfe"], pa.binary()).view(pa.string())


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (damaged(MANY, at=9000), "TD-DATA-003"),
        (damaged(MANY, at=9000)[:-20], "TD-DATA-003"),
        (pa.table({"x": UTF8}), "TD-DATA-003"),
        (pa.table([[1.0], [2.0]], ["a", "a"]), "TD-DATA-010"),
        (pa.table([[1.0], [2.0]], ["a", "A"]), "TD-DATA-010"),
        (pa.table({"x": pa.array([2**63], pa.uint64())}), "TD-DATA-004"),
        (pa.table({"x": pa.array([1, 1001], pa.timestamp("ns"))}), "TD-DATA-004"),
        (pa.table({"x": [{"a": 1}]}), "TD-DATA-007"),
    ],
    ids=["a flipped bit", "cut", "no text", "twice", "case", "beyond", "nanoseconds", "struct"],
)
def test_what_is_refused_in_memory_is_refused_here_in_the_same_words(data, code, path, monkeypatch):
    if isinstance(data, bytes):
        path.write_bytes(data)
    else:
        pq.write_table(data, path)
    with pytest.raises(TondoError) as found:
        tondo.statistics(path)
    monkeypatch.setattr(large_parquet, "_HELD_BYTES", 1 << 40)
    with pytest.raises(TondoError) as expected:
        tondo.statistics(path)
    assert (found.value.code, str(found.value)) == (code, str(expected.value))


def test_a_file_that_is_written_again_meanwhile_is_refused(path, monkeypatch):
    from tondo.stages.data import statistics

    def meanwhile(table, **how):
        pq.write_table(MANY, path)
        return computed(table, **how)

    computed = statistics.statistics
    pq.write_table(PLAIN, path)
    monkeypatch.setattr(statistics, "statistics", meanwhile)
    with pytest.raises(TondoError):
        tondo.statistics(path)


def test_a_file_that_changes_while_it_is_open_is_told_as_changed(path):
    from tondo.stages.data.definitions import SourceDefinition

    pq.write_table(MANY, path)
    source = SourceDefinition(name="days", path=str(path))
    with (
        pytest.raises(DataError, match="TD-DATA-027"),
        large_parquet.open_large(source, base=path.parent),
    ):
        os.utime(path, ns=(1, 1))
