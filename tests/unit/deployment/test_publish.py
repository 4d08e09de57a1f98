from __future__ import annotations

import subprocess
import sys

import pytest

from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs
from tondo.adapters.clocks.manual import ManualClock
from tondo.ledger.ledger import Ledger
from tondo.scoring.plan import addressed, read_pointer
from tondo.stages.deployment.deploy import deploy
from tondo.stages.deployment.publish import commit_plan, last_plan, publish_plan, reconcile
from tondo.stages.deployment.rollback import rollback
from tondo.stages.deployment.rollout_records import start_rollout


@pytest.fixture
def pointer_path(tmp_path):
    return tmp_path / "serving" / "pointer.json"


def publish(room, pointer_path):
    return publish_plan(blobs=room.blobs, pointer_path=pointer_path, **room.words)


def test_a_published_plan_carries_variants_with_their_tags(room, pointer_path):
    deploy("late", room.version(1), **room.words)
    plan = publish(room, pointer_path)
    (variant,) = plan.deployments["late"].variants
    assert (variant.version, variant.weight, variant.tags) == (1, 1.0, ["live"])


def test_the_pointer_file_names_the_committed_plan(room, pointer_path):
    deploy("late", room.version(1), **room.words)
    publish(room, pointer_path)
    assert read_pointer(pointer_path).digest == room.ledger.pointer("serving/plan").target
    assert last_plan(ledger=room.ledger, blobs=room.blobs).number == 1


def test_the_number_grows_with_each_change(room, pointer_path):
    numbers = []
    for number in (1, 2, 3):
        deploy("late", room.version(number), **room.words)
        numbers.append(publish(room, pointer_path).number)
    rollback("late", **room.words)
    assert [*numbers, publish(room, pointer_path).number] == [1, 2, 3, 4]


def test_a_plan_that_says_the_same_is_not_published_again(room, pointer_path):
    deploy("late", room.version(1), **room.words)
    first = publish(room, pointer_path)
    room.clock.advance_us(1_000_000)
    assert publish(room, pointer_path) == first


def test_versions_that_answered_before_stay_addressable_by_id(room, pointer_path):
    deploy("late", room.version(1), **room.words)
    deploy("late", room.version(2), **room.words)
    deployment = publish(room, pointer_path).deployments["late"]
    assert addressed(deployment, "late-1").version == 1
    assert addressed(deployment, "live").version == 2


def test_an_aborted_candidate_stays_addressable(room, pointer_path):
    deploy("late", room.version(1), **room.words)
    start_rollout("late", room.version(2), **room.words)
    rollback("late", **room.words)
    deployment = publish(room, pointer_path).deployments["late"]
    assert [each.version for each in deployment.addressable] == [2]


def test_reconciling_writes_the_file_that_a_kill_left_out(room, pointer_path):
    deploy("late", room.version(1), **room.words)
    commit_plan(blobs=room.blobs, **room.words)
    assert read_pointer(pointer_path) is None
    reconcile(ledger=room.ledger, blobs=room.blobs, pointer_path=pointer_path)
    assert read_pointer(pointer_path).number == 1


def test_reconciling_replaces_a_damaged_file(room, pointer_path):
    deploy("late", room.version(1), **room.words)
    publish(room, pointer_path)
    pointer_path.write_bytes(b"{")
    reconcile(ledger=room.ledger, blobs=room.blobs, pointer_path=pointer_path)
    assert read_pointer(pointer_path).number == 1


def test_reconciling_without_a_plan_writes_nothing(room, pointer_path):
    assert reconcile(ledger=room.ledger, blobs=room.blobs, pointer_path=pointer_path) is None
    assert not pointer_path.exists()


KILLED = """
import os, sys
from pathlib import Path
from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs
from tondo.adapters.clocks.manual import ManualClock
from tondo.ledger.ledger import Ledger
from tondo.stages.deployment import publish
from tondo.stages.deployment.deploy import deploy
root = Path(sys.argv[1])
clock = ManualClock(1_364_774_400_000_000)
ledger = Ledger.open(f"sqlite:///{root}/ledger.db", clock=clock)
ledger.put("model_version", "v1", {})
class V1:
    name, number, id, package = "late", 1, "v1", "0" * 64
words = {"ledger": ledger, "clock": clock, "by": "ann", "why": "test"}
deploy("late", V1(), **words)
publish.write_pointer = lambda path, pointer: os._exit(9)
publish.publish_plan(blobs=ObstoreBlobs(root / "blobs"), pointer_path=root / "pointer.json", **words)
"""


def test_a_process_killed_between_commit_and_file_is_made_good_by_reconcile(tmp_path):
    died = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert died.returncode == 9
    assert read_pointer(tmp_path / "pointer.json") is None
    ledger = Ledger.open(
        f"sqlite:///{tmp_path}/ledger.db", clock=ManualClock(1_364_774_500_000_000)
    )
    blobs = ObstoreBlobs(tmp_path / "blobs")
    reconcile(ledger=ledger, blobs=blobs, pointer_path=tmp_path / "pointer.json")
    assert read_pointer(tmp_path / "pointer.json").number == 1
    ledger.close()
