import pyarrow as pa
import pytest

from tondo.core.errors import CallerError, DataError, DefinitionError
from tondo.stages.data.commits import commit, commit_snapshot, find_head, history
from tondo.stages.data.definitions import parse_derived
from tondo.stages.data.derived import derive
from tondo.stages.data.pieces import write_pieces
from tondo.stages.data.snapshots import read_snapshot, snapshot_table


class CountingEngine:
    """Counts the queries that reach the real engine."""

    def __init__(self, engine):
        self.engine = engine
        self.queries = 0

    def query(self, text, tables):
        self.queries += 1
        return self.engine.query(text, tables)


@pytest.fixture
def house(ledger, blobs, clock, engine):
    return {"ledger": ledger, "blobs": blobs, "clock": clock, "engine": CountingEngine(engine)}


def put(house, dataset, table, **more):
    parts = {key: house[key] for key in ("ledger", "blobs", "clock")}
    return commit(dataset, table, **parts, by="ann", why="load", **more)


def rows(house, made):
    table = snapshot_table(read_snapshot(made.snapshot, blobs=house["blobs"]), blobs=house["blobs"])
    return house["engine"].engine.scan(table)


def totals(**more):
    sql = "select origin, sum(delay) as delay, count(*) as n from flights group by origin"
    return parse_derived({"dataset": "totals", "inputs": ["flights"], "sql": sql, **more})


FLIGHTS = pa.table({"origin": ["LGA", "EWR", "LGA"], "delay": [1.0, 2.0, 3.0]})


def test_a_query_over_snapshots_becomes_a_data_set(house):
    made = derive(totals(), {"flights": put(house, "flights", FLIGHTS)}, **house, by="ann")
    assert rows(house, made).to_pydict() == {
        "origin": ["EWR", "LGA"],
        "delay": [2.0, 4.0],
        "n": [1.0, 2.0],
    }


def test_the_same_work_is_not_done_again(house):
    flights = put(house, "flights", FLIGHTS)
    first = derive(totals(), {"flights": flights}, **house, by="ann")
    again = derive(totals(owner="bob"), {"flights": flights}, **house, by="ann")
    assert (again, house["engine"].queries) == (first, 1)


def test_new_input_or_new_sql_is_computed(house):
    flights = put(house, "flights", FLIGHTS)
    derive(totals(), {"flights": flights}, **house, by="ann")
    more = put(house, "flights", FLIGHTS, mode="append")
    derive(totals(), {"flights": more}, **house, by="ann")
    other = derive(totals(columns={"n": "id"}), {"flights": more}, **house, by="ann")
    assert house["engine"].queries == 3
    assert rows(house, other)["n"].to_pylist() == [2, 4]
    assert len(history("totals", ledger=house["ledger"])) == 3


def test_going_back_to_an_earlier_input_computes_nothing(house):
    flights = put(house, "flights", FLIGHTS)
    first = derive(totals(), {"flights": flights}, **house, by="ann")
    more = put(house, "flights", FLIGHTS, mode="append")
    derive(totals(), {"flights": more}, **house, by="ann")
    back = derive(totals(), {"flights": flights}, **house, by="ann")
    assert back.snapshot == first.snapshot
    assert house["engine"].queries == 2


def test_a_rowwise_data_set_computes_new_files_only(house):
    double = parse_derived(
        {
            "dataset": "doubled",
            "inputs": ["flights"],
            "sql": "select origin, delay * 2 as delay from flights",
            "rowwise": True,
        }
    )
    flights = put(house, "flights", FLIGHTS, note="jan")
    derive(double, {"flights": flights}, **house, by="ann")
    more = put(house, "flights", FLIGHTS.slice(0, 1), mode="append", note="feb")
    made = derive(double, {"flights": more}, **house, by="ann")
    snapshot = read_snapshot(made.snapshot, blobs=house["blobs"])
    assert house["engine"].queries == 2
    assert [(file.note, file.rows) for file in snapshot.files] == [("jan", 3), ("feb", 1)]
    assert rows(house, made)["delay"].to_pylist() == [4, 2, 6, 2]


