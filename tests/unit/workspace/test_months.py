"""A closed month beside the first model left alone."""

from __future__ import annotations

from tondo.core.instants import parse_instant
from tondo.stages.deployment.deploy import get_deployment
from tondo.stages.monitoring.predictions import read_predictions
from tondo.workspace.months import close_month

MARCH = {
    "start_us": parse_instant("2026-03-01T00:00:00Z"),
    "end_us": parse_instant("2026-04-01T00:00:00Z"),
}


def test_a_model_left_alone_is_scored_on_the_logged_inputs(live):
    live.day("2026-03-02")
    live.until("2026-04-02T00:00:00Z")
    main = get_deployment("buys", ledger=live.parts.ledger).main
    point = close_month(live.parts, "buys", "2026-03", **MARCH, left_alone=main.package).point
    # Every logged row says the same, so the model cannot tell them apart.
    assert point.static_auc == 0.5
    assert point.auc > 0.8
    assert point.labelled == 40


def test_a_month_without_a_model_left_alone_has_no_figures_of_it(live):
    live.day("2026-03-02")
    live.until("2026-04-02T00:00:00Z")
    point = close_month(live.parts, "buys", "2026-03", **MARCH).point
    assert (point.static_auc, point.rows) == (None, 40)


def test_outcomes_that_come_after_a_month_is_closed_do_not_change_it(live):
    ids = live.day("2026-03-02", labelled=False)
    live.until("2026-04-02T00:00:00Z")
    before = close_month(live.parts, "buys", "2026-03", **MARCH)
    live.until("2026-04-03T00:00:00Z")
    live.workspace.monitoring.record_outcomes(
        "buys", [{"prediction_id": each, "label": 1} for each in ids]
    )
    assert close_month(live.parts, "buys", "2026-03", **MARCH) == before
    assert read_predictions(live.parts.predictions("buys")).num_rows == 40
