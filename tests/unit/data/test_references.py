import subprocess
import sys

import pyarrow as pa
import pytest

from tondo.core.errors import CallerError, ConflictError, DefinitionError, NotFoundError
from tondo.ledger.ledger import Ledger
from tondo.stages.data.commits import commit, create_branch, head, history
from tondo.stages.data.query_names import named_versions
from tondo.stages.data.references import (
    referenced_dataset,
    referenced_snapshot,
    resolve,
    version_of,
)
from tondo.stages.data.tags import remove_tag, set_tag, tag_history, tags

DAY_US = 86_400_000_000
WHO = {"by": "ann", "why": "because"}


@pytest.fixture
def put(ledger, blobs, clock):
    """Commit a table of one number, a day after the commit before (2013-04-01, -02, ...)."""

    def put(number, dataset="flights", **more):
        table = pa.table({"x": pa.array([number], pa.float64())})
        made = commit(dataset, table, ledger=ledger, blobs=blobs, clock=clock, **{**WHO, **more})
        clock.advance_us(DAY_US)
        return made

    return put


def named(ref, ledger):
    return resolve(ref, ledger=ledger).commit


def test_a_name_alone_is_the_head_of_main(put, ledger):
    put(1)
    second = put(2)
    assert named("flights", ledger) == named("flights@main", ledger) == second


def test_a_number_counts_the_commits_of_main(put, ledger):
    made = [put(number) for number in range(4)]
    create_branch("flights", "trial", at=made[0].id, ledger=ledger, **WHO)
    put(9, branch="trial")
    assert [named(f"flights@v{each}", ledger) for each in (1, 2, 3, 4)] == made


def test_an_instant_is_the_head_as_it_was_then(put, ledger):
    first, second = put(1), put(2)
    assert named("flights@2013-04-01", ledger) == first
    assert named("flights@2013-04-01T23:59:59Z", ledger) == first
    assert named("flights@2013-04-02T02:00:00+02:00", ledger) == second
    assert named("flights@2020-01-01", ledger) == second


def test_before_the_first_commit_there_is_nothing(put, ledger):
    put(1)
    with pytest.raises(NotFoundError, match=r"TD-DATA-021.*its first is of 2013-04-01"):
        resolve("flights@2013-03-31", ledger=ledger)


def test_the_start_of_an_id_names_a_commit_or_a_snapshot(put, ledger):
    made = put(1)
    assert named(made.id, ledger) == named(f"flights@{made.id}", ledger) == made
    assert resolve(made.snapshot[:12], ledger=ledger).snapshot == made.snapshot
    assert resolve(f"flights@{made.snapshot[:12]}", ledger=ledger).snapshot == made.snapshot
    assert referenced_dataset(made.snapshot[:12], ledger=ledger) == "flights"


def test_an_id_of_another_data_set_is_not_a_version_of_this_one(put, ledger):
    put(1)
    other = put(2, dataset="weather")
    with pytest.raises(NotFoundError, match=r"TD-DATA-020"):
        resolve(f"flights@{other.id}", ledger=ledger)


def test_a_start_that_several_ids_share_is_refused(put, ledger):
    ids = [put(number).id for number in range(2)]
    start = ids[0][:5]
    assert ids[1].startswith(start)
    with pytest.raises(CallerError, match=r"TD-DATA-021.*is the start of"):
        resolve(f"flights@{start}", ledger=ledger)


@pytest.mark.parametrize(
    ("ref", "code", "near"),
    [
        ("flihgts", "TD-WORKSPACE-003", "flights"),
        ("flihgts@v1", "TD-WORKSPACE-003", "flights"),
        ("flights@mian", "TD-DATA-020", "flights@main"),
        ("flights@golden", "TD-DATA-020", "flights@golden_rows"),
        ("flights@v7", "TD-DATA-020", "flights"),
        ("flights@v0", "TD-DATA-020", "flights"),
        ("flights@", "TD-DATA-020", "flights@main"),
    ],
)
def test_an_unknown_reference_is_told_with_near_ones(put, ledger, ref, code, near):
    set_tag(put(1), "golden_rows", ledger=ledger, **WHO)
    with pytest.raises(NotFoundError) as caught:
        resolve(ref, ledger=ledger)
    assert caught.value.code == code
    assert near in str(caught.value)


