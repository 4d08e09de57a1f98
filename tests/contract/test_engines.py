"""Every batch engine keeps the port's promises. Engines are found, not listed."""

import importlib
import pkgutil
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import tondo.adapters.engines
from tondo.core.errors import CallerError, DefinitionError, TondoError
from tondo.language.check import check
from tondo.language.functions import FUNCTIONS
from tondo.language.parse import parse
from tondo.ports.engine import Engine, FileTable, LookupJoin


def engine_classes():
    found = {}
    for package in pkgutil.iter_modules(tondo.adapters.engines.__path__):
        if not package.ispkg:
            continue
        module = importlib.import_module(f"tondo.adapters.engines.{package.name}.engine")
        classes = [each for name, each in vars(module).items() if name.endswith("Engine")]
        found |= {each.name: each for each in classes if each.__module__ == module.__name__}
    return found


def offering(method):
    return sorted(name for name, each in engine_classes().items() if hasattr(each, method))


def opened(name, request):
    if name == "spark":
        request.getfixturevalue("spark")  # started once for all tests
    return engine_classes()[name]()


@pytest.fixture(scope="module", params=offering("scan"))
def engine(request):
    found = opened(request.param, request)
    yield found
    found.close()


@pytest.fixture(scope="module", params=offering("evaluate"))
def evaluator(request):
    found = opened(request.param, request)
    yield found
    found.close()


# The numbers of Spark are held to those of DuckDB in test_spark_statistics.py.
@pytest.fixture(scope="module", params=[each for each in offering("profile") if each != "spark"])
def telling(request):
    found = opened(request.param, request)
    yield found
    found.close()


@pytest.fixture(scope="module", params=offering("point_in_time"))
def joining(request):
    found = opened(request.param, request)
    yield found
    found.close()


@pytest.fixture(scope="module", params=offering("query"))
def querying(request):
    found = opened(request.param, request)
    yield found
    found.close()


ROWS = 300_000
COLUMNS = {"n": "double", "word": "string", "late": "bool"}


@pytest.fixture(scope="module")
def arrow():
    numbers = np.arange(float(ROWS))
    words = pa.array([f"w{number % 7}" for number in range(ROWS)])
    return pa.table({"n": numbers, "word": words, "late": numbers % 2 == 0})


@pytest.fixture(scope="module")
def files(arrow, tmp_path_factory):
    folder = tmp_path_factory.mktemp("it's a folder")
    paths = (folder / "one.parquet", folder / "two.parquet")
    pq.write_table(arrow.slice(0, 1000), paths[0])
    pq.write_table(arrow.slice(1000), paths[1])
    return FileTable(paths=paths, columns=COLUMNS)


@pytest.fixture
def rows(request):
    """As many rows as show what parallel work does to their order; others are slow by the row."""
    return ROWS if "duckdb" in request.node.callspec.params.values() else 20_000


@pytest.fixture(params=["arrow", "files"])
def table(request, rows, arrow, files, tmp_path):
    if rows == ROWS:
        return arrow if request.param == "arrow" else files
    few = arrow.slice(0, rows)
    if request.param == "arrow":
        return few
    paths = (tmp_path / "z%20 [1]'s.parquet", tmp_path / "é {2}.parquet")
    pq.write_table(few.slice(0, 1000), paths[0])
    pq.write_table(few.slice(1000), paths[1])
    return FileTable(paths=paths, columns=COLUMNS)


def tree(text, columns=COLUMNS):
    return check(parse(text), columns, text=text)


METHODS = [name for name in dir(Engine) if not name.startswith("_")]


def test_the_suite_found_an_engine():
    assert "duckdb" in engine_classes()


@pytest.mark.parametrize("name", sorted(engine_classes()))
def test_an_engine_offers_the_port_but_for_the_gaps_that_it_declares(name):
    found = engine_classes()[name]
    missing = {method for method in METHODS if not hasattr(found, method)}
    assert missing == found.gaps - set(FUNCTIONS)


def test_every_function_of_the_language_answers_its_example(evaluator):
    trees = {row.name: tree(row.example[0], {}) for row in FUNCTIONS.values()}
    known = {name: each for name, each in trees.items() if name not in evaluator.gaps}
    row = evaluator.evaluate(known, pa.table({"x": [1.0]})).to_pylist()[0]
    for name in known:
        wanted = FUNCTIONS[name].example[1]
        if FUNCTIONS[name].ulp and wanted is not None:
            wanted = pytest.approx(wanted, rel=1e-15)
        assert row[name] == wanted, name


