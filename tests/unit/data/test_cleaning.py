"""Cleaning: every row is kept or kept apart, with its reason; work that is known is not repeated."""

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tondo.core.errors import DataError, DefinitionError, TondoError
from tondo.stages.data.cleaning import REASON, clean
from tondo.stages.data.commits import commit, head
from tondo.stages.data.definitions import parse_derived
from tondo.stages.data.derived import cleaning_report, derive
from tondo.stages.data.snapshots import read_snapshot, snapshot_table

FLIGHTS = pa.table(
    {
        "id": pa.array([1, 2, 3, 4, 5], pa.int64()),
        "delay": [5.0, None, 700.0, -3.0, float("nan")],
        "carrier": ["AA", "DL", None, "UA", "AA"],
    }
)


def steps(*written):
    return parse_derived({"dataset": "c", "inputs": ["flights"], "clean": list(written)}).clean


def cleaned(engine, table, *written):
    return clean(table, steps(*written), engine=engine)


@pytest.fixture
def house(ledger, blobs, clock, engine):
    return {"ledger": ledger, "blobs": blobs, "clock": clock, "engine": engine}


def put(house, table, **more):
    parts = {key: house[key] for key in ("ledger", "blobs", "clock")}
    return commit("flights", table, **parts, by="ann", why="load", **more)


def rows(house, dataset):
    found = head(dataset, ledger=house["ledger"])
    table = snapshot_table(
        read_snapshot(found.snapshot, blobs=house["blobs"]), blobs=house["blobs"]
    )
    return house["engine"].scan(table).to_pylist()


def definition(*written, **more):
    body = {"dataset": "good", "inputs": ["flights"], "clean": list(written), **more}
    return parse_derived({key: value for key, value in body.items() if value})


def test_a_row_is_rejected_by_the_first_condition_that_does_not_hold(engine):
    done = cleaned(engine, FLIGHTS, {"require": ["carrier is not null", "delay < 60"]})
    assert done.kept["id"].to_pylist() == [1, 4]
    assert dict(
        zip(done.rejected["id"].to_pylist(), done.rejected[REASON].to_pylist(), strict=True)
    ) == {
        3: "not: carrier is not null",
        2: "not: delay < 60",
        5: "not: delay < 60",
    }
    assert done.report.reasons == {"not: carrier is not null": 1, "not: delay < 60": 2}


def test_fill_stands_where_a_value_is_null_or_nan(engine):
    done = cleaned(engine, FLIGHTS, {"fill": {"delay": 0, "carrier": "upper('xx')"}})
    assert done.kept["delay"].to_pylist() == [5.0, 0.0, 700.0, -3.0, 0.0]
    assert done.kept["carrier"].to_pylist()[2] == "XX"
    assert done.report.filled == {"delay": 2, "carrier": 1}


def test_clip_moves_values_to_the_ends_and_counts_them(engine):
    done = cleaned(engine, FLIGHTS, {"clip": {"delay": [0, 60]}})
    assert done.kept["delay"].to_pylist()[:4] == [5.0, None, 60.0, 0.0]
    assert done.report.clipped == {"delay": 2}


def test_an_open_end_leaves_infinities_alone(engine):
    table = pa.table({"x": [float("inf"), float("-inf"), 1.0]})
    done = cleaned(engine, table, {"clip": {"x": [0, None]}}, {"fill": {"x": 7}})
    assert done.kept["x"].to_pylist() == [float("inf"), 0.0, 1.0]


@pytest.mark.parametrize(
    ("keep", "by", "ids"),
    [
        ("first", None, [1, 2, 5]),
        ("last", None, [2, 3, 5]),
        ("first", "t", [2, 3, 5]),
        ("last", "t", [1, 2, 5]),
    ],
)
def test_one_row_of_each_key_is_kept(engine, keep, by, ids):
    table = pa.table(
        {
            "id": [1.0, 2.0, 3.0, 4.0, 5.0],
            "k": ["a", "b", "a", "a", None],
            "t": [9.0, 1.0, 2.0, 4.0, 0.0],
        }
    )
    table = table.filter(pa.compute.not_equal(table["id"], 4.0))
    rule = {"key": ["k"], "keep": keep, **({"by": by} if by else {})}
    done = cleaned(engine, table, {"deduplicate": rule})
    assert done.kept["id"].to_pylist() == ids
    assert done.rejected[REASON].to_pylist()[0].startswith(f"duplicate of (k), kept {keep}")