def test_a_tag_stays_where_it_was_put(put, ledger):
    first = put(1)
    set_tag(first, "golden", ledger=ledger, **WHO)
    put(2)
    assert named("flights@golden", ledger) == first
    assert version_of("flights", "golden", ledger=ledger) == first


def test_every_move_of_a_tag_is_kept_with_who_and_why(put, ledger):
    first, second = put(1), put(2)
    set_tag(first, "golden", ledger=ledger, by="ann", why="checked by hand")
    moved = set_tag(second, "golden", ledger=ledger, by="bob", why="a correction")
    assert (moved.commit, moved.by, moved.moves) == (second.id, "bob", 2)
    newest, oldest = tag_history("flights", "golden", ledger=ledger)
    assert (oldest.why, newest.why, newest.previous) == (
        "checked by hand",
        "a correction",
        first.id,
    )
    assert tags("flights", ledger=ledger) == [moved]


def test_a_tag_that_was_taken_away_can_be_set_again(put, ledger):
    made = put(1)
    set_tag(made, "golden", ledger=ledger, **WHO)
    remove_tag("flights", "golden", ledger=ledger, **WHO)
    assert tags("flights", ledger=ledger) == []
    with pytest.raises(NotFoundError, match=r"TD-DATA-020"):
        resolve("flights@golden", ledger=ledger)
    assert set_tag(made, "golden", ledger=ledger, **WHO).moves == 3


@pytest.mark.parametrize("name", ["v3", "2013-04-01", "2013q1", "0123abcd", "main", "deadbeef"])
def test_words_that_mean_something_else_name_no_tag(put, ledger, name):
    with pytest.raises(DefinitionError, match=r"TD-DATA-022"):
        set_tag(put(1), name, ledger=ledger, **WHO)


def test_a_branch_and_a_tag_never_share_a_name(put, ledger):
    made = put(1)
    create_branch("flights", "trial", at=made.id, ledger=ledger, **WHO)
    with pytest.raises(ConflictError, match=r"TD-DATA-023"):
        set_tag(made, "trial", ledger=ledger, **WHO)
    set_tag(made, "golden", ledger=ledger, **WHO)
    with pytest.raises(ConflictError, match=r"TD-DATA-013"):
        create_branch("flights", "golden", at=made.id, ledger=ledger, **WHO)
    with pytest.raises(DefinitionError, match=r"TD-DATA-022"):
        create_branch("flights", "v2", at=made.id, ledger=ledger, **WHO)


@pytest.fixture
def shop(tmp_path, clock):
    from tondo.workspace.bootstrap import open_workspace

    with open_workspace(tmp_path, clock=clock) as workspace:
        for number in range(3):
            table = pa.table({"x": pa.array([float(number)])})
            workspace.data.commit_table("flights", table, append=True)
            clock.advance_us(DAY_US)
        yield workspace


@pytest.mark.parametrize(
    ("text", "total"),
    [
        ("select sum(x) as s from flights", 3),
        ("select sum(x) as s from flights@v2", 1),
        ('select sum(x) as s from "flights@2013-04-02"', 1),
        ("select sum(a.x) as s from flights@main a join flights@v1 b using (x)", 0),
        ('select sum(x) as s from "flights@first"', 0),
    ],
)
def test_sql_reads_any_version(shop, text, total):
    shop.snapshots.tag("flights", "first", at="v1", why="for keeps")
    assert shop.data.sql(text) == [{"s": total}]


def test_sql_names_near_versions_and_reaches_no_file(shop, tmp_path):
    with pytest.raises(NotFoundError, match=r"TD-DATA-020.*v1 to v3"):
        shop.data.sql("select * from flights@v9")
    with pytest.raises(NotFoundError, match=r"TD-WORKSPACE-003.*'flights'"):
        shop.data.sql("select * from flihgts@v1")
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with pytest.raises(DefinitionError, match=r"TD-ENGINE-00[14]"):
        shop.data.sql(f"select * from '{tmp_path}/secret.csv'")