def test_a_function_that_an_engine_declares_missing_is_refused(evaluator):
    for name in evaluator.gaps & set(FUNCTIONS):
        with pytest.raises(DefinitionError, match=r"TD-LANG-014"):
            evaluator.evaluate({name: tree(FUNCTIONS[name].example[0], {})}, pa.table({"x": [1.0]}))


def test_scan_returns_rows_in_order(engine, table, rows):
    assert engine.scan(table)["n"].to_numpy().tolist() == list(range(rows))


def test_scan_narrows_to_columns(engine, table):
    assert engine.scan(table, ["late", "n"]).column_names == ["late", "n"]


def test_scan_of_an_unknown_column_suggests_near_names(engine, files):
    with pytest.raises(CallerError, match=r"TD-ENGINE-008.*'wrod'") as caught:
        engine.scan(files, ["wrod"])
    assert "'word'" in caught.value.fix


def test_a_table_without_files_has_no_rows_but_its_columns(engine):
    empty = engine.scan(FileTable(paths=(), columns={**COLUMNS, "at": "timestamp"}))
    assert (empty.num_rows, empty.column_names) == (0, [*COLUMNS, "at"])


def test_what_is_not_a_table_is_refused(engine):
    with pytest.raises(CallerError, match=r"TD-ENGINE-005.*list"):
        engine.scan([1, 2])


def test_evaluate_returns_rows_in_input_order(evaluator, table, rows):
    got = evaluator.evaluate({"twice": tree("n * 2")}, table, keep=["word"])
    assert got.column_names == ["word", "twice"]
    assert np.array_equal(got["twice"].to_numpy(), np.arange(rows) * 2.0)


def test_evaluate_keeps_quotes_in_names(evaluator):
    odd = pa.table({'a "b"': [1.0]})
    got = evaluator.evaluate({'x "y"': tree("1 + 1", {})}, odd, keep=['a "b"'])
    assert got.to_pydict() == {'a "b"': [1.0], 'x "y"': [2.0]}


def test_times_leave_in_utc(engine):
    times = pa.table({"seen": pa.array([0, None], pa.timestamp("us", tz="UTC"))})
    assert engine.scan(times).schema.field("seen").type == pa.timestamp("us", tz="UTC")


def test_point_in_time_keeps_every_spine_row_in_order(joining):
    utc = pa.timestamp("us", tz="UTC")
    spine = pa.table({"k": ["b", "a", None, "b"], "t": pa.array([10, 10, 10, 1], utc)})
    events = pa.table({"key": ["a", "b"], "at": pa.array([5, 9], utc), "v": [1.0, 2.0]})
    lookup = LookupJoin(
        view="w",
        table=events,
        key="key",
        spine_key="k",
        event_time="at",
        recorded_at=None,
        ttl_us=None,
        cadence_us=None,
        features={"v": tree("v", {"v": "double"})},
        prefix="w.",
    )
    got = joining.point_in_time(spine, time="t", lookups=[lookup], windows=[])
    assert got["k"].to_pylist() == ["b", "a", None, "b"]
    assert got["w.v"].to_pylist() == [2.0, 1.0, None, None]


def test_of_rows_equal_in_time_the_greater_list_wins_null_items_being_least(joining):
    utc = pa.timestamp("us", tz="UTC")
    pool = [None, [], [None], [-1.0], [-0.0], [0.0], [0.0, None], [0.0, -1.0], [2.0]]
    # Least first: null, then item by item, the shorter first, -0.0 before 0.0.
    pairs = list(permutations(range(len(pool)), 2))
    keys = [place for place in range(len(pairs)) for _ in range(2)]
    values = [pool[place] for pair in pairs for place in pair]
    events = pa.table(
        {
            "key": pa.array(keys, pa.int64()),
            "at": pa.array([5] * len(keys), utc),
            "v": pa.array(values, pa.list_(pa.float64())),
        }
    )
    lookup = LookupJoin(
        view="w",
        table=events,
        key="key",
        spine_key="k",
        event_time="at",
        recorded_at=None,
        ttl_us=None,
        cadence_us=None,
        features={"v": tree("v", {"v": "list<double>"})},
        prefix="w.",
    )
    spine = pa.table({"k": range(len(pairs)), "t": pa.array([9] * len(pairs), utc)})
    got = joining.point_in_time(spine, time="t", lookups=[lookup], windows=[])
    expected = [pool[max(pair)] for pair in pairs]
    assert list(map(repr, got["w.v"].to_pylist())) == list(map(repr, expected))


