"""Replays: a past window sent to a candidate, in process and over HTTP to staging."""

import pytest

from scorer_process import running
from tondo.core.errors import CallerError, NotFoundError, OutsideError
from tondo.stages.serving.comparison_text import comparison_lines

WINDOW = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}


def test_production_replayed_is_production(shop):
    asked = shop.ask()
    found = shop.workspace.replays.run("buys", "1", **WINDOW).comparison
    assert (found.requests, found.rows) == (len(asked), len(asked))
    assert (found.differences.equal, found.agreement, found.candidate_errors) == (1.0, 1.0, {})


def test_only_the_window_is_sent_and_nobody_else_is_touched(shop):
    asked = shop.ask()
    before = shop.parts.predictions("buys").read().num_rows
    half = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T00:00:21Z"}
    report = shop.workspace.replays.run("buys", "2", **half)
    assert report.comparison.requests == 20
    assert shop.parts.predictions("buys").read().num_rows == before == len(asked)


def test_over_http_to_staging_it_says_the_same_as_in_process(shop):
    asked = shop.ask()
    shop.workspace.deployment.deploy("buys", "2", staging=True)
    inside = shop.workspace.replays.run("buys", "2", **WINDOW)
    with running("--root", shop.parts.state) as scorer:
        address = scorer.process.address
        outside = shop.workspace.replays.run("buys", "2", **WINDOW, address=address)
        again = shop.workspace.replays.run("buys", "2", **WINDOW, address=address)
    assert outside.comparison.differences == inside.comparison.differences
    assert again.comparison.differences == inside.comparison.differences
    staged = shop.parts.predictions("buys_staging").read()
    assert set(staged.column("purpose").to_pylist()) == {"replay"}
    assert len(set(staged.column("prediction_id").to_pylist())) == len(asked)


def test_a_rate_is_kept_and_lateness_told(shop):
    shop.ask()
    report = shop.workspace.replays.run("buys", "2", **WINDOW, rate=200.0)
    assert 0.19 < report.seconds < 5
    assert report.reached <= 205
    assert report.late.p99_ms >= 0


def test_known_outcomes_are_told_for_both(shop):
    asked = shop.ask()
    shop.come_true(asked, [place % 2 for place in range(len(asked))])
    report = shop.workspace.replays.run("buys", "2", **WINDOW)
    assert report.comparison.outcomes.rows == len(asked)
    text = "\n".join(comparison_lines(report.comparison))
    assert "40 rows with one, 20 positive" in text
    assert "auc" in text


def test_a_request_that_the_candidate_refuses_counts_as_its_error(shop, monkeypatch):
    from tondo.scoring.inputs import RowInputs

    shop.ask()
    shop.workspace.deployment.deploy("buys", "2", staging=True)
    select = RowInputs.select
    monkeypatch.setattr(
        RowInputs,
        "select",
        lambda self, row, **named: {**select(self, row, **named), "pages": "many"},
    )
    with running("--root", shop.parts.state) as scorer:
        report = shop.workspace.replays.run("buys", "2", **WINDOW, address=scorer.process.address)
    assert report.comparison.candidate_errors == {"TD-SCORE-002": 40}
    assert report.comparison.compared == 0


@pytest.mark.parametrize(
    ("named", "error", "code"),
    [
        ({"start": "2025-01-01T00:00:00Z", "end": "2025-01-02T00:00:00Z"}, NotFoundError, "-015"),
        ({"address": "localhost:1"}, CallerError, "-016"),
        ({"address": "http://h:99999999"}, CallerError, "-016"),
        ({"address": "http://127.0.0.1:1"}, OutsideError, "-017"),
        ({"rate": 0.0}, CallerError, "-019"),
        ({"rate": float("nan")}, CallerError, "-019"),
    ],
)
def test_what_cannot_be_replayed_is_refused_by_code(shop, named, error, code):
    shop.ask(shop.rows[:2])
    with pytest.raises(error, match=f"TD-SERVING{code}"):
        shop.workspace.replays.run("buys", "2", **{**WINDOW, **named})


def test_a_staging_deployment_of_another_version_is_refused(shop):
    shop.ask(shop.rows[:2])
    shop.workspace.deployment.deploy("buys", "1", staging=True)
    with (
        running("--root", shop.parts.state) as scorer,
        pytest.raises(OutsideError, match="TD-SERVING-018"),
    ):
        shop.workspace.replays.run("buys", "2", **WINDOW, address=scorer.process.address)


def test_reports_are_kept(shop):
    shop.ask(shop.rows[:2])
    made = shop.workspace.replays.run("buys", "2", **WINDOW)
    assert shop.workspace.replays.reports("buys") == [made]
