"""Columns that declared Python functions compute, each in a process of its own."""

import os
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from tondo.core.errors import DataError, DefinitionError
from tondo.stages.data.commits import commit
from tondo.stages.data.definitions import parse_derived
from tondo.stages.data.derived import derive
from tondo.stages.data.function_columns import FunctionColumn
from tondo.stages.data.functions import add_functions, read_functions
from tondo.stages.data.snapshots import read_snapshot, snapshot_table

ROWS = pa.table(
    {
        "distance": [1000.0, None, float("nan")],
        "origin": ["JFK", "é\0", None],
        "at": pa.array([0, -1, None], pa.timestamp("us", tz="UTC")),
        "day": pa.array([0, -1, None], pa.date32()),
        "id": pa.array([2**63 - 1, 0, None], pa.int64()),
        "tags": pa.array([["a", None], [], None], pa.list_(pa.string())),
    }
)


def added(folder, text, columns, type_, *, table=ROWS, **more):
    (folder / "own.py").write_text(text)
    column = FunctionColumn(python="own:f", columns=tuple(columns), type=type_, **more)
    steps = read_functions({"y": column}, folder=folder)
    return add_functions(table, {"y": column}, steps, where="rows")["y"].to_pylist()


def refused(folder, text, columns=("distance",), type_="double", **more):
    with pytest.raises((DataError, DefinitionError)) as caught:
        added(folder, text, columns, type_, **more)
    return caught.value


def test_a_function_gets_values_and_none_for_null_and_nan(tmp_path):
    text = "def f(distance, origin):\n    return repr((distance, origin))\n"
    assert added(tmp_path, text, ["distance", "origin"], "string") == [
        "(1000.0, 'JFK')",
        "(None, 'é\\x00')",
        "(None, None)",
    ]


@pytest.mark.parametrize(
    ("name", "type_", "wanted"),
    [
        ("distance", "double", [1000.0, None, None]),
        ("origin", "string", ["JFK", "é\0", None]),
        ("at", "timestamp", [datetime(1970, 1, 1, tzinfo=UTC),
                             datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), None]),
        ("day", "date", [date(1970, 1, 1), date(1969, 12, 31), None]),
        ("id", "id", [2**63 - 1, 0, None]),
        ("tags", "list<string>", [["a", None], [], None]),
    ],
)  # fmt: skip
def test_a_value_of_every_type_goes_there_and_back(tmp_path, name, type_, wanted):
    assert added(tmp_path, "def f(x):\n    return x\n", [name], type_) == wanted


def test_numbers_of_numpy_and_what_is_not_finite_are_read(tmp_path):
    text = "import numpy\nnumbers = iter([numpy.float64(1.5), float('inf'), float('nan')])\ndef f():\n    return next(numbers)\n"
    assert added(tmp_path, text, [], "double") == [1.5, None, None]


def test_what_the_function_prints_does_not_come_between(tmp_path):
    text = (
        "import os\ndef f(x):\n    print('x' * 9000)\n    os.write(1, b'noise')\n    return 1.0\n"
    )
    assert added(tmp_path, text, ["id"], "double") == [1.0, 1.0, 1.0]


def test_the_function_sees_neither_our_environment_nor_our_process(tmp_path, monkeypatch):
    monkeypatch.setenv("TONDO_SECRET", "s3cret")
    text = "import os\ndef f(x):\n    return f'{sorted(os.environ)} {os.getpid()}'\n"
    said = added(tmp_path, text, ["id"], "string")[0]
    assert "SECRET" not in said
    assert str(os.getpid()) != said.rpartition(" ")[2]


