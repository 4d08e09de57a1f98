import io
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tondo.stages.data.arrow_types import stored_types
from tondo.stages.data.logical_digest import KIND, RowSum, batch_sum, combined, logical_digest
from tondo.stages.data.snapshots import Snapshot, append_file, write_snapshot

SCHEMA = pa.schema(
    [
        ("n", pa.float64()),
        ("id", pa.int64()),
        ("s", pa.string()),
        ("b", pa.bool_()),
        ("t", pa.timestamp("us", tz="UTC")),
        ("d", pa.date32()),
        ("l", pa.list_(pa.string())),
        ("m", pa.list_(pa.float64())),
    ]
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=3)
ROW = st.tuples(
    st.none() | st.sampled_from([0.0, 1.0, math.nan, math.inf, 2.5]),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | TEXT,
    st.none() | st.booleans(),
    st.none() | st.integers(-(10**15), 10**15),
    st.none() | st.integers(-20_000, 20_000),
    st.none() | st.lists(st.none() | TEXT, max_size=2),
    st.none() | st.lists(st.none() | st.sampled_from([0.0, 1.0, math.nan]), max_size=2),
)
ROWS = st.lists(ROW, min_size=1, max_size=8)


def table(rows):
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in SCHEMA]
    arrays = [pa.array(list(c), f.type) for c, f in zip(columns, SCHEMA, strict=True)]
    return pa.table(arrays, schema=SCHEMA)


def rows_digest(*tables):
    sums = []
    for each in tables:
        total = sum(batch_sum(batch) for batch in each.to_batches()) % 2**256
        sums.append(RowSum(rows=each.num_rows, sum=f"{total:064x}"))
    return combined(stored_types(tables[0]), sums)


few = settings(max_examples=60, deadline=None)


@few
@given(rows=ROWS, data=st.data())
def test_neither_order_nor_the_split_into_files_counts(rows, data):
    shuffled = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    whole = rows_digest(table(rows))
    assert rows_digest(table(shuffled)) == whole
    assert rows_digest(table(shuffled[:cut]), table(shuffled[cut:])) == whole
    assert rows_digest(table(rows).select(list(reversed(SCHEMA.names)))) == whole


@few
@given(rows=ROWS, data=st.data())
def test_a_changed_cell_is_another_digest(rows, data):
    at = data.draw(st.integers(0, len(rows) - 1))
    other = data.draw(ROW)
    column = data.draw(st.integers(0, len(SCHEMA) - 1))
    changed = [list(row) for row in rows]
    changed[at][column] = other[column]
    same = repr(changed[at][column]) == repr(rows[at][column])
    assert (rows_digest(table(changed)) == rows_digest(table(rows))) == same


@few
@given(rows=ROWS)
def test_a_doubled_or_missing_row_is_another_digest(rows):
    whole = rows_digest(table(rows))
    assert rows_digest(table([*rows, rows[0]])) != whole
    assert rows_digest(table(rows[1:])) != whole


@pytest.mark.parametrize(
    "settings_",
    [
        {"compression": "none"},
        {"row_group_size": 7},
        {"use_dictionary": False, "version": "1.0", "coerce_timestamps": "us"},
    ],
)
def test_other_parquet_settings_are_the_same_rows(ledger, blobs, settings_):
    rows = table([(i / 3, i, f"w{i % 5}", i % 2 == 0, i, i, [f"x{i}"], [1.0]) for i in range(50)])
    first = write_snapshot(rows, blobs=blobs)
    sink = io.BytesIO()
    pq.write_table(rows, sink, **settings_)
    file = blobs.put(sink.getvalue())
    files = (type(first.files[0])(digest=file, rows=50, bytes=1),)
    other = Snapshot(columns=first.columns, files=files, rows=50)
    assert other.id != first.id
    assert logical_digest(other, ledger=ledger, blobs=blobs) == logical_digest(
        first, ledger=ledger, blobs=blobs
    )


def column(values, type_=None):
    return rows_digest(pa.table({"x": pa.array(values, type_ or pa.float64())}))


def test_null_nan_and_zero_are_three_values_and_minus_zero_is_zero():
    assert len({column([None]), column([math.nan]), column([0.0])}) == 3
    assert column([-0.0]) == column([0.0])
    assert column([math.nan]) == column([-math.nan])


def test_null_the_empty_text_and_the_empty_list_are_apart():
    assert column([None], pa.string()) != column([""], pa.string())
    texts = pa.list_(pa.string())
    lists = [[None], [[]], [[""]], [[None]], [["", ""]]]
    assert len({column(each, texts) for each in lists}) == len(lists)


def test_a_value_in_another_column_or_of_another_type_is_not_the_same():
    assert rows_digest(pa.table({"a": [1.0], "b": [2.0]})) != rows_digest(
        pa.table({"a": [2.0], "b": [1.0]})
    )
    assert column([1], pa.int64()) != column([1.0])


def test_only_new_files_are_read(ledger, blobs):
    rows = table([(1.0, 1, "a", True, 1, 1, [], [])])
    first = write_snapshot(rows, blobs=blobs)
    longer = append_file(first, table([(2.0, 1, "a", True, 1, 1, [], [])]), blobs=blobs)
    logical_digest(first, ledger=ledger, blobs=blobs)
    opened = []

    class Watched:
        def local_path(self, digest):
            opened.append(digest)
            return blobs.local_path(digest)

    logical_digest(longer, ledger=ledger, blobs=Watched())
    logical_digest(longer, ledger=ledger, blobs=Watched())
    assert opened == [longer.files[1].digest]
    assert ledger.count(KIND) == 2


def test_lists_of_a_slice_are_those_of_the_slice():
    lists = pa.array([["a"], ["b", "c"], None, ["d"]], pa.list_(pa.string()))
    whole = pa.record_batch({"x": lists})
    again = pa.record_batch({"x": pa.array(lists.to_pylist()[1:], lists.type)})
    assert batch_sum(whole.slice(1)) == batch_sum(again)
