"""Staging: any version may be tried over HTTP, and nobody takes it for live."""

import pytest

from scorer_process import running
from tondo.core.errors import ConflictError


def purposes(shop, name):
    return set(shop.parts.predictions(name).read().column("purpose").to_pylist())


def test_a_staging_deployment_leaves_live_tag_and_metrics_alone(shop):
    tags = shop.workspace.registry.models()[0].tags
    shop.workspace.deployment.deploy("buys", "2", staging=True)
    shop.ask(name="buys_staging")
    assert shop.workspace.registry.models()[0].tags == tags
    assert purposes(shop, "buys_staging") == {"staging"}
    (overall, *_) = shop.workspace.monitoring.live_metrics("buys_staging")
    assert overall.predictions == 0


def test_what_it_answers_over_http_is_staging_unless_the_caller_says_why(shop):
    shop.workspace.deployment.deploy("buys", "2", staging=True)
    with running("--root", shop.parts.state) as scorer:
        for fields in ({}, {"as_of": "2026-03-01T00:00:00Z"}, {"purpose": "load test"}):
            assert scorer.score(*shop.rows, name="buys_staging", **fields).status == 200
        assert scorer.score(*shop.rows, name="buys").status == 200
    assert purposes(shop, "buys_staging") == {"staging", "load test"}
    assert purposes(shop, "buys") == {"live"}


def test_the_next_version_is_tried_under_the_same_name(shop):
    for version in ("2", "1"):
        state = shop.workspace.deployment.deploy("buys", version, staging=True)
        assert (state.main.version, state.desired.purpose) == (int(version), "staging")


def test_a_live_deployment_never_becomes_staging(shop):
    with pytest.raises(ConflictError, match="TD-DEPLOY-020"):
        shop.workspace.deployment.deploy("buys", "2", name="buys", staging=True)
