"""The feature language on its own: eval, check and functions with no project and no ledger."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tondo
from tondo.faces.cli.start import main
from tondo.workspace import bare_language
from tondo.workspace.bootstrap import EVALUATORS

ENGINES = [each for each in EVALUATORS if each != "spark"]


def run_here(*words, folder, monkeypatch, capsys):
    """Run a command in this process: what it prints and its status are the same."""
    monkeypatch.chdir(folder)
    status = main(list(words))
    said = capsys.readouterr()
    return SimpleNamespace(returncode=status, stdout=said.out, stderr=said.err)


def run(*words, folder):
    command = [sys.executable, "-m", "tondo.faces.cli", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def files(tmp_path):
    table = {
        "id": pa.array([1, 2**53 + 1, None], pa.int64()),
        "distance": [10.0, float("nan"), 3.0],
        "hours": pa.array([4, 0, 2], pa.int8()),
        "origin": ["JFK", None, ""],
        "at": pa.array([0, 1_362_898_800_000, None], pa.timestamp("ms")),
        "photo": pa.array([b"x", None, b"y"], pa.binary()),
    }
    pq.write_table(pa.table(table), tmp_path / "rows.parquet")
    (tmp_path / "speed.txt").write_text(
        "# comment\n-- another\n\n"
        "kmh = distance / hours   -- null where the hours are 0\n"
        '"the id" = id\n'
        "code = origin || '='\n"
        "hour = hour(at, 'America/New_York')\n"
        "two = 1 + 1\n"
    )
    return tmp_path


SPEED = {
    "kmh": [2.5, None, 1.5],
    "the id": [1, 2**53 + 1, None],
    "code": ["JFK=", None, "="],
    "hour": [19.0, 3.0, None],
    "two": [2.0, 2.0, 2.0],
}


@pytest.mark.parametrize("engine", ENGINES)
def test_eval_writes_the_expressions_in_their_order_and_rows_in_theirs(files, engine):
    words = ("--data", "rows.parquet", "--expressions", "speed.txt", "--columns", "id:id")
    done = run("language", "eval", *words, "--engine", engine, "--out", "o.parquet", folder=files)
    assert (done.returncode, done.stderr) == (0, "")
    found = pq.read_table(files / "o.parquet")
    assert found.to_pydict() == SPEED
    assert found.column_names == list(SPEED)
    assert sorted(each.name for each in files.iterdir()) == [
        "o.parquet",
        "rows.parquet",
        "speed.txt",
    ]


def test_eval_on_spark_writes_the_same(files, spark, monkeypatch, capsys):
    assert spark.session is not None  # started once for all tests
    words = ("--data", "rows.parquet", "--expressions", "speed.txt", "--columns", "id:id")
    done = run_here(
        "language", "eval", *words, "--engine", "spark", "--out", "o.parquet",
        folder=files, monkeypatch=monkeypatch, capsys=capsys,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert pq.read_table(files / "o.parquet").to_pydict() == SPEED


def test_an_object_of_json_says_the_same(files):
    (files / "e.json").write_text(json.dumps({"b": "distance + 1", "a": "origin = ''"}))
    found = tondo.evaluate(files / "rows.parquet", files / "e.json")
    assert found.to_pydict() == {"b": [11.0, None, 4.0], "a": [False, None, True]}


def test_whole_numbers_are_doubles_unless_declared(files):
    found = tondo.evaluate(files / "rows.parquet", {"n": "id + 0"})
    assert found["n"].to_pylist() == [1.0, 9007199254740992.0, None]


@pytest.mark.parametrize(
    ("arrow", "values", "declared", "wanted"),
    [
        *((f"{sign}int{width}", [1, 0], None, [1.0, 0.0])
          for sign in ("", "u") for width in (8, 16, 32, 64)),
        ("uint64", [2**64 - 1, 0], None, [float(2**64 - 1), 0.0]),
        ("int64", [2**63 - 1, -(2**63)], "id", [2**63 - 1, -(2**63)]),
        ("halffloat", [0.5, -0.0], None, [0.5, -0.0]),
        ("float32", [0.1, 2.5], None, [0.10000000149011612, 2.5]),
        (pa.decimal128(10, 2), [Decimal("12.34"), None], None, [12.34, None]),
        (pa.decimal128(38, 20), [Decimal("0.1"), Decimal("-1e-20")], None, [0.1, -1e-20]),
        (pa.decimal256(50, 0), [Decimal(10**40), None], None, [1e40, None]),
        (pa.decimal128(10, 2), [Decimal("7.00"), None], "id", [7, None]),
        ("large_string", ["a\0b", None], None, ["a\0b", None]),
        (pa.string_view(), ["é", ""], None, ["é", ""]),
        (pa.dictionary(pa.int8(), pa.string()), ["a", None], None, ["a", None]),
        (pa.dictionary(pa.int8(), pa.int32()), [3, None], None, [3.0, None]),
        (pa.timestamp("s"), [1, None], None, [datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), None]),
        (pa.timestamp("ns", "Asia/Kolkata"), [-1000, None], None,
         [datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), None]),
        (pa.timestamp("us", "UTC"), [0, None], None, [datetime(1970, 1, 1, tzinfo=UTC), None]),
        ("int64", [1, None], "timestamp", [datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC), None]),
        ("date32", [1, -1], None, [date(1970, 1, 2), date(1969, 12, 31)]),
        ("date64", [86_400_000, None], None, [date(1970, 1, 2), None]),
        ("string", ["2.5", None], "double", [2.5, None]),
        (pa.null(), [None, None], None, [None, None]),
        ("bool", [True, None], None, [True, None]),
        (pa.large_list(pa.int16()), [[1, None], [], None], None, [[1.0, None], [], None]),
        (pa.list_(pa.float32(), 2), [[0.5, -0.0], None], None, [[0.5, -0.0], None]),
        (pa.list_(pa.decimal128(5, 2)), [[Decimal("1.10")], [None]], None, [[1.1], [None]]),
        (pa.list_(pa.large_string()), [["é", None], None], None, [["é", None], None]),
        (pa.list_(pa.int64()), [[2**53 + 1], None], "list<id>", [[2**53 + 1], None]),
        (pa.list_(pa.date32()), [[1, None]], None, [[date(1970, 1, 2), None]]),
    ],
)  # fmt: skip
def test_every_type_of_parquet_is_read_as_its_column_type(
    tmp_path, arrow, values, declared, wanted
):
    pq.write_table(pa.table({"x": pa.array(values, arrow)}), tmp_path / "x.parquet")
    columns = {"x": declared} if declared else None
    for engine in ENGINES:
        found = tondo.evaluate(tmp_path / "x.parquet", {"y": "x"}, columns=columns, engine=engine)
        assert found["y"].to_pylist() == wanted
        assert list(map(str, found["y"].to_pylist())) == list(map(str, wanted))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.csv", "n,s\n9007199254740993,a\n,\n"),
        ("x.jsonl", '{"n": 9007199254740993, "s": "a"}\n{}'),
    ],
)
def test_csv_and_json_lines_are_read_too(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    found = tondo.evaluate(tmp_path / name, {"m": "n + 1", "t": "upper(s)"})
    assert found.to_pydict() == {"m": [9007199254740992.0, None], "t": ["A", None]}
    exact = tondo.evaluate(tmp_path / name, {"m": "n"}, columns={"n": "id"})
    assert exact["m"].to_pylist() == [9007199254740993, None]


def test_a_time_that_would_lose_part_of_a_microsecond_is_refused():
    table = pa.table({"t": pa.array([1], pa.timestamp("ns"))})
    with pytest.raises(tondo.DataError, match="TD-DATA-004.*column 't'"):
        tondo.evaluate(table, {"a": "t"})


@pytest.mark.parametrize("type_", [pa.duration("s"), pa.time32("s"), pa.struct([("z", pa.int8())])])
def test_a_type_that_cannot_be_read_is_refused_where_it_is_read(type_):
    table = pa.table({"x": pa.array([None], type_), "y": [1.0]})
    assert tondo.evaluate(table, {"a": "y"})["a"].to_pylist() == [1.0]
    with pytest.raises(tondo.DataError, match="TD-DATA-007.*column 'x' holds"):
        tondo.evaluate(table, {"a": "x is null"})


@pytest.mark.parametrize("engine", ENGINES)
def test_columns_that_differ_in_case_are_two(engine):
    table = pa.table({"x": [1.0], "X": [2.0], 'a "b"': [3.0]})
    texts = {"A": "x", "a": "X", "b": '"a ""b"""'}
    assert tondo.evaluate(table, texts, engine=engine).to_pydict() == {"A": [1], "a": [2], "b": [3]}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_table_without_rows_gives_columns_without_rows(tmp_path, engine):
    pq.write_table(pa.table({"x": pa.array([], pa.int32())}), tmp_path / "x.parquet")
    texts = {"a": "x + 1", "b": "'c'", "d": "x > 1"}
    found = tondo.evaluate(tmp_path / "x.parquet", texts, engine=engine)
    assert (found.num_rows, list(map(str, found.schema.types))) == (0, ["double", "string", "bool"])


