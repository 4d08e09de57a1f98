"""Schemas and tracked anomalies through the workspace, and a schema that projects share."""

from __future__ import annotations

import math

import pytest

from tondo.core.errors import CallerError, ConflictError, NotFoundError, PlatformError
from tondo.workspace import bare
from tondo.workspace.bootstrap import open_workspace

PROJECT = """\
project: {name}
owner: ann
---
source: flights
path: flights.csv
{more}
---
source: weather
path: weather.csv
"""
GOOD = "origin,delay\nEWR,1\nJFK,9\n"
BAD = "origin,delay\nEWR,1\nLGA,9\n"


def make_project(folder, more=""):
    folder.mkdir()
    (folder / "project.yaml").write_text(PROJECT.format(name=folder.name, more=more))
    (folder / "weather.csv").write_text("wind\n3.5\n")
    return folder


@pytest.fixture
def opened():
    """Open projects that are closed at the end."""
    made = []

    def open_(folder):
        made.append(open_workspace(folder))
        return made[-1]

    yield open_
    for each in made:
        each.close()


@pytest.fixture
def flights(tmp_path, opened):
    """A project whose first batch gave the schema."""
    workspace = opened(make_project(tmp_path / "one"))
    commit(workspace, GOOD)
    workspace.data.infer_schema("flights", by="ann", why="the first look")
    return workspace


def commit(workspace, text):
    (workspace.parts.root / "flights.csv").write_text(text)
    return workspace.data.commit_source("flights")


def test_a_check_tracks_the_newest_snapshot_and_a_good_batch_fixes_it(flights):
    commit(flights, BAD)
    assert [each.kind for each in flights.data.check("flights")] == ["domain"]
    (item,) = flights.data.anomalies("flights", state="open")
    good = commit(flights, GOOD)
    assert flights.data.check("flights") == []
    assert flights.data.anomaly(item.id).fixed_in == good.snapshot


def test_a_check_of_an_older_version_or_of_one_environment_tracks_nothing(flights):
    bad = commit(flights, BAD)
    flights.data.check("flights", environment="SERVING")
    flights.schemas.check("flights")
    commit(flights, GOOD)
    assert [each.kind for each in flights.data.check(bad.id)] == ["domain"]
    assert flights.data.anomalies() == []


def test_accepting_an_anomaly_makes_a_version_and_closes_it(flights):
    commit(flights, BAD)
    flights.data.check("flights")
    (item,) = flights.data.anomalies()
    closed = flights.data.accept_anomaly(item.id, by="eva", why="LGA is served now")
    newest, *_ = flights.schemas.log("flights")
    assert (closed.state, closed.accepted_in, closed.by) == ("accepted", newest.id, "eva")
    assert (newest.number, newest.why) == (2, "LGA is served now")
    assert newest.changes == ('~ columns.origin.domain: added "LGA"',)
    assert flights.data.check("flights") == []


def test_accepting_an_old_anomaly_undoes_nothing_that_was_accepted_meanwhile(flights):
    commit(flights, BAD)
    flights.data.check("flights")
    flights.schemas.set_constraints("flights", ["origin.domain=[EWR,JFK,BOS]"])
    (item,) = flights.data.anomalies(state="open")
    flights.data.accept_anomaly(item.id)
    domain = flights.data.schema("flights").columns["origin"].domain
    assert set(domain) == {"EWR", "JFK", "BOS", "LGA"}


def test_accepting_all_patches_closes_what_they_accept(flights):
    commit(flights, "origin,delay\nLGA,\nLGA,3\n")
    assert len(flights.data.check("flights")) == 2
    flights.schemas.accept_patches("flights", columns=["origin"], by="eva")
    assert {each.column: each.state for each in flights.data.anomalies()} == {
        "origin": "accepted",
        "delay": "open",
    }


