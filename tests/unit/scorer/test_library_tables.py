"""Library mode over tables of every make: the scores of the rows one by one, bit for bit."""

import math
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

import scored
from tondo.core.errors import CallerError
from tondo.faces.scorer.bootstrap import load

TYPES = {
    "carrier": "string",
    "distance": "double",
    "rush": "bool",
    "at": "timestamp",
    "day": "date",
    "tail": "id",
    "tags": "list<string>",
    "delays": "list<double>",
}
TEXTS = {
    "far": "distance / 1000",
    "hour": "hour(at, 'UTC')",
    "dom": "day(day)",
    "aa": "case when carrier = 'AA' then 1 when carrier like '%a long%' then 2 else 0 end",
    "rush": "rush",
    "tail": "cast(tail as double) / 3",
    "tags": "length(tags)",
    "late": "sum(delays)",
}
NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)
ROWS = [
    {
        "carrier": [None, "AA", "é", "a long name that no view holds inline", ""][place % 5],
        "distance": None if place % 7 == 3 else place * 12.5,
        "rush": [True, False, None][place % 3],
        "at": None if place % 6 == 1 else NOON + timedelta(hours=place),
        "day": None if place % 4 == 2 else date(2013, 4, 1) + timedelta(days=place),
        "tail": None if place % 5 == 4 else 2**53 + place,
        "tags": None if place % 3 == 2 else ["x", None, "yy"][: place % 4],
        "delays": [[1.5, None], [], [0.25, 3.0, -1.0], None][place % 4],
    }
    for place in range(40)
]
ARROW = pa.schema(
    {
        "carrier": pa.string(),
        "distance": pa.float64(),
        "rush": pa.bool_(),
        "at": pa.timestamp("us", "UTC"),
        "day": pa.date32(),
        "tail": pa.int64(),
        "tags": pa.list_(pa.string()),
        "delays": pa.list_(pa.float64()),
    }
)
TABLE = pa.Table.from_pylist(ROWS, ARROW)
SCALARS = [name for name, type_ in TYPES.items() if not type_.startswith("list")]


def model_of(texts=TEXTS, types=TYPES):
    used = {name: scored.trees_of({name: text}, types)[name] for name, text in texts.items()}
    row = dict.fromkeys(types)
    return load(scored.package(inputs=types, features=used, samples=(row,)))


@pytest.fixture(scope="module")
def model():
    return model_of()


@pytest.fixture(scope="module")
def scores(model):
    return [model.predict(row) for row in ROWS]


def recast(**types):
    """The table with some columns of other Arrow types."""
    schema = ARROW
    for name, type_ in types.items():
        schema = schema.set(schema.get_field_index(name), pa.field(name, type_))
    return TABLE.cast(schema)


def mapping_of_arrays():
    frame = {name: np.array([row[name] for row in ROWS], dtype=object) for name in TYPES}
    frame["distance"] = np.array([row["distance"] or math.nan for row in ROWS])
    frame["distance"][0] = 0.0
    frame["at"] = np.array(
        [None if row["at"] is None else row["at"].replace(tzinfo=None) for row in ROWS],
        dtype="datetime64[ns]",
    )
    frame["day"] = np.array([row["day"] for row in ROWS], dtype="datetime64[D]")
    return frame


