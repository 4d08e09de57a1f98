"""Tracked anomalies: one item a fact, closed by a fix or an accepted schema only."""

import pyarrow as pa
import pytest

from tondo.core.errors import CallerError, ConflictError, NotFoundError
from tondo.stages.data.anomalies import anomaly, column_change
from tondo.stages.data.commits import commit
from tondo.stages.data.schema import ColumnSchema, Schema
from tondo.stages.data.schema_versions import save_schema
from tondo.stages.data.statistics import statistics
from tondo.stages.data.tracked_items import HeldFile, find_item, tracked
from tondo.stages.data.tracking import CheckedFile, accept, assign, dismiss, track
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

    def check(self, snapshot, files=()):
        track(
            validate(self.batches[snapshot], self.schema),
            dataset="f",
            snapshot=snapshot,
            version=self.version,
            ledger=self.ledger,
            clock=self.clock,
            files=files,
        )
        return snapshot

    def file(self, *delays, name):
        """A snapshot that is one new file, set aside when it has an anomaly."""
        snapshot = self.batch(*delays)
        found = validate(self.batches[snapshot], self.schema)
        held = HeldFile(digest=snapshot, snapshot=snapshot, name=name)
        self.check(snapshot, [CheckedFile(held, found, refused=bool(found))])
        return held

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


def test_an_item_of_a_file_that_was_set_aside_is_open_while_other_batches_are_clean(flights):
    held = flights.file(20, name="monday.csv")
    flights.batch(5)
    flights.file(6, name="tuesday.csv")
    (item,) = flights.items()
    assert (item.state, item.files) == ("open", (held,))


def test_a_clean_file_of_the_same_name_fixes_it(flights):
    flights.file(20, name="monday.csv")
    good = flights.file(5, name="monday.csv").snapshot
    (item,) = flights.items()
    assert (item.state, item.fixed_in, item.files) == ("fixed", good, ())


def test_a_file_without_a_name_is_mended_by_no_other_one(flights):
    flights.file(20, name=None)
    flights.file(5, name=None)
    assert flights.items()[0].state == "open"


def test_it_waits_for_every_file_that_was_set_aside_with_it(flights):
    flights.file(20, name="monday.csv")
    tuesday = flights.file(30, name="tuesday.csv")
    flights.file(5, name="monday.csv")
    (item,) = flights.items()
    assert (item.state, item.files) == ("open", (tuesday,))
    flights.file(5, name="tuesday.csv")
    assert flights.items()[0].state == "fixed"


def test_a_file_that_comes_back_bad_takes_its_own_place(flights):
    flights.file(20, name="monday.csv")
    again = flights.file(30, name="monday.csv")
    (item,) = flights.items()
    assert (item.state, item.seen, item.files) == ("open", 2, (again,))


def test_a_schema_accepts_it_once_it_accepts_every_file(flights):
    monday, tuesday = (flights.file(each, name=str(each)) for each in (20, 30))
    flights.keep(Schema(name="f", columns={"delay": ColumnSchema(type="double", max=25)}))
    still = {
        each.digest: validate(flights.batches[each.snapshot], flights.schema)
        for each in (monday, tuesday)
    }
    accept(flights.version, still, ledger=flights.ledger)
    assert flights.items()[0].files == (tuesday,)
    accept(flights.version, {tuesday.digest: []}, ledger=flights.ledger)
    assert flights.items()[0].state == "accepted"


def test_a_file_that_was_not_looked_at_again_is_not_accepted(flights):
    monday, tuesday = (flights.file(each, name=str(each)) for each in (20, 30))
    accept(flights.version, {monday.digest: []}, ledger=flights.ledger)
    (item,) = flights.items()
    assert item.state == "open"
    assert tuesday in item.files


def test_a_person_gives_a_file_up_with_a_reason(flights):
    held = flights.file(20, name="monday.csv")
    flights.batch(5)
    (item,) = flights.items()
    closed = dismiss(item.id, ledger=flights.ledger, by="ann", why=" sent twice ")
    assert (closed.state, closed.by, closed.why) == ("dismissed", "ann", "sent twice")
    assert closed.files == (held,)
    assert flights.items(state="dismissed") == [closed]


def test_a_dismissal_needs_a_reason_and_a_file_that_was_set_aside(flights):
    flights.batch(20)
    (item,) = flights.items()
    with pytest.raises(CallerError, match=r"TD-ANOMALY-004"):
        dismiss(item.id, ledger=flights.ledger, by="ann", why="  ")
    with pytest.raises(ConflictError, match=r"TD-ANOMALY-005.*are in 'f'"):
        dismiss(item.id, ledger=flights.ledger, by="ann", why="no time")


def test_what_the_newest_rows_have_too_is_not_dismissed(flights):
    flights.file(20, name="monday.csv")
    flights.batch(30)
    (item,) = flights.items()
    assert item.files
    with pytest.raises(ConflictError, match=r"TD-ANOMALY-005"):
        dismiss(item.id, ledger=flights.ledger, by="ann", why="no time")


def test_found_again_after_it_was_dismissed_it_is_a_new_item(flights):
    flights.file(20, name="monday.csv")
    flights.batch(5)
    first = dismiss(flights.items()[0].id, ledger=flights.ledger, by="ann", why="sent twice")
    held = flights.file(20, name="monday.csv")
    again = flights.items(state="open")[0]
    assert (again.again_of, again.files) == (first.id, (held,))