def test_an_edit_of_the_schema_that_accepts_what_was_seen_closes_it(flights):
    commit(flights, BAD)
    flights.data.check("flights")
    edit = flights.schemas.set_constraints("flights", ["origin.domain="], by="eva")
    (item,) = flights.data.anomalies()
    assert (item.state, item.accepted_in) == ("accepted", edit.version)


def test_an_anomaly_has_an_owner(flights):
    commit(flights, BAD)
    flights.data.check("flights")
    item = flights.data.assign_anomaly(flights.data.anomalies()[0].id, owner="bob")
    assert (item.owner, item.why) == ("bob", "assigned to bob")


def test_an_edit_is_planned_before_it_is_kept(flights):
    planned = flights.schemas.set_constraints("flights", ["delay.min=-60"], dry_run=True)
    assert planned.changes == ("+ columns.delay.min: -60",)
    assert planned.version is None
    assert len(flights.schemas.log("flights")) == 1
    flights.schemas.set_constraints("flights", ["delay.min=-60", "max_rows=99"])
    assert flights.schemas.diff("flights@v1", "flights") == [
        "+ columns.delay.min: -60",
        "+ max_rows: 99",
    ]


def test_an_edit_that_cannot_be_meant_is_refused_and_keeps_nothing(flights):
    with pytest.raises(Exception, match="TD-SCHEMA-003"):
        flights.schemas.set_constraints("flights", ["delay.min=5", "delay.max=1"])
    assert len(flights.schemas.log("flights")) == 1


def test_a_document_replaces_the_schema_and_the_log_of_a_column_skips_the_rest(flights):
    text = bare.write_schema(flights.data.schema("flights"))
    document = {"schema": "flights", "columns": {"delay": {"type": "double"}}, "min_rows": 2}
    flights.schemas.replace("flights", document, why="only the delay matters")
    assert flights.data.schema("flights").min_rows == 2
    assert "origin" in text
    assert [each.number for each in flights.schemas.log("flights", column="origin")] == [2, 1]


def test_suggestions_are_edits_for_columns_that_have_no_range_yet(flights):
    assert flights.schemas.suggest("flights") == ["delay.min=1.0", "delay.max=9.0"]
    flights.schemas.set_constraints("flights", ["delay.min=0"])
    assert flights.schemas.suggest("flights") == ["delay.max=9.0"]


def test_a_batch_that_breaks_the_schema_is_blocked(flights):
    table = flights.parts.engine.scan(flights.data.table("flights"), ["origin"])
    with pytest.raises(Exception, match=r"TD-SCHEMA-001.*delay"):
        flights.schemas.block_bad_batch("flights", table)


@pytest.fixture
def sharing(tmp_path, opened):
    """Two projects whose flights share a schema's file."""
    shared = tmp_path / "flights.schema.yaml"
    more = "schema: ../flights.schema.yaml"
    one, two = (opened(make_project(tmp_path / name, more)) for name in ("one", "two"))
    for each in (one, two):
        commit(each, GOOD)
    one.data.infer_schema("flights", to_file=True)
    return one, two, shared


def test_two_projects_read_one_file_and_each_keeps_its_changes_as_versions(sharing):
    one, two, shared = sharing
    assert one.data.schema("flights") == two.data.schema("flights") == bare.read_schema(shared)
    shared.write_text(shared.read_text() + "max_rows: 99\n")
    for each in (one, two):
        assert each.data.schema("flights").max_rows == 99
        newest, before = each.schemas.log("flights")
        assert newest.why == "flights.schema.yaml changed"
        assert (newest.changes, newest.parent) == (("+ max_rows: 99",), before.id)


def test_reading_the_same_file_again_is_no_new_version(sharing):
    one, *_ = sharing
    for _ in range(3):
        one.data.schema("flights")
    assert len(one.schemas.log("flights")) == 1


def test_a_change_of_the_file_settles_what_it_accepts(sharing):
    one, _, shared = sharing
    commit(one, BAD)
    one.data.check("flights")
    shared.write_text(shared.read_text().replace("- JFK", "- JFK\n    - LGA"))
    assert one.data.check("flights") == []
    assert one.data.anomalies()[0].state == "accepted"


