from __future__ import annotations

import pytest

from tondo.core.errors import ConflictError, DefinitionError, NotFoundError
from tondo.stages.deployment.deploy import Settings, deploy, get_deployment, split
from tondo.stages.deployment.rollback import rollback
from tondo.stages.deployment.rollout_records import running_rollout, start_rollout
from tondo.stages.deployment.state import variant_of


def live_version(room) -> str:
    return room.ledger.pointer("model/late@live").target


def test_deploying_a_version_points_the_deployment_and_the_tag_at_it(room):
    state = deploy("late", room.version(1), **room.words)
    assert get_deployment("late", ledger=room.ledger) == state
    assert live_version(room) == "late-1"


def test_deploying_the_same_version_again_changes_nothing(room):
    first = deploy("late", room.version(1), **room.words)
    assert deploy("late", room.version(1), **room.words) == first
    assert room.ledger.pointer("deployment/late").number == 1


def test_settings_are_kept_when_none_are_given(room):
    settings = Settings(as_of="caller", sticky="tailnum")
    deploy("late", room.version(1), settings=settings, **room.words)
    state = deploy("late", room.version(2), **room.words)
    assert (state.desired.as_of, state.desired.sticky) == ("caller", "tailnum")


def test_an_unknown_deployment_names_its_neighbours(room):
    deploy("late_arrival", room.version(1), **room.words)
    with pytest.raises(NotFoundError, match=r"TD-DEPLOY-001.*late_arrival"):
        get_deployment("late_arival", ledger=room.ledger)


def test_rolling_back_returns_to_the_state_before_and_moves_the_tag(room):
    first = deploy("late", room.version(1), **room.words)
    deploy("late", room.version(2), **room.words)
    assert rollback("late", **room.words) == first
    assert live_version(room) == "late-1"


def test_the_first_state_cannot_be_rolled_back(room):
    deploy("late", room.version(1), **room.words)
    with pytest.raises(ConflictError, match="TD-DEPLOY-002"):
        rollback("late", **room.words)


def test_rolling_back_a_running_rollout_aborts_it(room):
    first = deploy("late", room.version(1), **room.words)
    start_rollout("late", room.version(2), **room.words)
    assert rollback("late", **room.words) == first
    assert running_rollout("late", ledger=room.ledger) is None


def test_a_deployment_is_not_changed_while_a_rollout_runs(room):
    deploy("late", room.version(1), **room.words)
    start_rollout("late", room.version(2), **room.words)
    with pytest.raises(ConflictError, match="TD-DEPLOY-003"):
        deploy("late", room.version(3), **room.words)


@pytest.mark.parametrize("weights", [(0.5, 0.4), (1.5, -0.5), ()])
def test_weights_that_do_not_share_the_traffic_are_refused(room, weights):
    variants = [
        variant_of(room.version(n + 1), name=f"v{n}", weight=weight)
        for n, weight in enumerate(weights)
    ]
    with pytest.raises(DefinitionError, match="TD-DEPLOY-007"):
        split("late", variants, **room.words)


def test_a_change_tells_who_when_and_why(room):
    deploy("late", room.version(1), **room.words)
    (event,) = room.ledger.events(subject="deployment/late")
    assert event.kind == "deployment.deployed"
    assert event.body["by"] == "ann"
    assert event.body["shares"] == "v1 100 %"


def test_lineage_leads_from_a_version_to_its_deployments(room):
    state = deploy("late", room.version(1), **room.words)
    found = room.ledger.lineage("model_version", "late-1", direction="down")
    assert ("deployment", state.id) in {(node.kind, node.id) for node in found.nodes}
