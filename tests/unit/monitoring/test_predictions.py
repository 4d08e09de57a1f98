from __future__ import annotations

import msgspec
import numpy as np
import pytest

from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.stages.monitoring.predictions import feature_matrix, read_predictions

START = 1_364_774_400_000_000  # 2013-04-01
HOUR = 3_600_000_000


def ids(table):
    return table.column("prediction_id").to_pylist()


def test_a_logged_request_becomes_one_row_per_prediction(desk, logged):
    desk.write(logged(["a", "b"], scores=[0.25, None]))
    first, second = read_predictions(desk.predictions()).to_pylist()
    assert (first["prediction_id"], first["score"], first["vector"]) == ("a", 0.25, [0.25, 2.0])
    assert (first["version"], first["model_version_id"]) == (1, "late-1")
    assert msgspec.json.decode(first["inputs"]) == {"origin": "JFK", "distance": 1089}
    assert second["score"] is None


def test_a_repeated_id_counts_once_as_it_was_answered_first(desk, logged):
    # The newer segment holds the earlier answer: two workers wrote at the same time.
    desk.write(logged(["a"], at=START + 5, scores=[0.9]), writer="w1")
    desk.write(logged(["a"], at=START + 1, scores=[0.1]), writer="w2")
    (row,) = read_predictions(desk.predictions()).to_pylist()
    assert row["score"] == 0.1


def test_reading_again_shows_what_was_written_since(desk, logged):
    stream = desk.predictions()
    appender = desk.write(logged(["a"]), close=False)
    assert ids(read_predictions(stream)) == ["a"]
    desk.write(logged(["b"]), writer="w2")
    appender.close()
    assert ids(read_predictions(stream)) == ["a", "b"]


def test_other_purposes_are_left_out_unless_asked_for(desk, logged):
    desk.write(logged(["a"]), logged(["b"], purpose="v2"))
    assert ids(read_predictions(desk.predictions())) == ["a"]
    assert ids(read_predictions(desk.predictions(), purpose=None)) == ["a", "b"]


def test_a_window_is_cut_by_as_of_time_with_an_open_end(desk, logged):
    desk.write(*(logged([str(hour)], at=START + hour * HOUR) for hour in range(4)))
    desk.predictions().compact()
    desk.write(logged(["live"], at=START + 2 * HOUR), writer="w2")
    window = {"start_us": START + HOUR, "end_us": START + 3 * HOUR}
    assert ids(read_predictions(desk.predictions(), **window)) == ["1", "2", "live"]


def test_an_empty_stream_is_an_empty_table_with_all_columns(desk):
    table = read_predictions(desk.predictions())
    assert table.num_rows == 0
    assert "vector" in table.column_names
    assert read_predictions(desk.predictions(), columns=["score"]).column_names == ["score"]


def test_compacting_keeps_every_row_and_changes_no_answer(desk, logged):
    desk.write(logged(["a", "b"], scores=[0.1, None]), logged(["c"]))
    before = read_predictions(desk.predictions())
    (segment,) = desk.predictions().compact()
    assert segment.rows == 3
    assert repr(read_predictions(desk.predictions()).to_pylist()) == repr(before.to_pylist())


def test_the_same_segment_is_compacted_once(desk, logged):
    desk.write(logged(["a"]))
    stream = desk.predictions()
    assert len(stream.compact()) == 1
    assert stream.compact() == []
    assert desk.predictions().compact() == []
    assert len(desk.ledger.records("log_segment")) == 1


def test_an_open_segment_is_left_for_later(desk, logged):
    appender = desk.write(logged(["a"]), close=False)
    assert desk.predictions().compact() == []
    appender.close()
    assert len(desk.predictions().compact()) == 1


def test_a_kill_between_blob_and_record_is_made_good_by_the_next_run(desk, monkeypatch, logged):
    desk.write(logged(["a"]))

    def killed(*_args, **_words):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(desk.ledger, "put", killed)
        with pytest.raises(KeyboardInterrupt):
            desk.predictions().compact()
    assert len(list(desk.blobs.digests())) == 1
    assert ids(read_predictions(desk.predictions())) == ["a"]
    desk.predictions().compact()
    assert len(list(desk.blobs.digests())) == 1
    assert ids(read_predictions(desk.predictions())) == ["a"]


def test_compacted_files_answer_sql(desk, logged):
    desk.write(logged(["a", "b"], scores=[0.25, 0.75]))
    stream = desk.predictions()
    stream.compact()
    engine = DuckDBEngine()
    text = "select version, avg(score) as mean from predictions group by version"
    assert engine.query(text, {"predictions": stream.files()}).to_pylist() == [
        {"version": 1, "mean": 0.5}
    ]


def test_live_and_compacted_rows_answer_sql_together(desk, logged):
    desk.write(logged(["a"]))
    desk.predictions().compact()
    desk.write(logged(["a"]), logged(["b"]), writer="w2", close=False)
    table = read_predictions(desk.predictions())
    found = DuckDBEngine().query("select count(*) as n from predictions", {"predictions": table})
    assert found.to_pylist() == [{"n": 2}]


def test_vectors_come_back_as_a_matrix_bit_for_bit(desk, logged):
    scores = [0.1, -0.0, np.nextafter(1, 2)]
    desk.write(logged(["a", "b", "c"], scores=scores))
    matrix = feature_matrix(read_predictions(desk.predictions()))
    assert matrix[:, 0].tobytes() == np.array(scores).tobytes()


def test_a_row_that_failed_before_its_vector_is_all_nulls(desk, logged):
    failed = logged(["b"], scores=[None], error="TD-SCORE-001")
    row = msgspec.structs.replace(failed.rows[0], vector=b"")
    desk.write(logged(["a"]), msgspec.structs.replace(failed, rows=[row]))
    matrix = feature_matrix(read_predictions(desk.predictions()))
    assert np.isnan(matrix).tolist() == [[False, False], [True, True]]
