import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tondo.core.errors import CallerError, ConflictError, NotFoundError
from tondo.stages.data.commits import commit, create_branch, head, history
from tondo.stages.data.snapshots import read_snapshot, snapshot_table

WHO = {"by": "ann", "why": "first load"}


def days(*numbers):
    return pa.table({"day": pa.array(numbers, pa.float64()), "origin": ["EWR"] * len(numbers)})


@pytest.fixture
def put(ledger, blobs, clock):
    def put(table, **more):
        return commit("flights", table, ledger=ledger, blobs=blobs, clock=clock, **{**WHO, **more})

    return put


def test_a_commit_keeps_the_rows(put, blobs, engine):
    made = put(days(1, 2))
    table = snapshot_table(read_snapshot(made.snapshot, blobs=blobs), blobs=blobs)
    assert table.columns == {"day": "double", "origin": "string"}
    assert engine.scan(table)["day"].to_pylist() == [1, 2]


def test_equal_content_has_an_equal_snapshot_id_whatever_its_chunks(put):
    first = put(days(1, 2))
    chunked = pa.concat_tables([days(1), days(2)])
    second = put(chunked, branch="other")
    assert first.snapshot == second.snapshot
    assert first.id != second.id


def test_the_same_content_again_is_no_new_commit(put, ledger):
    assert put(days(1)) == put(days(1))
    assert len(history("flights", ledger=ledger)) == 1


def test_append_adds_a_file_and_keeps_the_others(put, blobs, engine):
    first = read_snapshot(put(days(1)).snapshot, blobs=blobs)
    longer = read_snapshot(put(days(2, 3), mode="append", note="2013-02").snapshot, blobs=blobs)
    assert longer.files[0] == first.files[0]
    assert (longer.rows, longer.files[1].note) == (3, "2013-02")
    assert engine.scan(snapshot_table(longer, blobs=blobs))["day"].to_pylist() == [1, 2, 3]


def test_an_old_snapshot_reads_the_same_after_many_commits(put, blobs):
    first = put(days(1))
    file = read_snapshot(first.snapshot, blobs=blobs).files[0]
    before = blobs.get(file.digest)
    for number in range(20):
        put(days(number), mode="append")
    assert blobs.get(file.digest) == before
    assert pq.read_table(blobs.local_path(file.digest))["day"].to_pylist() == [1]


def test_columns_of_another_order_are_appended_in_the_order_of_the_data_set(put, blobs, engine):
    put(days(1))
    longer = put(days(2).select(["origin", "day"]), mode="append")
    table = snapshot_table(read_snapshot(longer.snapshot, blobs=blobs), blobs=blobs)
    assert engine.scan(table).column_names == ["day", "origin"]


def test_a_column_without_any_value_takes_the_type_of_the_data_set(put):
    put(days(1))
    empty = pa.table({"day": [2.0], "origin": pa.array([None], pa.float64())})
    assert put(empty, mode="append").rows == 2


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"day": [1.0]}),
        days(1).append_column("more", pa.array([1.0])),
        pa.table({"day": ["one"], "origin": ["EWR"]}),
    ],
)
def test_an_appended_table_must_have_the_columns_of_the_data_set(put, ledger, table):
    before = put(days(1))
    with pytest.raises(CallerError, match=r"TD-DATA-008"):
        put(table, mode="append")
    assert head("flights", ledger=ledger) == before


def test_of_two_writers_one_wins_and_the_other_is_told(put, ledger, monkeypatch):
    put(days(1))
    stale = head("flights", ledger=ledger)
    put(days(2))
    monkeypatch.setattr("tondo.stages.data.commits.find_head", lambda *_, **__: stale)
    with pytest.raises(ConflictError, match=r"TD-LEDGER-003"):
        put(days(3))
    monkeypatch.undo()
    assert len(history("flights", ledger=ledger)) == 2
    assert len(ledger.records("commit")) == 2


def test_history_tells_who_when_and_why(put, ledger, clock):
    put(days(1))
    clock.advance_us(5)
    put(days(2), by="bob", why="a correction")
    newest, oldest = history("flights", ledger=ledger)
    assert (newest.by, newest.why, newest.parent) == ("bob", "a correction", oldest.id)
    assert newest.created_at_us - oldest.created_at_us == 5


def test_a_branch_goes_its_own_way(put, ledger):
    first = put(days(1))
    create_branch("flights", "trial", at=first.id, ledger=ledger, **WHO)
    put(days(1, 2), branch="trial")
    assert head("flights", ledger=ledger) == first
    assert head("flights", ledger=ledger, branch="trial").rows == 2
    with pytest.raises(ConflictError, match=r"TD-DATA-013"):
        create_branch("flights", "trial", at=first.id, ledger=ledger, **WHO)


def test_a_data_set_without_commits_is_told_with_near_names(put, ledger):
    put(days(1))
    with pytest.raises(NotFoundError, match=r"TD-DATA-009.*'flihgts'") as caught:
        head("flihgts", ledger=ledger)
    assert "flights@main" in caught.value.fix


def test_lineage_leads_from_a_commit_to_its_content(put, ledger):
    made = put(days(1))
    up = ledger.lineage("commit", made.id, direction="up")
    assert made.snapshot in [node.id for node in up.nodes]


def test_a_notebook_shows_a_snapshot_with_names_escaped(put, blobs):
    made = put(pa.table({"<script>": [1.0]}))
    shown = read_snapshot(made.snapshot, blobs=blobs)
    assert "&lt;script&gt;" in shown._repr_html_()
    assert "<script>" not in shown._repr_html_()
    assert "1 rows" in repr(shown)
    assert "ann" in repr(made)
    assert "ann" in made._repr_html_()
