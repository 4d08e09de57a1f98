"""Where a deployment's models run is part of its desired state, and stays when versions change."""

from __future__ import annotations

import pytest

from tondo.core.errors import CallerError, ConflictError
from tondo.stages.deployment.deploy import Settings, deploy, get_deployment
from tondo.stages.deployment.place import place
from tondo.stages.deployment.rollback import rollback
from tondo.stages.deployment.rollout_records import start_rollout


def where(state):
    return state.desired.isolate, state.desired.memory_mb


def test_a_deployment_is_moved_into_a_process_and_back(room):
    deploy("late", room.version(1), **room.words)
    assert where(place("late", process=True, memory_mb=512, **room.words)) == ("process", 512)
    assert where(get_deployment("late", ledger=room.ledger)) == ("process", 512)
    assert where(place("late", process=False, **room.words)) == ("none", None)


def test_it_stays_there_when_a_version_is_deployed(room):
    deploy("late", room.version(1), **room.words)
    place("late", process=True, memory_mb=512, **room.words)
    state = deploy("late", room.version(2), settings=Settings(as_of="caller"), **room.words)
    assert where(state) == ("process", 512)


def test_settings_say_where_and_the_next_deployment_follows_them(room):
    alone = Settings(isolate="process", memory_mb=512)
    assert where(deploy("late", room.version(1), settings=alone, **room.words)) == ("process", 512)
    beside = Settings(isolate="none")
    assert where(deploy("late", room.version(1), settings=beside, **room.words)) == ("none", None)


@pytest.mark.parametrize(
    "settings", [Settings(memory_mb=512), Settings(isolate="process", memory_mb=20)]
)
def test_settings_with_a_limit_that_cannot_be_kept_are_refused(room, settings):
    with pytest.raises(CallerError, match="TD-DEPLOY-030"):
        deploy("late", room.version(1), settings=settings, **room.words)


def test_the_same_again_changes_nothing_and_a_rollback_takes_it_back(room):
    first = deploy("late", room.version(1), **room.words)
    state = place("late", process=True, **room.words)
    assert place("late", process=True, **room.words) == state
    assert rollback("late", **room.words) == first


@pytest.mark.parametrize(("process", "memory_mb"), [(True, 20), (True, -1), (False, 512)])
def test_a_limit_that_cannot_be_kept_is_refused(room, process, memory_mb):
    deploy("late", room.version(1), **room.words)
    with pytest.raises(CallerError, match="TD-DEPLOY-030"):
        place("late", process=process, memory_mb=memory_mb, **room.words)


def test_nothing_is_moved_while_a_rollout_runs(room):
    deploy("late", room.version(1), **room.words)
    start_rollout("late", room.version(2), **room.words)
    with pytest.raises(ConflictError, match="TD-DEPLOY-003"):
        place("late", process=True, **room.words)