def test_the_verbs_of_versions_work_together(shop):
    versions = shop.snapshots
    versions.create_branch("flights", "trial", at="flights@v2")
    assert shop.data.snapshot("flights@trial") == shop.data.snapshot("flights@v2")
    assert [(each.name, each.branch, each.rows) for each in shop.data.datasets()] == [
        ("flights", "main", 3),
        ("flights", "trial", 2),
    ]
    versions.tag("flights", "golden")
    assert [each.name for each in versions.tags("flights")] == ["golden"]
    versions.remove_tag("flights", "golden")
    assert len(versions.tag_history("flights", "golden")) == 2


def test_an_old_snapshot_reads_byte_identical_after_fifty_later_commits(put, ledger, blobs):
    first = put(0)
    before = [blobs.get(file.digest) for file in named_files("flights@v1", ledger)]
    manifest = blobs.get(first.snapshot)
    for number in range(1, 51):
        put(number, mode="append")
    for ref in ("flights@v1", "flights@2013-04-01", first.id, first.snapshot):
        assert [blobs.get(file.digest) for file in named_files(ref, ledger)] == before
    assert blobs.get(first.snapshot) == manifest
    assert len(history("flights", ledger=ledger)) == 51


def named_files(ref, ledger):
    return referenced_snapshot(ref, ledger=ledger).files


APPEND = """
import sys, time
from pathlib import Path
import pyarrow as pa
from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs
from tondo.adapters.clocks.system import SystemClock
from tondo.core.errors import ConflictError
from tondo.ledger.ledger import Ledger
from tondo.stages.data.commits import commit_snapshot, head
from tondo.stages.data.snapshots import append_file, read_snapshot

folder, name = Path(sys.argv[1]), sys.argv[2]
ledger = Ledger.open(f"sqlite:///{folder / 'ledger.db'}", clock=SystemClock())
blobs = ObstoreBlobs(folder / "blobs")
before = head("flights", ledger=ledger)
table = pa.table({"x": pa.array([float(name)])})
longer = append_file(read_snapshot(before.snapshot, blobs=blobs), table, blobs=blobs)
(folder / f"ready{name}").touch()
while len(list(folder.glob("ready*"))) < 2:
    time.sleep(0.005)
try:
    commit_snapshot(
        "flights", longer, ledger=ledger, clock=SystemClock(), before=before, by=name, why="append"
    )
    print("won")
except ConflictError as error:
    print(error.code)
"""


def test_of_two_processes_that_append_one_wins_and_the_other_is_told(tmp_path, blobs, clock):
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", clock=clock)
    start = pa.table({"x": pa.array([0.0])})
    commit("flights", start, ledger=ledger, blobs=blobs, clock=clock, **WHO)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", APPEND, str(tmp_path), name], stdout=subprocess.PIPE, text=True
        )
        for name in ("1", "2")
    ]
    told = sorted(writer.communicate(timeout=60)[0].strip() for writer in writers)
    assert told == ["TD-LEDGER-003", "won"]
    assert head("flights", ledger=ledger).rows == 2
    assert len(history("flights", ledger=ledger)) == 2
    ledger.close()


@pytest.mark.parametrize(
    ("text", "refs"),
    [
        ("select * from flights", []),
        ("select * from flights@v3, weather@main", ["flights@v3", "weather@main"]),
        ('select * from "flights@2013-04-01T00:00:00Z"', ["flights@2013-04-01T00:00:00Z"]),
        ("select * from flights@2013-04-01 where x = 'a@b'", ["flights@2013-04-01"]),
        ("select 1 /* flights@v1 */ -- flights@v2", []),
        ("select $$ flights@v1 $$", []),
        ("select @x, a @> b from flights@v1 join flights@v1", ["flights@v1"]),
    ],
)
def test_references_are_found_in_sql_outside_texts_and_comments(text, refs):
    quoted, found = named_versions(text)
    assert found == refs
    assert named_versions(quoted) == (quoted, refs)