def test_pieces_of_rows_give_what_the_whole_gives(tmp_path, monkeypatch):
    from tondo.stages.data import bare_files

    table = pa.table({"x": [float(each) for each in range(1000)], "s": ["1"] * 999 + ["1x"]})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=300)
    monkeypatch.setattr(bare_files, "PIECE_ROWS", 128)
    for data in (tmp_path / "x.parquet", table):
        found = tondo.evaluate(data, {"y": "x * 2", "c": "3"})
        assert found.to_pydict() == {"y": [2.0 * each for each in range(1000)], "c": [3.0] * 1000}
    with pytest.raises(tondo.DataError, match="from row 897: column 's', row 104: '1x'"):
        tondo.evaluate(table, {"y": "s"}, columns={"s": "double"})


GOOD = ("--data", "rows.parquet", "--expressions", "speed.txt", "--out", "o.parquet")


def edited(**changes):
    said = dict(zip(GOOD[::2], GOOD[1::2], strict=True))
    said |= {f"--{name}": value for name, value in changes.items()}
    return [word for pair in said.items() for word in pair if pair[1]]


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"data": "no.parquet"}, "TD-DATA-002", 2),
        ({"expressions": "no.txt"}, "TD-DATA-002", 2),
        ({"data": ""}, "TD-CLI-003", 2),
        ({"out": ""}, "TD-CLI-003", 2),
        ({"data": "speed.txt"}, "TD-DATA-012", 2),
        ({"data": "broken.parquet"}, "TD-DATA-003", 1),
        ({"data": "."}, "TD-DATA-043", 1),
        ({"out": "rows.parquet"}, "TD-LANG-044", 2),
        ({"out": "./link.parquet"}, "TD-LANG-044", 2),
        ({"out": "speed.txt"}, "TD-LANG-044", 2),
        ({"out": "folder"}, "TD-LANG-044", 2),
        ({"out": "/dev/null"}, "TD-LANG-044", 2),
        ({"out": "no/such/o.parquet"}, "TD-LANG-044", 2),
        ({"engine": "duckbd"}, "TD-SPARK-004", 2),
        ({"columns": "id:integer"}, "TD-CORE-005", 2),
        ({"columns": "id"}, "TD-LANG-042", 2),
        ({"columns": "id:id,id:double"}, "TD-LANG-042", 2),
        ({"columns": "nobody:id"}, "TD-DATA-006", 2),
        ({"columns": "id:date"}, "TD-DATA-004", 1),
    ],
)  # fmt: skip
def test_bad_use_of_eval_is_one_coded_line_and_nothing_is_written(
    files, changes, code, status, monkeypatch, capsys
):
    (files / "broken.parquet").write_bytes((files / "rows.parquet").read_bytes()[:200])
    (files / "folder").mkdir()
    (files / "link.parquet").symlink_to("rows.parquet")
    before = (files / "rows.parquet").read_bytes()
    words = ("language", "eval", *edited(**changes))
    done = run_here(*words, folder=files, monkeypatch=monkeypatch, capsys=capsys)
    assert code in done.stderr
    assert (done.returncode, "Traceback" in done.stderr) == (status, False)
    assert (files / "rows.parquet").read_bytes() == before
    assert not list(files.glob("*o.parquet*"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "TD-LANG-041"),
        ("# nothing\n", "TD-LANG-041"),
        ("distance / 2", "TD-LANG-041"),
        ("a >= distance", "TD-LANG-041"),
        ("a == distance", "TD-LANG-041"),
        ("a =", "TD-LANG-041"),
        ("a = 1\na = 2", "TD-LANG-041"),
        ('{"a": "1", "a": "2"}', "TD-LANG-041"),
        ('{"a": 1}', "TD-LANG-041"),
        ('{"a": "1"', "TD-LANG-041"),
        ("{}", "TD-LANG-041"),
        ("[" * 10 + "{", "TD-LANG-041"),
        ('{"": "1"}', "TD-DATA-010"),
        ('{"a": ""}', "TD-LANG-001"),
        ("a = distance +", "TD-LANG-001"),
        ("a = distanse", "TD-LANG-003"),
        ("a = nosuch(1)", "TD-LANG-002"),
        ("a = origin + 1", "TD-LANG-005"),
        ("a = photo is null", "TD-DATA-007"),
        ("a = zscore(distance)", "TD-LANG-040"),
        ("a = 1 + fill_mean(distance)", "TD-LANG-040"),
        ("a = avg(distance) over 3h", "TD-LANG-040"),
        ("a = count(*) over 3h", "TD-LANG-040"),
        ("a = @weather.wind_speed + 1", "TD-LANG-040"),
        ("a = @weather.wind_speed[origin]", "TD-LANG-040"),
        ("b = distance\na = " + "(" * 50 + "1" + ")" * 50, "TD-LANG-013"),
    ],
)
def test_bad_expressions_are_refused_by_code(files, text, code):
    (files / "bad.txt").write_text(text)
    with pytest.raises(tondo.TondoError, match=code) as caught:
        bare_language.evaluate_to(files / "o.parquet", files / "rows.parquet", files / "bad.txt")
    assert caught.value.code == code
    if code.startswith("TD-LANG-00") or code == "TD-LANG-040":
        assert caught.value.what.startswith("'a': ")
    assert not (files / "o.parquet").exists()