def test_profile_gives_the_entries_of_the_port(telling, table):
    found = telling.profile(table, COLUMNS)
    assert list(found) == list(COLUMNS)
    number = found["n"]
    assert (number["rows"], number["missing"], number["distinct"]) == (ROWS, 0, ROWS)
    assert (number["min"], number["max"], number["zeros"]) == (0, ROWS - 1, 1)
    assert number["mean"] == pytest.approx((ROWS - 1) / 2)
    assert len(number["histogram"]) == 10
    assert found["word"]["length"] == {"min": 2, "max": 2, "mean": 2.0, "total": 2 * ROWS}
    assert found["late"]["top"] == [[False, ROWS // 2], [True, ROWS // 2]]


def test_profile_of_slices_equals_profile_of_their_rows(telling, table, arrow):
    by = [{"word": "string"}, {"late": "bool", "word": "string"}]
    slices = telling.profile_slices(table, {"n": "double"}, by=by, where={"late": tree("late")})
    found = {tuple(map(tuple, each["slice"])): each["columns"] for each in slices}
    assert len(found) == 7 + 14 + 1
    alone = arrow.filter(pc.field("word") == "w3")
    assert found[("word", "w3"),] == telling.profile(alone, {"n": "double"})


def test_crosses_give_the_entries_of_the_port(telling, table):
    found = telling.crosses(table, COLUMNS)
    assert found["numeric"] == []
    (pair,) = found["categorical"]
    assert pair["columns"] == ["word", "late"]
    assert pair["values"] == [[f"w{number}" for number in range(7)], [False, True]]
    assert sum(map(sum, pair["counts"])) == ROWS


def test_query_runs_sql_over_named_tables(querying, arrow, files):
    got = querying.query(
        "select a.word, count(*) as n from one a join two b on a.n = b.n group by a.word order by 1",
        {"one": arrow, "two": files},
    )
    assert got["n"].to_pylist() == [ROWS // 7 + (number < ROWS % 7) for number in range(7)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("selec 1", "TD-ENGINE-001"),
        ("select * from nothing", "TD-ENGINE-001"),
        ("select wrod from flights", "TD-ENGINE-001"),
        ("", "TD-ENGINE-002"),
        ("select 1; select 2", "TD-ENGINE-002"),
        ("create table x as select 1", "TD-ENGINE-002"),
        ("drop view flights", "TD-ENGINE-002"),
        ("set threads = 1", "TD-ENGINE-002"),
        ("pragma database_list", "TD-ENGINE-002"),
        ("attach '/tmp/other.db'", "TD-ENGINE-002"),
        ("copy (select 1) to '/tmp/tondo-leak.csv'", "TD-ENGINE-002"),
        ("install httpfs", "TD-ENGINE-002"),
        ("select * from read_csv('/etc/passwd')", "TD-ENGINE-004"),
        ("select * from read_text('/etc/passwd')", "TD-ENGINE-004"),
        ("select * from glob('/etc/*')", "TD-ENGINE-004"),
        ("select * from read_parquet('https://example.org/x.parquet')", "TD-ENGINE-004"),
        ("select * from '/etc/passwd'", "TD-ENGINE-001"),
        ("select * from query('select * from read_text(''/etc/passwd'')')", "TD-ENGINE-004"),
        ("select cast(word as integer) from flights", "TD-ENGINE-006"),
    ],
)
def test_bad_sql_and_sql_that_reaches_outside_is_refused(querying, files, text, code):
    with pytest.raises(DefinitionError, match=code):
        querying.query(text, {"flights": files})
    assert not Path("/tmp/tondo-leak.csv").exists()


def test_an_unknown_table_suggests_the_near_one(querying, arrow):
    with pytest.raises(DefinitionError) as caught:
        querying.query("select 1 from fligths", {"flights": arrow})
    assert "'flights'" in caught.value.fix


def test_variables_of_the_program_are_not_tables(querying, arrow):
    secret = arrow
    with pytest.raises(DefinitionError, match=r"TD-ENGINE-001"):
        querying.query("select count(*) from secret", {})
    assert secret is arrow


def test_the_engine_goes_on_after_an_error(querying, arrow):
    with pytest.raises(TondoError):
        querying.query("select nothing", {})
    assert querying.scan(arrow.slice(0, 1)).num_rows == 1


def test_a_damaged_file_is_told_with_a_code(engine, tmp_path):
    path = tmp_path / "torn.parquet"
    path.write_bytes(b"PAR1 torn")
    with pytest.raises(TondoError, match=r"TD-ENGINE-00[37]|TD-SPARK-003"):
        engine.scan(FileTable(paths=(path,), columns=COLUMNS))


def test_threads_share_an_engine(evaluator, arrow, rows):
    def work(factor):
        table = arrow.slice(0, 5000 + factor)
        got = evaluator.evaluate({"x": tree(f"n * {factor}")}, table)
        return got["x"].to_numpy()[-1] == (4999 + factor) * factor

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert all(pool.map(work, range(40 if rows == ROWS else 8)))