def test_files_that_come_out_with_other_types_are_refused(house):
    first = put(house, "flights", pa.table({"n": pa.array([1], pa.int64())}))
    more = put(house, "flights", pa.table({"n": pa.array([2**60], pa.int64())}), mode="append")
    same = parse_derived(
        {"dataset": "same", "inputs": ["flights"], "sql": "from flights", "rowwise": True}
    )
    derive(same, {"flights": first}, **house, by="ann")
    with pytest.raises(DataError, match=r"TD-DATA-015"):
        derive(same, {"flights": more}, **house, by="ann")


def test_lineage_leads_from_the_result_to_every_input(house):
    flights = put(house, "flights", FLIGHTS)
    made = derive(totals(), {"flights": flights}, **house, by="ann")
    up = house["ledger"].lineage("snapshot", made.snapshot, direction="up")
    down = house["ledger"].lineage("snapshot", flights.snapshot, direction="down")
    assert flights.snapshot in [node.id for node in up.nodes]
    assert made.snapshot in [node.id for node in down.nodes]


def test_rows_stand_in_the_order_of_time_then_key(house):
    events = pa.table(
        {
            "seen": pa.array([2, 1, 2], pa.timestamp("us", tz="UTC")),
            "id": pa.array([7, 9, 3], pa.int64()),
        }
    )
    ordered = parse_derived(
        {
            "dataset": "ordered",
            "inputs": ["events"],
            "sql": "select id, seen from events",
            "event_time": "seen",
            "key": ["id"],
            "columns": {"id": "id"},
        }
    )
    made = derive(ordered, {"events": put(house, "events", events)}, **house, by="ann")
    assert rows(house, made)["id"].to_pylist() == [9, 3, 7]


def test_an_input_that_was_not_given_is_named(house):
    with pytest.raises(CallerError, match=r"TD-DATA-011.*'flights'"):
        derive(totals(), {}, **house, by="ann")


def test_a_column_that_the_result_lacks_is_refused(house):
    flights = put(house, "flights", FLIGHTS)
    with pytest.raises(DefinitionError, match=r"TD-DATA-006.*'landed_at'"):
        derive(totals(event_time="landed_at"), {"flights": flights}, **house, by="ann")


def test_nothing_is_kept_of_a_query_that_fails(house):
    flights = put(house, "flights", FLIGHTS)
    broken = parse_derived(
        {"dataset": "broken", "inputs": ["flights"], "sql": "select delya from flights"}
    )
    with pytest.raises(DefinitionError, match=r"TD-ENGINE-001"):
        derive(broken, {"flights": flights}, **house, by="ann")
    assert house["ledger"].pointer("dataset/broken@main") is None
    assert house["ledger"].records("derivation") == []


def test_of_a_hundred_files_one_that_changed_is_computed_and_the_others_are_reused(house):
    def files(changed):
        for number in range(100):
            value = -1.0 if number == changed else float(number)
            yield pa.table({"n": [float(number)], "delay": [value]})

    def derived(changed, name):
        snapshot = write_pieces(files(changed), blobs=house["blobs"])
        parts = {key: house[key] for key in ("ledger", "clock")}
        before = find_head("flights", ledger=house["ledger"])
        made = commit_snapshot("flights", snapshot, before=before, by="ann", why="load", **parts)
        body = {"dataset": name, "inputs": ["flights"], "sql": sql, "rowwise": True}
        return derive(parse_derived(body), {"flights": made}, **house, by="ann")

    sql = "select n, delay * 2 as twice from flights"
    first = derived(None, "doubled")
    changed = derived(37, "doubled")
    assert (first.files_computed, first.files_reused) == (100, 0)
    assert (changed.files_computed, changed.files_reused) == (1, 99)
    expected = [-2.0 if number == 37 else number * 2.0 for number in range(100)]
    assert rows(house, changed)["twice"].to_pylist() == expected