def test_expressions_that_are_no_text_are_refused(files):
    (files / "bad.txt").write_bytes(b"a = 'caf\xe9'")
    with pytest.raises(tondo.CallerError, match="TD-LANG-041"):
        tondo.evaluate(files / "rows.parquet", files / "bad.txt")


def test_an_old_answer_stays_when_the_new_one_fails(files):
    (files / "o.parquet").write_bytes(b"old")
    (files / "bad.csv").write_text("x\n1\nz\n")
    with pytest.raises(tondo.DataError, match="TD-DATA-004"):
        bare_language.evaluate_to(
            files / "o.parquet", files / "bad.csv", {"a": "x"}, columns={"x": "double"}
        )
    assert (files / "o.parquet").read_bytes() == b"old"


def test_check_prints_the_type_alone(tmp_path):
    words = ("distance / 2 > 1", "--columns", "distance:double,origin:string")
    done = run("language", "check", *words, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "bool\n", "")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x + 1", {"type": "double", "columns": ["x"], "fitted": [], "window": ""}),
        ("zscore(x) * y", {"type": "double", "columns": ["x", "y"], "fitted": ["zscore"], "window": ""}),
        ("last(s) over 3h", {"type": "string", "columns": ["s"], "fitted": [], "window": "last"}),
        ("count(*) over 7d", {"type": "double", "columns": [], "fitted": [], "window": "count"}),
    ],
)  # fmt: skip
def test_check_as_json_says_what_is_read(tmp_path, text, wanted, monkeypatch, capsys):
    words = ("language", "check", text, "--columns", "x:double,y:double,s:string", "--json")
    done = run_here(*words, folder=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
    assert (done.returncode, json.loads(done.stdout)) == (0, wanted)


@pytest.mark.parametrize(
    ("text", "columns", "code"),
    [
        ("x + ", "x:double", "TD-LANG-001"),
        ("y + 1", "x:double", "TD-LANG-003"),
        ("x + 1", "x:string", "TD-LANG-005"),
        ("@v.f", "x:double", "TD-LANG-040"),
        ("sum(s) over 3h", "s:string", "TD-LANG-007"),
        ("x", "x:dubble", "TD-CORE-005"),
        ("x", "x double", "TD-LANG-042"),
        ("", "", "TD-LANG-001"),
    ],
)
def test_a_bad_expression_ends_with_two_and_a_code(
    tmp_path, text, columns, code, monkeypatch, capsys
):
    words = ("language", "check", text, "--columns", columns)
    done = run_here(*words, folder=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
    assert (done.returncode, done.stdout) == (2, "")
    assert code in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_expression_shows_its_place(tmp_path):
    done = run("language", "check", "1 + nam", "--columns", "name:string", folder=tmp_path)
    assert "1 + nam\n        ^^^\n" in done.stderr
    assert "Did you mean 'name'?" in done.stderr


def test_functions_lists_every_function_for_people_and_as_json(tmp_path):
    from tondo.language.fitted import FITTED
    from tondo.language.functions import FUNCTIONS
    from tondo.language.windows import WINDOW_FUNCTIONS

    said = json.loads(run("language", "functions", "--json", folder=tmp_path).stdout)
    kinds = {kind: {each["name"] for each in said if each["kind"] == kind} for kind in ("row", "fitted", "window")}  # fmt: skip
    assert [each["group"] for each in said if each["kind"] == "python"] == [
        "Outside the promise of equality"
    ]
    assert kinds == {"row": set(FUNCTIONS), "fitted": set(FITTED), "window": set(WINDOW_FUNCTIONS)}
    page = run("language", "functions", folder=tmp_path).stdout
    assert "clip(...)  (double, double, double -> double)" in page


def test_nothing_of_the_ledger_is_imported(files):
    code = (
        "import sys, tondo; tondo.evaluate('rows.parquet', {'a': 'distance'});"
        "tondo.check_expression('1', {}); tondo.language_functions();"
        "print([each for each in sys.modules if each.startswith(('sqlalchemy', 'tondo.ledger'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=files, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
