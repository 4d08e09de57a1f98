"""Alerts end with the version that they speak of."""

from __future__ import annotations

import msgspec
import pytest

from tondo.stages.deployment.deploy import get_deployment
from tondo.stages.monitoring.drift import ColumnDrift, DriftLimits, DriftReport
from tondo.stages.monitoring.predictions import read_predictions
from tondo.workspace import watching
from tondo.workspace.watching import drift_among, keep_look


def drifted(*names):
    column = ColumnDrift(
        name="",
        reference_rows=1000,
        window_rows=500,
        psi=0.4,
        noise_floor=0.01,
        jensen_shannon=0.2,
        p_value=1e-9,
        adjusted_p=1e-9,
        reference_nulls=0.0,
        window_nulls=0.0,
        level="large",
        null_burst=False,
    )
    columns = [msgspec.structs.replace(column, name=name) for name in names]
    return DriftReport(columns=tuple(columns), limits=DriftLimits())


@pytest.fixture
def look(live, monkeypatch):
    """Look at the shop while a version serves that was never trained."""
    state = get_deployment("buys", ledger=live.parts.ledger)
    overall = live.workspace.monitoring.live_metrics("buys")[0]

    def run(version, *names):
        (variant,) = state.desired.variants
        variants = (msgspec.structs.replace(variant, version=version),)
        desired = msgspec.structs.replace(state.desired, variants=variants)
        served = msgspec.structs.replace(state, desired=desired)
        monkeypatch.setattr(watching, "get_deployment", lambda name, ledger: served)
        found = drifted(*names)
        at_us = live.clock.now_us()
        keep_look(live.parts, "buys", window="28d", report=found, overall=overall, at_us=at_us)
        return {each.key: each.status for each in live.workspace.monitoring.alerts()}

    return run


def test_alerts_of_a_version_close_when_another_serves(look):
    assert look(1, "pages", "minutes") == {
        "drift/buys/1/pages": "open",
        "drift/buys/1/minutes": "open",
    }
    assert look(2, "pages") == {
        "drift/buys/1/pages": "closed",
        "drift/buys/1/minutes": "closed",
        "drift/buys/2/pages": "open",
    }


def test_alerts_of_the_serving_version_stay_open(look):
    look(1, "pages")
    assert look(1) == {"drift/buys/1/pages": "open"}


def test_a_closed_alert_says_which_version_it_spoke_of(look, live):
    look(1, "pages")
    look(2)
    (closed,) = live.workspace.monitoring.alerts(state="closed")
    assert (closed.by, closed.why) == ("monitoring", "version 1 no longer serves")


def test_drift_among_predictions_equals_the_verb(live):
    live.day("2026-03-02")
    live.until("2026-03-03T00:00:00Z")
    columns = ("model_version_id", "score", "vector")
    logged = read_predictions(live.parts.predictions("buys"), columns=columns)
    found = drift_among(live.parts, "buys", logged)
    assert found == live.workspace.monitoring.drift("buys")
    assert found.columns[0].window_rows == 40
