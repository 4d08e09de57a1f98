"""Batches: a table scored by every version, answers that replace what was there."""

import sqlite3

import pyarrow as pa
import pytest
from pyarrow import parquet

from tondo.core.errors import (
    CallerError,
    ConflictError,
    DefinitionError,
    NotFoundError,
    OutsideError,
)
from tondo.core.instants import parse_instant
from tondo.stages.serving.batch import pieces
from tondo.workspace.consuming import batches

AS_OF = "2026-03-01T00:00:00Z"


@pytest.fixture
def table(shop):
    return pa.Table.from_pylist(shop.rows)


@pytest.fixture
def file(table, tmp_path):
    path = tmp_path / "march.parquet"
    parquet.write_table(table, path)
    return str(path)


def both_live(shop):
    """Split the traffic between versions 1 and 2."""
    from tondo.stages.deployment.deploy import split
    from tondo.stages.deployment.state import variant_of

    versions = [shop.workspace.registry.version("buys", each) for each in ("1", "2")]
    variants = [
        variant_of(each, name=name, weight=0.5)
        for each, name in zip(versions, ("live", "new"), strict=True)
    ]
    split(
        "buys",
        variants,
        ledger=shop.parts.ledger,
        clock=shop.clock,
        by="ana",
        why="both",
        settings=None,
    )
    shop.workspace.deployment.publish()


def answers(shop, dataset="buys_scored"):
    table = shop.workspace.data.table(dataset)
    return pa.concat_tables([parquet.read_table(each) for each in table.paths]).to_pylist()


def run(shop, **named):
    return shop.workspace.scoring.run("buys", **{"as_of": AS_OF, **named})


def test_scores_are_those_of_a_request_bit_for_bit(shop, file):
    run(shop, file=file)
    told = [
        shop.workspace.deployment.predict("buys", row, as_of=AS_OF).predictions[0]
        for row in shop.rows
    ]
    found = answers(shop)
    assert [each["score"] for each in found] == [each.score for each in told]
    assert [each["decision"] for each in found] == [each.decision for each in told]


def test_every_version_answers_every_row_and_says_which_it_is(shop, file):
    both_live(shop)
    done = run(shop, file=file)
    found = answers(shop)
    assert (done.rows, done.answers, len(found)) == (40, 80, 80)
    assert {(each["variant"], each["version"]) for each in found} == {("live", 1), ("new", 2)}
    assert {each["tag"] for each in found} == {"live", ""}
    runs = {each["run"] for each in found}
    assert runs == {shop.workspace.registry.version("buys", each).run for each in ("1", "2")}


def test_a_second_run_replaces_and_never_doubles(shop, file):
    first = run(shop, file=file)
    again = run(shop, file=file)
    assert again.commit == first.commit
    shop.workspace.deployment.deploy("buys", "2")
    run(shop, file=file)
    found = answers(shop)
    assert (len(found), {each["version"] for each in found}) == (40, {2})


def test_batches_of_other_names_stay(shop, file):
    run(shop, file=file, batch="march")
    run(shop, file=file, batch="april")
    run(shop, file=file, batch="march", as_of="2026-02-27T00:00:00Z")
    found = answers(shop)
    times = {(each["batch"], each["as_of"].day) for each in found}
    assert times == {("march", 27), ("april", 1)}
    assert len({each["prediction_id"] for each in found}) == len(found) == 80


def test_a_dataset_is_scored_by_reference_and_lineage_leads_back(shop):
    done = shop.workspace.scoring.run("buys", dataset="visits@v1", columns=[])
    commit = shop.parts.ledger.get("commit", done.commit)
    above = {
        each.kind for each in shop.parts.ledger.lineage("commit", commit.id, direction="up").nodes
    }
    assert done.rows == 1200
    assert {"snapshot", "model_version", "run"} <= above
    assert set(answers(shop)[0]) == {"batch", "prediction_id", "score", "model_version_id"}


def test_small_pieces_leave_the_same_answers(shop, file, monkeypatch):
    run(shop, file=file, out="whole")
    monkeypatch.setattr(batches, "pieces_of", lambda tables: pieces.pieces_of(tables, rows=7))
    run(shop, file=file, out="pieces")
    by_row = sorted(answers(shop, "pieces"), key=lambda each: each["row"])
    assert by_row == answers(shop, "whole")


def test_the_table_comes_along_where_asked_and_columns_may_be_chosen(shop, table, tmp_path):
    path = tmp_path / "t.csv"
    more = table.append_column("row", pa.array([f"r{at}" for at in range(40)]))
    from pyarrow import csv

    csv.write_csv(more, path)
    run(shop, file=str(path), join_input=True, out="wide")
    assert {"customer", "pages", "input_row", "row"} <= set(answers(shop, "wide")[0])
    run(shop, file=str(path), join_input=True, columns=["input_row"], out="narrow")
    assert [each["input_row"] for each in answers(shop, "narrow")] == [f"r{at}" for at in range(40)]
    assert "pages" not in answers(shop, "narrow")[0]


