"""Tracked anomalies: one item a fact, closed by a fix or an accepted schema only."""

import pyarrow as pa
import pytest

from tondo.core.errors import CallerError, ConflictError, NotFoundError
from tondo.stages.data.anomalies import anomaly, column_change
from tondo.stages.data.commits import commit
from tondo.stages.data.schema import ColumnSchema, Schema
from tondo.stages.data.schema_versions import save_schema
from tondo.stages.data.statistics import statistics
from tondo.stages.data.tracking import accept, assign, find_item, track, tracked
from tondo.stages.data.validation import apply_patches, validate

HOUR_US = 3_600_000_000


class Flights:
    """A data set whose newest batch is checked as the workspace does it."""

    def __init__(self, ledger, blobs, clock, engine):
        self.ledger, self.blobs, self.clock, self.engine = ledger, blobs, clock, engine
        self.batches = {}
        self.keep(Schema(name="f", columns={"delay": ColumnSchema(type="double", max=10)}))

    def keep(self, schema, *, by="ann"):
        self.schema = schema
        self.version = save_schema(
            schema, dataset="f", ledger=self.ledger, clock=self.clock, by=by, why="known better"
        )

    def batch(self, *delays):
        self.clock.advance_us(HOUR_US)
        table = pa.table({"delay": [float(each) for each in delays]})
        made = commit(
            "f",
            table,
            ledger=self.ledger,
            blobs=self.blobs,
            clock=self.clock,
            by="ann",
            why="daily",
        )
        self.batches[made.snapshot] = statistics(table, engine=self.engine)
        return self.check(made.snapshot)

    def check(self, snapshot):
        track(
            validate(self.batches[snapshot], self.schema),
            dataset="f",
            snapshot=snapshot,
            version=self.version,
            ledger=self.ledger,
            clock=self.clock,
        )
        return snapshot

    def items(self, **asked):
        return tracked(ledger=self.ledger, **asked)


@pytest.fixture
def flights(ledger, blobs, clock, engine):
    return Flights(ledger, blobs, clock, engine)


def test_the_same_kind_in_the_same_column_is_one_item_however_often_it_is_found(flights):
    days = [flights.batch(1, 20 + day) for day in range(3)]
    (item,) = flights.items()
    assert (item.state, item.column, item.kind, item.seen) == ("open", "delay", "max_value", 3)
    assert (item.first_snapshot, item.last_snapshot) == (days[0], days[2])
    assert item.last_seen_us - item.first_seen_us == 2 * HOUR_US
    assert "22" in item.message


def test_the_same_snapshot_checked_again_counts_once_and_writes_nothing(flights):
    snapshot = flights.batch(20)
    kept = flights.ledger.count("anomaly")
    flights.check(snapshot)
    assert flights.items()[0].seen == 1
    assert flights.ledger.count("anomaly") == kept


def test_a_newer_snapshot_without_it_fixes_it(flights):
    bad, good = flights.batch(20), flights.batch(5)
    (item,) = flights.items()
    assert (item.state, item.fixed_in, item.last_snapshot) == ("fixed", good, bad)


def test_found_again_after_a_fix_it_is_a_new_item_that_points_at_the_old_with_its_owner(flights):
    flights.batch(20)
    first = assign(flights.items()[0].id, owner="bob", ledger=flights.ledger, by="ann", why="his")
    flights.batch(5)
    flights.batch(30)
    again, before = flights.items()
    assert (again.state, again.again_of, again.owner) == ("open", first.id, "bob")
    assert (before.id, before.state) == (first.id, "fixed")
    assert flights.items(state="fixed") == [before]


def test_an_older_snapshot_than_the_newest_changes_nothing(flights):
    bad = flights.batch(20)
    flights.batch(5)
    flights.check(bad)
    assert [each.state for each in flights.items()] == ["fixed"]


def test_a_schema_that_accepts_what_was_seen_closes_the_item_in_its_authors_name(flights):
    snapshot = flights.batch(20)
    found = validate(flights.batches[snapshot], flights.schema)
    flights.keep(apply_patches(flights.schema, found), by="eva")
    still = validate(flights.batches[snapshot], flights.schema)
    accept(flights.version, {snapshot: still}, ledger=flights.ledger)
    (item,) = flights.items()
    assert (item.state, item.accepted_in, item.by) == ("accepted", flights.version.id, "eva")
    assert item.fixed_in is None


def test_a_schema_that_does_not_accept_it_renews_its_patch_and_leaves_it_open(flights):
    snapshot = flights.batch(20)
    flights.keep(Schema(name="f", columns={"delay": ColumnSchema(type="double", max=15)}))
    still = validate(flights.batches[snapshot], flights.schema)
    accept(flights.version, {snapshot: still}, ledger=flights.ledger)
    (item,) = flights.items()
    assert (item.state, item.seen, item.schema_version) == ("open", 1, flights.version.id)
    assert "15" in item.message


def test_a_closed_item_is_neither_assigned_nor_written_over(flights):
    flights.batch(20)
    flights.batch(5)
    with pytest.raises(ConflictError, match=r"TD-ANOMALY-002.*is fixed: not found in"):
        assign(flights.items()[0].id, owner="bob", ledger=flights.ledger, by="ann", why="")


def test_an_item_is_found_by_the_start_of_its_id_and_an_unknown_one_is_told(flights):
    flights.batch(20)
    (item,) = flights.items()
    assert find_item(item.id[:10], ledger=flights.ledger) == item
    with pytest.raises(NotFoundError, match=r"TD-ANOMALY-001"):
        find_item("zzz", ledger=flights.ledger)


def test_an_unknown_state_suggests_a_near_one(flights):
    with pytest.raises(CallerError, match=r"TD-ANOMALY-003.*'open'"):
        flights.items(state="opne")


def test_lineage_leads_from_an_item_to_its_snapshots_and_back(flights):
    bad, good = flights.batch(20), flights.batch(5)
    (item,) = flights.items()
    up = {each.id for each in flights.ledger.lineage("anomaly", item.id, direction="up").nodes}
    assert bad in up
    down = flights.ledger.lineage("snapshot", good, direction="down")
    assert {"fixed in"} <= {each.role for each in down.edges}


def test_every_change_keeps_who_when_and_why(flights):
    flights.batch(20)
    item = flights.items()[0]
    assign(item.id, owner="bob", ledger=flights.ledger, by="ann", why="he wrote the feed")
    flights.batch(5)
    (pointer,) = flights.ledger.pointers("anomaly/f/")
    moves = flights.ledger.history(pointer.name)
    assert [each.by for each in moves] == ["check", "ann", "ann"]
    assert moves[1].why == "he wrote the feed"


def test_kinds_of_one_column_are_items_of_their_own(flights):
    flights.keep(Schema(name="f", columns={"delay": ColumnSchema(type="double", min=0, max=10)}))
    flights.batch(-5, 20)
    assert {each.kind for each in flights.items(dataset="f")} == {"min_value", "max_value"}
    assert flights.items(dataset="g") == []


def test_comparisons_of_one_kind_with_two_batches_are_one_item_with_both_patches(flights):
    first, second = (
        anomaly("l_infinity", "x", against, patch=(column_change("x", against, value=None),))
        for against in ("drift", "skew")
    )
    snapshot = flights.batch(1)
    parts = {"ledger": flights.ledger, "clock": flights.clock, "version": flights.version}
    track([first, second], dataset="f", snapshot=snapshot, **parts)
    (item,) = flights.items()
    assert [each.path[-1] for each in item.patch] == ["drift", "skew"]
    assert item.message == "x: drift; x: skew"