TABLES = {
    "rows": lambda: ROWS,
    "a generator of rows": lambda: (row for row in ROWS),
    "a mapping of lists": lambda: {name: [row[name] for row in ROWS] for name in TYPES},
    "a mapping of arrays": mapping_of_arrays,
    "pyarrow": lambda: TABLE,
    "pyarrow, in pieces": lambda: pa.concat_tables(
        [TABLE[:3], TABLE[3:3], TABLE[3:31], TABLE[31:]]
    ),
    "pyarrow's batch": lambda: TABLE.combine_chunks().to_batches()[0],
    "pyarrow, a part": lambda: pa.concat_tables([TABLE[30:], TABLE])[10:],
    "polars": lambda: pl.from_arrow(TABLE),
    "duckdb": lambda: duckdb.connect().from_arrow(TABLE_),
    "large and views": lambda: recast(carrier=pa.large_string(), tags=pa.large_list(pa.string())),
    "views": lambda: recast(carrier=pa.string_view()),
    "narrow": lambda: recast(at=pa.timestamp("s", "UTC"), day=pa.date64(), distance=pa.float32()),
    "wide": lambda: recast(at=pa.timestamp("ns", "Europe/Berlin"), tail=pa.uint64()),
    "no zone": lambda: recast(at=pa.timestamp("ms")),
    "dictionaries": lambda: recast(carrier=pa.dictionary(pa.int8(), pa.string())),
    "decimals": lambda: recast(distance=pa.decimal128(9, 3)),
    "small decimals": lambda: recast(distance=pa.decimal256(40, 2)),
}
TABLE_ = TABLE


@pytest.mark.parametrize("make", TABLES)
def test_a_table_has_the_scores_of_its_rows(make, model, scores):
    assert model.predict(TABLES[make]()) == scores


@pytest.mark.parametrize("form", ["arrow", "plain"])
def test_a_pandas_frame_has_the_scores_of_its_rows(form):
    texts = {name: text for name, text in TEXTS.items() if name not in {"tags", "late", "dom"}}
    types = {name: TYPES[name] for name in SCALARS if name != "day"}
    small = model_of(texts, types)
    rows = [{name: row[name] for name in types} for row in ROWS]
    frame = TABLE.select(list(types)).to_pandas(integer_object_nulls=True)
    frame["label"] = [object()] * len(frame) if form == "plain" else 1
    if form == "plain":

        class Plain:
            """A frame of an old pandas, which lends nothing by Arrow."""

            columns, iloc = frame.columns, frame.iloc

            def __getitem__(self, name):
                return frame[name]

        assert small.predict(Plain()) == [small.predict(row) for row in rows]
        return
    kept = frame[frame["rush"].notna()]
    assert small.predict(kept) == [small.predict(row) for row in rows if row["rush"] is not None]


def test_wrapped_values_of_a_row_count_as_what_they_are(model, scores):
    row = {
        **ROWS[6],
        "distance": np.float64(ROWS[6]["distance"]),
        "tail": np.int64(ROWS[6]["tail"]),
        "rush": np.bool_(ROWS[6]["rush"]),
        "at": pd.Timestamp(ROWS[6]["at"]),
    }
    assert model.predict(row) == scores[6]
    assert model.predict({**ROWS[1], "at": pd.NaT, "rush": pd.NA}) == model.predict(
        {**ROWS[1], "at": None, "rush": None}
    )


def test_nan_in_a_table_is_null_and_in_a_row_refused(model):
    row = {**ROWS[3], "distance": None}
    columns = {name: [value] for name, value in row.items()} | {"distance": [math.nan]}
    assert model.predict(columns) == [model.predict(row)]
    with pytest.raises(CallerError, match="TD-SCORE-004: distance is nan"):
        model.predict({**row, "distance": math.nan})


def test_tables_may_be_wider_than_the_model_and_rows_may_not(model, scores):
    wide = TABLE.append_column("other", pa.array([b"x"] * len(ROWS)))
    assert model.predict(wide) == scores
    with pytest.raises(CallerError, match="TD-SCORE-003: other is not an input"):
        model.predict({**ROWS[0], "other": 1})


def test_large_numbers_whose_sum_is_infinite_are_numbers(model):
    rows = [{**ROWS[3], "distance": 1.7e308}] * 3
    columns = {name: [row[name] for row in rows] for name in TYPES}
    assert model.predict(columns) == model.predict(rows)


def test_tables_without_rows_have_no_scores(model):
    assert (
        model.predict(TABLE[:0]) == model.predict([]) == model.predict({n: [] for n in TYPES}) == []
    )


def test_more_rows_than_a_request_may_have_are_scored(model, scores):
    assert model.predict(pa.concat_tables([TABLE] * 60)) == scores * 60