def test_steps_run_in_their_order_and_rejected_rows_are_as_they_came(engine):
    done = cleaned(engine, FLIGHTS, {"fill": {"delay": 999}}, {"require": ["delay < 900"]})
    assert done.rejected.to_pylist()[0] == {
        "id": 2,
        "delay": None,
        "carrier": "DL",
        REASON: "not: delay < 900",
    }


VALUES = st.one_of(st.none(), st.floats(width=32))
ROWS = st.lists(st.tuples(st.sampled_from(["a", "b", None]), VALUES), max_size=12)
STEPS = st.lists(
    st.sampled_from(
        [
            {"require": ["x > 0", "k is not null"]},
            {"fill": {"x": 1.5}},
            {"clip": {"x": [-10, 10]}},
            {"deduplicate": {"key": ["k"], "keep": "last", "by": "x"}},
            {"deduplicate": {"key": ["k", "x"]}},
        ]
    ),
    max_size=4,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=ROWS, written=STEPS)
def test_kept_and_rejected_rows_are_the_input(engine, rows, written):
    table = pa.table(
        {
            "place": pa.array(range(len(rows)), pa.int64()),
            "k": pa.array([key for key, _ in rows], pa.string()),
            "x": pa.array([value for _, value in rows], pa.float64()),
        }
    )
    done = cleaned(engine, table, *written) if written else None
    if done is None:
        return
    kept, rejected = done.kept["place"].to_pylist(), done.rejected["place"].to_pylist()
    assert sorted(kept + rejected) == list(range(len(rows)))
    assert done.report.kept + done.report.rejected == done.report.rows == len(rows)
    assert sum(done.report.reasons.values()) == len(rejected)
    assert None not in done.rejected[REASON].to_pylist()


def test_a_cleaned_data_set_keeps_its_rejected_rows_beside_it(house):
    made = derive(
        definition({"require": ["delay < 60"]}), {"flights": put(house, FLIGHTS)}, **house, by="ann"
    )
    assert [each["id"] for each in rows(house, "good")] == [1, 4]
    assert [each["id"] for each in rows(house, "good.rejected")] == [2, 3, 5]
    report = cleaning_report(made, ledger=house["ledger"])
    assert (report.rows, report.kept, report.rejected) == (5, 2, 3)
    assert report.reasons == {"not: delay < 60": 3}
    assert "2 of 5 rows kept" in repr(report)
    assert "delay &lt; 60" in report._repr_html_()


def test_lineage_leads_from_both_halves_to_the_input_and_back(house):
    flights = put(house, FLIGHTS)
    derive(definition({"require": ["delay < 60"]}), {"flights": flights}, **house, by="ann")
    ledger = house["ledger"]
    halves = {head(name, ledger=ledger).snapshot for name in ("good", "good.rejected")}
    for half in halves:
        up = ledger.lineage("snapshot", half, direction="up")
        assert flights.snapshot in {each.id for each in up.nodes}
    down = ledger.lineage("snapshot", flights.snapshot, direction="down")
    assert halves <= {each.id for each in down.nodes}


def test_a_new_file_costs_that_file_only(house, monkeypatch):
    flights = put(house, FLIGHTS)
    good = definition({"require": ["delay < 60"]})
    derive(good, {"flights": flights}, **house, by="ann")
    seen = []
    evaluate = house["engine"].evaluate
    monkeypatch.setattr(
        house["engine"],
        "evaluate",
        lambda trees, table, **more: (seen.append(table.num_rows), evaluate(trees, table, **more))[
            1
        ],
    )
    more = put(house, FLIGHTS.slice(0, 2), mode="append")
    made = derive(good, {"flights": more}, **house, by="ann")
    assert seen == [2]
    report = cleaning_report(made, ledger=house["ledger"])
    assert (report.rows, report.rejected) == (7, 4)


def test_duplicates_are_sought_over_all_files(house):
    put(house, FLIGHTS)
    twice = put(house, FLIGHTS, mode="append")
    good = definition({"deduplicate": {"key": ["id"]}})
    derive(good, {"flights": twice}, **house, by="ann")
    assert len(rows(house, "good")) == len(rows(house, "good.rejected")) == 5


def test_sql_is_cleaned_after_it_ran(house):
    good = definition({"require": ["half > 0"]}, sql="select id, delay / 2 as half from flights")
    derive(good, {"flights": put(house, FLIGHTS)}, **house, by="ann")
    assert [each["half"] for each in rows(house, "good")] == [2.5, 350.0]


PYTHON = """
import pyarrow.compute as pc

def late(flights):
    return flights.filter(pc.greater(flights["delay"], LIMIT))

def broken(flights):
    return flights["nowhere"]

def no_table(flights):
    return 3
"""


