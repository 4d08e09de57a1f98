import os
import time

import pyarrow as pa
import pytest

from tondo.adapters.blobs.memory.blobs import MemoryBlobs
from tondo.adapters.clocks.system import SystemClock
from tondo.core.errors import ConflictError, NotFoundError
from tondo.stages.data.commits import commit, create_branch, head, history, recorded_snapshot
from tondo.stages.data.definitions import parse_derived
from tondo.stages.data.derived import derive
from tondo.stages.data.garbage import collect_garbage, named_digests
from tondo.stages.data.references import datasets, resolve
from tondo.stages.data.removal import remove_branch, remove_commit, remove_dataset
from tondo.stages.data.snapshots import read_snapshot, snapshot_table
from tondo.stages.data.tags import set_tag

WHO = {"by": "ann", "why": "a person asked for it"}
DAY_US = 86_400_000_000


@pytest.fixture
def clock():
    """Blobs are dated by the machine, so their age is by its clock."""
    return SystemClock()


@pytest.fixture
def put(ledger, blobs, clock):
    def put(number, dataset="flights", **more):
        table = pa.table({"x": pa.array([number], pa.float64())})
        return commit(dataset, table, ledger=ledger, blobs=blobs, clock=clock, **{**WHO, **more})

    return put


@pytest.fixture
def collect(ledger, blobs, clock):
    def collect(grace_us=0, *, dry_run=False):
        return collect_garbage(
            ledger=ledger, blobs=blobs, clock=clock, grace_us=grace_us, dry_run=dry_run
        )

    return collect


@pytest.fixture
def where(ledger, clock):
    return {"ledger": ledger, "clock": clock, **WHO}


def contents(made, blobs):
    return {
        made.snapshot,
        *(file.digest for file in read_snapshot(made.snapshot, blobs=blobs).files),
    }


def deploy(ledger, snapshot, *, state="s1", before=None):
    """A run on the snapshot, its version, and the deployment that answers with it."""
    ledger.put("run", f"r-{state}", {}, parents=[("snapshot", snapshot, "training data")])
    ledger.put("model_version", f"m-{state}", {}, parents=[("run", f"r-{state}", "trained by")])
    ledger.put("deployment", state, {}, parents=[("model_version", f"m-{state}", "live")])
    ledger.move("deployment/late", state, expect=before, by="ann", why="go")


def test_nothing_that_is_committed_is_garbage(put, collect, blobs):
    for number in range(3):
        put(number, mode="append")
    found = collect(dry_run=True)
    assert (found.blobs, found.bytes) == (0, 0)
    assert found.kept == len(list(blobs.digests()))


def test_a_blob_that_nothing_names_is_told_and_then_deleted(put, collect, blobs):
    put(1)
    lost = blobs.put(b"nobody's")
    told = collect(dry_run=True)
    assert (told.digests, told.bytes, told.deleted) == ((lost,), 8, False)
    assert blobs.has(lost)
    assert collect().deleted
    assert not blobs.has(lost)
    assert collect().blobs == 0


def test_what_a_manifest_or_a_record_names_stays(ledger, blobs, collect):
    inner = blobs.put(b"inner")
    outer = blobs.put(b'{"file": "%s"}' % inner.encode())
    ledger.put("training_set", "t1", {"manifest": outer})
    package = blobs.put(b"package")
    ledger.put("package", package, {})
    assert named_digests(ledger=ledger, blobs=blobs) >= {inner, outer, package}
    assert collect().blobs == 0


def test_a_young_blob_stays_and_a_put_makes_it_young_again(blobs, collect):
    lost = blobs.put(b"nobody's")
    week_ago = time.time() - 7 * 86_400
    path = blobs.local_path(lost)
    os.utime(path, (week_ago, week_ago))
    assert collect(DAY_US, dry_run=True).digests == (lost,)
    blobs.put(b"nobody's")
    found = collect(DAY_US)
    assert (found.blobs, found.young) == (0, 1)
    assert blobs.has(lost)


def test_a_store_without_times_deletes_only_without_grace(ledger, clock):
    blobs = MemoryBlobs()
    blobs.put(b"nobody's")
    parts = {"ledger": ledger, "blobs": blobs, "clock": clock, "dry_run": False}
    assert collect_garbage(grace_us=DAY_US, **parts).blobs == 0
    assert collect_garbage(grace_us=0, **parts).blobs == 1
    assert list(blobs.digests()) == []


def test_a_removed_commit_is_told_and_its_own_files_go(put, ledger, blobs, collect, where):
    first, second = put(1), put(2)
    going, staying = contents(first, blobs), contents(second, blobs)
    remove_commit(first, **where)
    with pytest.raises(NotFoundError, match=r"TD-DATA-029.*ann.*a person asked for it"):
        recorded_snapshot(first.snapshot, ledger=ledger)
    assert set(collect().digests) == going
    assert all(map(blobs.has, staying))
    assert [each.id for each in history("flights", ledger=ledger)] == [second.id, first.id]