def test_rows_go_to_a_database_and_are_replaced_there(shop, file, tmp_path):
    sql = f"sqlite:///{tmp_path / 'scores.db'}#answers"
    for _ in range(2):
        run(shop, file=file, batch="march", sql=sql)
    run(shop, file=file, batch="april", sql=sql)
    with sqlite3.connect(tmp_path / "scores.db") as database:
        counted = database.execute("select batch, count(*) from answers group by 1 order by 1")
        assert counted.fetchall() == [("april", 40), ("march", 40)]
        scores = database.execute("select score from answers where batch = 'march' order by row")
        assert [each[0] for each in scores] == [
            each["score"] for each in answers(shop) if each["batch"] == "march"
        ]


def test_a_table_of_other_columns_is_left_as_it_was(shop, file, tmp_path):
    with sqlite3.connect(tmp_path / "scores.db") as database:
        database.execute("create table answers (batch text, n integer)")
        database.execute("insert into answers values ('march', 1)")
    sql = f"sqlite:///{tmp_path / 'scores.db'}#answers"
    with pytest.raises(OutsideError, match="TD-SERVING-012"):
        run(shop, file=file, batch="march", sql=sql)
    with sqlite3.connect(tmp_path / "scores.db") as database:
        assert database.execute("select n from answers").fetchall() == [(1,)]


def test_an_empty_table_takes_the_answers_away(shop, file, table):
    run(shop, file=file, batch="march")
    parquet.write_table(table.slice(0, 0), file)
    done = run(shop, file=file, batch="march")
    assert (done.rows, answers(shop)) == (0, [])


def test_features_are_those_known_at_the_time_of_the_batch(shop, file):
    run(shop, file=file)
    run(shop, file=file, out="early", as_of="2026-01-10T00:00:00Z")
    now, early = answers(shop), answers(shop, "early")
    assert now[0]["as_of"] != early[0]["as_of"]
    assert [each["score"] for each in now] != [each["score"] for each in early]


def test_a_version_reads_a_view_as_it_was_defined_when_it_learned(shop, file):
    run(shop, file=file)
    views = shop.folder / "shop1.yaml"
    views.write_text(views.read_text().replace("over 7d", "over 1d"))
    shop.parts.read_again()
    shop.workspace.features.sync_definitions(by="ana")
    run(shop, file=file, out="later")
    assert [each["score"] for each in answers(shop)] == [
        each["score"] for each in answers(shop, "later")
    ]


@pytest.mark.parametrize(
    ("named", "error", "code"),
    [
        ({}, CallerError, "TD-SERVING-014"),
        ({"dataset": "visits", "file": "x.csv"}, CallerError, "TD-SERVING-014"),
        ({"file": "nowhere.parquet"}, NotFoundError, "TD-DATA-002"),
        ({"dataset": "visit"}, NotFoundError, "TD-WORKSPACE-003"),
        ({"dataset": "visits", "columns": ["colour"]}, CallerError, "TD-SERVING-009"),
        ({"dataset": "visits", "columns": ["pages"]}, CallerError, "TD-SERVING-009"),
        ({"dataset": "visits", "out": "a/b"}, DefinitionError, "TD-CORE-006"),
        ({"dataset": "visits", "sql": "nonsense"}, DefinitionError, "TD-DATA-024"),
        ({"dataset": "visits", "engine": "flink"}, CallerError, "TD-SPARK-004"),
    ],
)
def test_what_cannot_be_done_is_refused_by_code(shop, named, error, code):
    with pytest.raises(error, match=code):
        run(shop, **named)


def test_a_table_without_a_column_is_refused_before_anything_is_scored(shop, table, tmp_path):
    parquet.write_table(table.drop_columns(["pages"]), tmp_path / "t.parquet")
    with pytest.raises(DefinitionError, match="TD-DATA-006.*'pages'"):
        run(shop, file=str(tmp_path / "t.parquet"))


def test_other_columns_than_other_batches_are_refused(shop, file):
    run(shop, file=file, batch="march")
    with pytest.raises(ConflictError, match="TD-SERVING-010"):
        run(shop, file=file, batch="april", join_input=True)


def test_runs_are_listed_newest_first(shop, file):
    made = [run(shop, file=file, batch=each) for each in ("a", "b")]
    assert shop.workspace.scoring.runs("buys") == made[::-1]
    assert made[0].as_of_us == parse_instant(AS_OF)


def test_the_event_log_gets_the_answers_of_each_commit_once(shop, file):
    from tondo.scoring.frames import decode_unread
    from tondo.stages.serving.answers import answers_of, read_answers

    both_live(shop)
    done = [run(shop, file=file, log=True).logged for _ in range(2)]
    logged = {
        row.prediction_id: row.score
        for frame in read_answers(shop.parts.eventlog, answers_of("batch", "buys", "buys_scored"))
        for each in frame.answered
        for row in decode_unread(bytes(each.request)).rows
    }
    assert done == [80, 0]
    assert logged == {each["prediction_id"]: each["score"] for each in answers(shop)}