def python(house, tmp_path, function="late", source=PYTHON, limit="10"):
    (tmp_path / "prepare.py").write_text(source.replace("LIMIT", limit))
    made = parse_derived(
        {"dataset": "late", "inputs": ["flights"], "python": f"prepare:{function}"}
    )
    return derive(made, {"flights": put(house, FLIGHTS)}, **house, folder=tmp_path, by="ann")


def test_a_python_step_runs_on_arrow_tables(house, tmp_path):
    python(house, tmp_path)
    assert [each["id"] for each in rows(house, "late")] == [3]


def test_another_text_of_the_module_is_other_work(house, tmp_path):
    first = python(house, tmp_path)
    assert python(house, tmp_path) == first
    python(house, tmp_path, limit="1")
    assert [each["id"] for each in rows(house, "late")] == [1, 3]


@pytest.mark.parametrize(
    ("function", "source", "code", "said"),
    [
        ("lat", PYTHON, "TD-CLEAN-007", "Did you mean 'late'"),
        ("broken", PYTHON, "TD-CLEAN-008", "prepare.py:8: broken raised KeyError"),
        ("late", "def late(:", "TD-CLEAN-008", "prepare.py:1: late raised SyntaxError"),
        ("no_table", PYTHON, "TD-CLEAN-009", "returned a int"),
    ],
)
def test_a_python_step_that_fails_says_where(house, tmp_path, function, source, code, said):
    with pytest.raises(TondoError, match=said) as caught:
        python(house, tmp_path, function, source)
    assert caught.value.code == code


@pytest.mark.parametrize("text", ["os:getcwd", "../prepare:late", "prepare", "nowhere:late"])
def test_a_python_step_is_of_the_projects_own_folder(house, tmp_path, text):
    (tmp_path / "prepare.py").write_text(PYTHON)
    made = parse_derived({"dataset": "late", "inputs": ["flights"], "python": text})
    with pytest.raises(DefinitionError, match="TD-CLEAN-007"):
        derive(made, {"flights": put(house, FLIGHTS)}, **house, folder=tmp_path, by="ann")


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ({"require": ["delay > 0"], "fill": {"delay": 0}}, "TD-CLEAN-001"),
        ({}, "TD-CLEAN-001"),
        ({"require": ["delay + 1"]}, "TD-CLEAN-002"),
        ({"require": ["delai > 0"]}, "TD-LANG-003"),
        ({"require": ["fill_mean(delay) > 0"]}, "TD-CLEAN-003"),
        ({"fill": {"nowhere": 1}}, "TD-CLEAN-003"),
        ({"clip": {"carrier": [0, 1]}}, "TD-CLEAN-003"),
        ({"clip": {"delay": [2, 1]}}, "TD-CLEAN-003"),
        ({"clip": {"delay": [None, None]}}, "TD-CLEAN-003"),
        ({"deduplicate": {"key": ["nowhere"]}}, "TD-CLEAN-004"),
        ({"deduplicate": {"key": ["id"], "by": "nowhere"}}, "TD-CLEAN-004"),
    ],
)
def test_a_step_that_does_not_fit_is_refused_by_its_place(engine, step, code):
    with pytest.raises(DefinitionError, match="clean step 1") as caught:
        cleaned(engine, FLIGHTS, step)
    assert caught.value.code == code


def test_data_with_a_column_of_reasons_is_refused(engine):
    with pytest.raises(DefinitionError, match="TD-CLEAN-005"):
        cleaned(engine, pa.table({REASON: ["x"]}), {"require": ["true"]})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"inputs": ["a"]}, "TD-CLEAN-006"),
        ({"inputs": ["a"], "sql": "select 1", "python": "m:f"}, "TD-CLEAN-006"),
        ({"inputs": ["a", "b"], "clean": [{"require": ["x > 0"]}]}, "TD-CLEAN-006"),
        (
            {"inputs": ["a"], "rowwise": True, "clean": [{"deduplicate": {"key": ["x"]}}]},
            "TD-CLEAN-010",
        ),
    ],
)
def test_a_data_set_is_made_in_one_way(body, code):
    with pytest.raises(DefinitionError) as caught:
        parse_derived({"dataset": "d", **body})
    assert caught.value.code == code


def test_nothing_is_committed_when_the_cleaning_fails(house):
    flights = put(house, FLIGHTS)
    with pytest.raises((DefinitionError, DataError)):
        derive(definition({"require": ["delai < 1"]}), {"flights": flights}, **house, by="ann")
    assert house["ledger"].pointers("dataset/good") == []