def test_files_shared_with_a_later_commit_stay(put, blobs, collect, where, engine):
    first, second = put(1), put(2, mode="append")
    remove_commit(first, **where)
    assert collect().digests == (first.snapshot,)
    table = snapshot_table(read_snapshot(second.snapshot, blobs=blobs), blobs=blobs)
    assert engine.scan(table)["x"].to_pylist() == [1, 2]


def test_a_commit_at_which_a_branch_or_tag_stands_is_not_removed(put, ledger, where):
    first = put(1)
    with pytest.raises(ConflictError, match=r"TD-DATA-031.*branch 'main'"):
        remove_commit(first, **where)
    put(2)
    set_tag(first, "golden", ledger=ledger, **WHO)
    with pytest.raises(ConflictError, match=r"TD-DATA-031.*tag 'golden'"):
        remove_commit(first, **where)


def test_a_branch_goes_with_what_only_it_leads_to(put, ledger, blobs, collect, where):
    first = put(1)
    create_branch("flights", "trial", at=first.id, ledger=ledger, **WHO)
    tried = put(2, branch="trial")
    going = contents(tried, blobs)
    gone = remove_branch("flights", "trial", **where)
    assert [each.commit for each in gone] == [tried.id]
    assert set(collect().digests) == going
    with pytest.raises(NotFoundError, match=r"TD-DATA-020"):
        resolve("flights@trial", ledger=ledger)
    assert head("flights", ledger=ledger) == first
    assert put(3, branch="trial").parent is None


def test_main_is_removed_with_its_data_set_only(put, where):
    put(1)
    with pytest.raises(ConflictError, match=r"TD-DATA-031"):
        remove_branch("flights", "main", **where)


def test_a_data_set_goes_with_branches_and_tags_and_may_begin_again(put, ledger, collect, where):
    first = put(1)
    set_tag(first, "golden", ledger=ledger, **WHO)
    put(2, dataset="weather")
    remove_dataset("flights", **where)
    assert datasets(ledger=ledger) == ["weather"]
    with pytest.raises(NotFoundError, match=r"TD-WORKSPACE-003"):
        resolve("flights@golden", ledger=ledger)
    collect()
    again = put(1)
    assert (again.parent, resolve("flights@v1", ledger=ledger).commit) == (None, again)
    assert recorded_snapshot(again.snapshot, ledger=ledger).rows == 1


def test_under_a_live_deployment_nothing_is_removed(put, ledger, where, blobs, engine, clock):
    first = put(1)
    body = {"dataset": "doubled", "inputs": ["flights"], "sql": "select x * 3 as x from flights"}
    derived = derive(
        parse_derived(body),
        {"flights": first},
        ledger=ledger,
        blobs=blobs,
        engine=engine,
        clock=clock,
        by="ann",
    )
    put(2)
    deploy(ledger, derived.snapshot)
    for remove in (
        lambda: remove_commit(first, **where),
        lambda: remove_dataset("flights", **where),
        lambda: remove_dataset("doubled", **where),
    ):
        with pytest.raises(ConflictError, match=r"TD-DATA-030.*'late'"):
            remove()
    assert ledger.records("removal") == []
    ledger.put("deployment", "s2", {})
    ledger.move("deployment/late", "s2", expect="s1", by="ann", why="another model")
    assert len(remove_commit(first, **where)) == 1


def test_the_same_content_at_another_commit_is_not_lost(put, ledger, where, collect, blobs):
    first = put(1)
    put(2)
    back = put(1)
    deploy(ledger, first.snapshot)
    remove_commit(first, **where)
    assert back.snapshot == first.snapshot
    assert recorded_snapshot(first.snapshot, ledger=ledger).rows == 1
    assert not set(collect().digests) & contents(back, blobs)


def test_a_removed_derived_data_set_is_made_again(
    put, ledger, blobs, engine, clock, collect, where
):
    body = {"dataset": "doubled", "inputs": ["flights"], "sql": "select x * 2 as x from flights"}
    inputs = {"flights": put(1)}
    parts = {"ledger": ledger, "blobs": blobs, "engine": engine, "clock": clock, "by": "ann"}
    first = derive(parse_derived(body), inputs, **parts)
    remove_dataset("doubled", **where)
    assert first.snapshot in collect().digests
    again = derive(parse_derived(body), inputs, **parts)
    assert (again.snapshot, again.files_computed) == (first.snapshot, 1)
    table = snapshot_table(read_snapshot(again.snapshot, blobs=blobs), blobs=blobs)
    assert engine.scan(table)["x"].to_pylist() == [2.0]