def test_one_column_of_lists_is_told_from_a_row_of_one_list():
    small = model_of({"n": "length(tags)"}, {"tags": "list<string>"})
    one = small.predict({"tags": ["a", "b"]})
    assert isinstance(one, float)
    assert small.predict({"tags": [["a", "b"], None]}) == [one, small.predict({"tags": None})]


NOTHING = {name: [None] for name in TYPES}
FLAT = {name: np.zeros((2, 2)) for name in TYPES}
BAD = {
    "a text": ("late", "TD-SCORE-040"),
    "a number": (3.5, "TD-SCORE-040"),
    "nothing": (None, "TD-SCORE-040"),
    "numbers": ([1.0, 2.0], r"TD-SCORE-005: rows\[0\]"),
    "a lazy frame": (pl.from_arrow(TABLE).lazy(), "TD-SCORE-040: .*LazyFrame"),
    "one column": (pl.Series([1.0]), "TD-SCORE-040: .*one column"),
    "uneven columns": ({**NOTHING, "tail": [1, 2]}, "TD-SCORE-040.*tail 2"),
    "a row among columns": ({**NOTHING, "tail": 1}, "TD-SCORE-040.*'tail'"),
    "two dimensions": (FLAT, "TD-SCORE-040.*2 dimensions"),
    "a column less": (TABLE.drop(["tail"]), "TD-SCORE-001: tail is missing"),
    "text for numbers": (recast(distance=pa.string()), r"TD-SCORE-002: rows\[0\]\.distance is '0"),
    "numbers for text": (recast(tail=pa.string()), r"TD-SCORE-002: rows\[0\]\.tail is '9"),
    "an infinity": ({**NOTHING, "distance": [math.inf]}, r"TD-SCORE-004: rows\[0\]"),
    "times for numbers": (
        TABLE.set_column(1, "distance", TABLE["at"]), "TD-SCORE-002: distance is 'a column of instants'",
    ),
    "times for dates": (TABLE.set_column(4, "day", TABLE["at"]), "TD-SCORE-002: day"),
    "dates for times": (TABLE.set_column(3, "at", TABLE["day"]), "TD-SCORE-002: at"),
    "bytes": (recast(carrier=pa.binary()), "TD-SCORE-041: column 'carrier'"),
    "structures": (
        TABLE.set_column(1, "distance", pa.array([{"a": 1}] * len(ROWS))), "TD-SCORE-041: column 'distance'",
    ),
    "lengths of time": (
        TABLE.set_column(1, "distance", pa.array([timedelta(1)] * len(ROWS))), "TD-SCORE-0",
    ),
    "nanoseconds": (
        TABLE.set_column(3, "at", pa.array([1] * len(ROWS), pa.timestamp("ns", "UTC"))), "TD-SCORE-041: column 'at'",
    ),
    "objects": ([{**ROWS[0], "carrier": object()}], r"TD-SCORE-002: rows\[0\]\.carrier"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_table_is_refused_by_place(what, model):
    data, message = BAD[what]
    with pytest.raises(CallerError, match=message):
        model.predict(data)


def test_a_library_that_fails_while_it_lends_is_told(model):
    def broken():
        yield TABLE.to_batches()[0]
        raise ValueError("the disk is gone")

    with pytest.raises(CallerError, match="TD-SCORE-040.*the disk is gone"):
        model.predict(pa.RecordBatchReader.from_batches(ARROW, broken()))


def test_a_table_of_another_library_is_read_without_importing_one():
    code = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from tondo.faces.scorer.bootstrap import load
model = load(sys.argv[2])
columns = {"carrier": ["AA"], "distance": np.array([5.0]), "rush": [True], "scheduled_at": [0], "tail": [1]}
model.predict(columns)
print([name for name in ("pyarrow", "pandas", "polars", "duckdb", "lightgbm", "obstore") if name in sys.modules])
"""
    folder = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(_package_file())],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def _package_file():
    import tempfile

    path = Path(tempfile.mkdtemp()) / "late.tondo"
    path.write_bytes(scored.package())
    return path
