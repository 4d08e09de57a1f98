from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.core.errors import DataError
from tondo.scoring.frames import encode
from tondo.stages.monitoring.predictions import feature_matrix, first_of_each, read_predictions
from tondo.stages.monitoring.streams import cut

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


def with_inputs(request, *inputs):
    rows = [
        msgspec.structs.replace(row, inputs=each)
        for row, each in zip(request.rows, inputs, strict=True)
    ]
    return msgspec.structs.replace(request, rows=rows)


INPUTS = [
    {},
    {"z": 1, "a": None, 'ü "x"\n': [1.5, 2.0]},
    {"at": 1_364_774_400_000_000, "ok": True, "@weather.temp[origin]": -0.0},
]


def test_inputs_read_the_same_live_found_and_compacted(desk, logged):
    desk.write(with_inputs(logged(["a", "b", "c"]), *INPUTS))
    expected = [msgspec.json.encode(each).decode() for each in INPUTS]
    stream = desk.predictions()
    assert stream.read(columns=["inputs"]).column("inputs").to_pylist() == expected
    assert stream.find("prediction_id", "b").column("inputs").to_pylist() == expected[1:2]
    stream.compact()
    assert stream.read(columns=["inputs"]).column("inputs").to_pylist() == expected


def test_live_rows_and_compacted_rows_have_the_same_types(desk, logged):
    desk.write(logged(["a"]))
    live = desk.predictions().read().schema
    desk.predictions().compact()
    assert desk.predictions().read().schema.equals(live)
    assert desk.predictions().find("prediction_id", "nobody").schema.equals(live)


def test_inputs_that_are_no_mapping_are_refused_once_they_are_asked_for(desk, logged):
    plain = list(msgspec.msgpack.decode(encode(logged(["a"]))))
    plain[-1][0][-1] = "no mapping"
    appender = desk.eventlog.appender("predictions/late", "w1", durability="written")
    appender.append(msgspec.msgpack.encode(plain))
    appender.close()
    assert ids(desk.predictions().read(columns=["prediction_id"])) == ["a"]
    with pytest.raises(DataError, match="TD-LOG-004"):
        desk.predictions().read(columns=["inputs"])


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=20),
    st.integers(0, 6),
    st.integers(0, 6),
)
def test_a_cut_holds_the_rows_of_the_window_in_order(rows, start, end):
    table = pa.table(
        {
            "n": pa.array([n for n, _ in rows], pa.int64()),
            "t": pa.array([t for _, t in rows], pa.timestamp("us", tz="UTC")),
        }
    )
    expected = [n for n, t in rows if start <= t < end]
    assert cut(table, "t", start, end).column("n").to_pylist() == expected


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3)), max_size=12))
def test_the_first_answer_of_each_id_equals_a_plain_loop(answers):
    table = pa.table(
        {
            "prediction_id": pa.array([each for each, _ in answers], pa.string()),
            "at": pa.array([at for _, at in answers], pa.timestamp("us", tz="UTC")),
            "place": pa.array(range(len(answers)), pa.int64()),
        }
    )
    first = {}
    for place, (each, at) in enumerate(answers):
        if each not in first or at < answers[first[each]][1]:
            first[each] = place
    assert first_of_each(table).column("place").to_pylist() == sorted(first.values())


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
