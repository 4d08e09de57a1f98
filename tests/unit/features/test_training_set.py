"""Training sets keep every row they should, and say what became of the others."""

import pyarrow as pa
import pytest
from pyarrow import parquet

from airport import HOUR_US, LANDINGS, ORIGIN, TIME, WEATHER, delays_view, rows_table, weather_view
from tondo.core.errors import DataError
from tondo.ports.engine import FileTable
from tondo.stages.features.resolve import resolve_features, resolve_label
from tondo.stages.features.training_set import (
    build_training_set,
    read_training_set,
    training_table,
)
from tondo.stages.features.views import check_view

COLUMNS = {
    "flight": "id",
    "origin": "string",
    "at": "timestamp",
    "landed_at": "timestamp",
    "arr_delay": "double",
}
VIEWS = {
    "weather": check_view(weather_view(), entity=ORIGIN, source=WEATHER),
    "delays": check_view(delays_view(), entity=ORIGIN, source=LANDINGS),
}
FEATURES = {"wind": "@weather.wind", "late": "@delays.mean_3h", "where": "origin"}


def flights():
    return pa.table(
        {
            "flight": pa.array([1, 2, 3, 4], pa.int64()),
            "origin": ["JFK", None, "LGA", "JFK"],
            "at": pa.array([10 * HOUR_US, 11 * HOUR_US, 12 * HOUR_US, 13 * HOUR_US], TIME),
            "landed_at": pa.array([14 * HOUR_US, 15 * HOUR_US, None, 20 * HOUR_US], TIME),
            "arr_delay": [20.0, 3.0, None, 1.0],
        }
    )


@pytest.fixture
def build(engine, blobs, ledger):
    for snapshot in ("spine", "w", "l"):
        ledger.put("snapshot", snapshot, {})
    weather = rows_table(
        WEATHER, [{"origin": "JFK", "hour": 9 * HOUR_US, "wind": 7.0, "sky": None}]
    )
    landings = rows_table(
        LANDINGS,
        [
            {
                "flight": 9,
                "origin": "JFK",
                "landed_at": 9 * HOUR_US,
                "recorded_at": 9 * HOUR_US,
                "delay": 4.0,
            }
        ],
    )
    resolved = resolve_features(FEATURES, columns=COLUMNS, views=VIEWS, known_at={}, time="at")

    def built(spine=None, **options):
        return build_training_set(
            **{
                "name": "late",
                "spine": flights() if spine is None else spine,
                "spine_snapshot": "spine",
                "time": "at",
                "row_id": "flight",
                "resolved": resolved,
                "views": {
                    "weather": (VIEWS["weather"], weather, "w"),
                    "delays": (VIEWS["delays"], landings, "l"),
                },
                "label": resolve_label("arr_delay > 15", columns=COLUMNS),
                "engine": engine,
                "blobs": blobs,
                "ledger": ledger,
                **options,
            }
        )

    return built


def test_every_row_of_the_spine_comes_with_its_features_in_order(build, engine, blobs):
    rows = engine.scan(training_table(build(), blobs=blobs)).to_pylist()
    assert [row["flight"] for row in rows] == [1, 2, 3, 4]
    assert [row["@weather.wind[origin]"] for row in rows] == [7.0, None, None, 7.0]
    assert [row["@delays.mean_3h[origin]"] for row in rows] == [4.0, None, None, None]
    assert [row["label"] for row in rows] == [True, False, None, False]


def test_columns_stand_in_their_order_with_their_types(build):
    assert list(build().columns.items()) == [
        ("flight", "id"),
        ("at", "timestamp"),
        ("label", "bool"),
        ("origin", "string"),
        ("@weather.wind[origin]", "double"),
        ("@delays.mean_3h[origin]", "double"),
    ]


def test_rows_are_counted_by_what_became_of_them(build):
    found = build(label_known_at="landed_at", until_us=15 * HOUR_US, from_us=11 * HOUR_US)
    assert (found.spine_rows, found.rows, found.labelled, found.unlabelled) == (4, 2, 1, 1)
    assert (found.left_out_by_time, found.left_out_label_later) == (1, 1)


def test_labels_that_were_known_when_the_prediction_was_asked_are_counted(build):
    early = flights().set_column(
        3, "landed_at", pa.array([10 * HOUR_US, 12 * HOUR_US, None, 5 * HOUR_US], TIME)
    )
    assert build(early, label_known_at="landed_at").label_known_early == 2
    assert (
        build(label_known_at="landed_at").label_known_early == build(early).label_known_early == 0
    )


def test_the_same_content_has_the_same_id_and_other_content_another(build):
    assert build().id == build().id != build(until_us=12 * HOUR_US).id


def test_a_recorded_training_set_reads_back_and_knows_its_parents(build, ledger):
    made = build()
    assert read_training_set(made.id, ledger=ledger) == made
    nodes = ledger.lineage("training_set", made.id, direction="up").nodes
    assert {node.id for node in nodes} == {made.id, "spine", "w", "l"}


def test_a_row_id_that_repeats_is_refused(build):
    spine = flights().set_column(0, "flight", pa.array([1, 1, None, 2], pa.int64()))
    with pytest.raises(DataError, match=r"TD-FEATURE-012.*null in 1 rows and repeats in 1"):
        build(spine)


def test_a_period_without_rows_is_refused(build):
    with pytest.raises(DataError, match=r"TD-FEATURE-013.*of 4 in the spine, 4 lie outside"):
        build(until_us=HOUR_US)


def test_the_same_rows_in_smaller_pieces_are_the_same_training_set(build, blobs, tmp_path):
    paths = (tmp_path / "early.parquet", tmp_path / "late.parquet")
    for path, rows in zip(paths, (flights().slice(0, 3), flights().slice(3)), strict=True):
        parquet.write_table(rows, path)
    spine = FileTable(paths=paths, columns=COLUMNS)
    options = {"label_known_at": "landed_at", "until_us": 16 * HOUR_US, "also": ["landed_at"]}
    options["remember"] = False
    whole = build(spine, **options)
    assert whole.rows == 3
    for piece_bytes in (1, 130, 10_000):
        assert build(spine, piece_bytes=piece_bytes, **options) == whole
        assert build(piece_bytes=piece_bytes, **options) == whole