def test_an_error_names_file_line_and_row(tmp_path):
    error = refused(tmp_path, "def f(x):\n    y = 2\n    return x / y\n")
    assert error.code == "TD-FUNCTION-002"
    assert error.what.startswith("own.py:3: f, row 2 raised TypeError: ")


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("def f(x)\n    return x\n", "TD-FUNCTION-002", "own.py:1: f raised SyntaxError"),
        ("import nothing_like_this\n", "TD-FUNCTION-002", "own.py:1: f raised ModuleNotFoundError"),
        ("def g(x):\n    return x\n", "TD-FUNCTION-002", "there is no function 'f'"),
        ("def f():\n    return 1.0\n", "TD-FUNCTION-002", "raised TypeError"),
        ("def f(x):\n    raise SystemExit(3)\n", "TD-FUNCTION-002", "raised SystemExit: 3"),
        ("def f(x):\n    return 'high'\n", "TD-FUNCTION-003", "holds 'high' (str)"),
        ("def f(x):\n    return True\n", "TD-FUNCTION-003", "holds True (bool)"),
        ("def f(x):\n    return object()\n", "TD-FUNCTION-003", "own.py: f answered otherwise"),
        ("import os\ndef f(x):\n    os._exit(7)\n", "TD-FUNCTION-005", "its process ended (7)"),
        ("import os, signal\ndef f(x):\n    os.kill(os.getpid(), signal.SIGSEGV)\n", "TD-FUNCTION-005", "(-11)"),
        ("import os\ndef f(x):\n    [os.write(n, b'xxxxxxxx') for n in range(3, 9) if os.path.exists(f'/proc/self/fd/{n}')]\n    os._exit(0)\n", "TD-FUNCTION-005", "its process ended"),
    ],
)  # fmt: skip
def test_what_a_function_does_wrong_is_coded(tmp_path, text, code, said):
    error = refused(tmp_path, text)
    assert error.code == code
    assert said in error.what


def test_a_function_that_never_returns_is_ended(tmp_path):
    error = refused(tmp_path, "def f(x):\n    while True: pass\n", seconds=0.5)
    assert (error.code, "longer than 0.5 seconds" in error.what) == ("TD-FUNCTION-004", True)


def test_a_column_that_is_not_there_is_named(tmp_path):
    error = refused(tmp_path, "def f(x):\n    return x\n", ["distanse"])
    assert (error.code, "Did you mean 'distance'?" in error.fix) == ("TD-FUNCTION-001", True)


@pytest.mark.parametrize("text", ["own", "../own:f", "none:f", "os:getcwd"])
def test_only_a_file_of_the_project_is_run(tmp_path, text):
    column = FunctionColumn(python=text, columns=(), type="double")
    with pytest.raises(DefinitionError, match="TD-CLEAN-007"):
        read_functions({"y": column}, folder=tmp_path)


def test_a_dataset_of_functions_is_made_once_for_each_file_and_text(
    tmp_path, ledger, blobs, clock, engine
):
    house = {"ledger": ledger, "blobs": blobs, "clock": clock}
    functions = {"risk": {"python": "own:f", "columns": ["distance"], "type": "double"}}
    definition = parse_derived({"dataset": "scored", "inputs": ["rows"], "functions": functions})
    table = ROWS.select(["distance", "id"])

    def made(rows):
        inputs = {
            "rows": commit("rows", table.slice(0, rows), **house, by="a", why="b", mode="append")
        }
        return derive(definition, inputs, **house, engine=engine, folder=tmp_path, by="ann")

    (tmp_path / "own.py").write_text("def f(x):\n    return None if x is None else x / 4\n")
    first, second = made(3), made(1)
    assert (first.files_computed, second.files_computed, second.files_reused) == (1, 1, 1)
    snapshot = read_snapshot(first.snapshot, blobs=blobs)
    assert snapshot.columns == {"distance": "double", "id": "id", "risk": "double"}
    found = engine.scan(snapshot_table(snapshot, blobs=blobs))
    assert sorted(map(str, found["risk"].to_pylist())) == ["250.0", "None", "None"]
    (tmp_path / "own.py").write_text("def f(x):\n    return 1.0\n")
    assert made(2).files_reused == 0


@pytest.mark.parametrize(
    ("functions", "code"),
    [
        ({"y": {"python": "own:f", "columns": [], "type": "dubble"}}, "TD-CORE-005"),
        ({"y": {"python": "own:f", "columns": []}}, "TD-DATA-001"),
        ({"y": {"python": "own:f", "columns": [], "type": "double", "speed": 1}}, "TD-DATA-001"),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused(functions, code):
    with pytest.raises(DefinitionError, match=code):
        parse_derived({"dataset": "scored", "inputs": ["rows"], "functions": functions})