@pytest.mark.parametrize(
    "write",
    [
        lambda one, **how: one.data.infer_schema("flights", **how),
        lambda one, **how: one.schemas.set_constraints("flights", ["delay.min=-60"], **how),
        lambda one, **how: one.schemas.accept_patches("flights", **how),
        lambda one, **how: one.schemas.replace("flights", {"schema": "f", "columns": {}}, **how),
        lambda one, **how: one.data.accept_anomaly(one.data.anomalies()[0].id, **how),
    ],
)
def test_verbs_write_the_shared_file_only_when_told(sharing, write):
    one, two, shared = sharing
    commit(one, BAD)
    one.data.check("flights")
    before = shared.read_text()
    with pytest.raises(ConflictError, match=r"TD-SCHEMA-042.*flights\.schema\.yaml.*--to-file"):
        write(one)
    assert shared.read_text() == before
    write(one, to_file=True)
    assert shared.read_text() != before
    assert two.data.schema("flights") == one.data.schema("flights")


def test_a_plan_over_a_shared_file_shows_and_writes_nothing(sharing):
    one, _, shared = sharing
    before = shared.read_text()
    planned = one.schemas.set_constraints("flights", ["delay.min=-60"], dry_run=True)
    assert planned.changes == ("+ columns.delay.min: -60",)
    assert shared.read_text() == before


def test_a_shared_file_that_is_not_there_is_named(sharing):
    one, _, shared = sharing
    shared.unlink()
    with pytest.raises(NotFoundError, match=r"TD-DATA-002.*flights\.schema\.yaml"):
        one.data.schema("flights")


def test_a_file_that_cannot_be_written_is_told(sharing):
    one, _, shared = sharing
    shared.unlink()
    (one.parts.root / "project.yaml").write_text(
        PROJECT.format(name="one", more="schema: nowhere/flights.schema.yaml")
    )
    one.parts.read_again()
    with pytest.raises(PlatformError, match="TD-SCHEMA-044"):
        one.data.infer_schema("flights", to_file=True)


def test_a_schema_in_no_file_is_not_written_to_one(flights):
    with pytest.raises(CallerError, match="TD-SCHEMA-045"):
        flights.schemas.set_constraints("flights", ["max_rows=5"], to_file=True)


def test_a_schemas_file_in_the_projects_folder_defines_nothing_else(flights):
    text = bare.write_schema(flights.data.schema("flights"))
    (flights.parts.root / "flights.schema.yaml").write_text(text)
    flights.parts.read_again()
    assert set(flights.parts.project.of("source")) == {"flights", "weather"}


def test_slices_tell_the_numbers_of_their_rows_alone(flights):
    found = flights.statistics.slices("flights", columns=["origin"], where=["delay > 5"])
    told = {tuple(each.slice.items()): each for each in found}
    assert told[(("origin", "EWR"),)].statistics.columns["delay"].mean == 1
    assert told[(("delay > 5", True),)].rows == 1


def test_columns_with_commas_between_them_are_sliced_together(flights):
    found = flights.statistics.slices("flights", columns=["origin,delay"])
    assert {tuple(each.slice.values()) for each in found} == {("EWR", 1.0), ("JFK", 9.0)}


def test_slices_of_nothing_are_refused(flights):
    with pytest.raises(CallerError, match="TD-STATS-020"):
        flights.statistics.slices("flights")


def test_crosses_are_computed_once_and_kept_with_their_snapshot(flights):
    found = flights.statistics.crosses("flights", label="origin")
    assert found.label == "origin"
    assert all(math.isfinite(each.lift) for each in found.lifts)
    assert flights.statistics.crosses("flights", label="origin") == found
    assert flights.parts.ledger.count("crosses") == 1


def test_two_snapshots_are_compared(flights):
    commit(flights, BAD)
    found = flights.statistics.compare("flights@v1", "flights")
    assert found.columns["origin"].new_values == ("LGA",)
