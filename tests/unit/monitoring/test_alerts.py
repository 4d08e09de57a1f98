from __future__ import annotations

import pytest

from tondo.core.errors import ConflictError, NotFoundError
from tondo.stages.evaluation.delong import Interval
from tondo.stages.monitoring.alerts import (
    acknowledge,
    alerts,
    close,
    find_alert,
    report_findings,
)
from tondo.stages.monitoring.drift import ColumnDrift, DriftLimits, DriftReport
from tondo.stages.monitoring.findings import (
    Finding,
    coverage_finding,
    drift_findings,
    freshness_finding,
    metric_finding,
)
from tondo.stages.monitoring.live import LiveMetrics

DAY = 86_400_000_000


def finding(day=1, *, key="drift/late/1/wind"):
    return Finding(
        kind="drift",
        subject="deployment/late",
        key=key,
        severity="warning",
        message=f"'wind' has drifted on day {day}.",
        at_us=day * DAY,
    )


def report(desk, *findings):
    return report_findings(findings, ledger=desk.ledger, clock=desk.clock)


def metrics(**changes):
    facts = {
        "group": {"version": 1},
        "start_us": 0,
        "end_us": 28 * DAY,
        "at_us": 28 * DAY,
        "predictions": 1_000,
        "failed": 0,
        "matured": 1_000,
        "labelled": 960,
        "late": 0,
        "pending": 0,
        "coverage": 0.96,
    }
    return LiveMetrics(**{**facts, **changes})


def auc(value, error=0.003):
    return Interval(value=value, low=value - error, high=value + error, standard_error=error)


def column(name, **changes):
    facts = {
        "name": name,
        "reference_rows": 50_000,
        "window_rows": 5_000,
        "psi": 0.3,
        "noise_floor": 0.002,
        "jensen_shannon": 0.2,
        "p_value": 1e-9,
        "adjusted_p": 1e-8,
        "reference_nulls": 0.0,
        "window_nulls": 0.0,
        "level": "large",
        "null_burst": False,
    }
    return ColumnDrift(**{**facts, **changes})


def test_a_fact_found_every_day_is_one_alert_with_first_and_last_seen(desk):
    for day in (1, 2, 3):
        report(desk, finding(day))
    (alert,) = alerts(ledger=desk.ledger)
    assert (alert.first_seen_us, alert.last_seen_us, alert.seen) == (DAY, 3 * DAY, 3)
    assert alert.message == "'wind' has drifted on day 3."
    assert len(desk.ledger.events(kind="alert.opened")) == 1


def test_two_facts_are_two_alerts(desk):
    report(desk, finding(), finding(key="drift/late/1/dow"))
    assert len(alerts(ledger=desk.ledger, status="open")) == 2


def test_an_acknowledged_alert_stays_one_when_the_fact_is_found_again(desk):
    (opened,) = report(desk, finding(1))
    acknowledge(opened.id, ledger=desk.ledger, by="ann", why="known storm")
    (again,) = report(desk, finding(2))
    assert (again.id, again.status, again.by) == (opened.id, "acknowledged", "ann")


def test_a_closed_fact_opens_anew_when_it_is_found_again(desk):
    (opened,) = report(desk, finding(1))
    close(opened.id, ledger=desk.ledger, by="ann", why="retrained")
    (again,) = report(desk, finding(2))
    assert again.id != opened.id
    assert again.first_seen_us == 2 * DAY


def test_closing_twice_is_refused(desk):
    (opened,) = report(desk, finding())
    close(opened.id, ledger=desk.ledger, by="ann", why="retrained")
    with pytest.raises(ConflictError, match="TD-MONITOR-004"):
        close(opened.id, ledger=desk.ledger, by="bob", why="again")


def test_an_unknown_alert_is_refused(desk):
    with pytest.raises(NotFoundError, match="TD-MONITOR-003"):
        find_alert("nobody", ledger=desk.ledger)


def test_every_finding_is_kept_and_leads_to_its_alert(desk):
    report(desk, finding(1))
    report(desk, finding(2))
    records = desk.ledger.records("finding")
    assert len(records) == 2
    below = desk.ledger.lineage("finding", records[0].id, direction="down")
    assert "alert" in {node.kind for node in below.nodes}


def test_changes_tell_who_and_why(desk):
    (opened,) = report(desk, finding())
    close(opened.id, ledger=desk.ledger, by="ann", why="retrained")
    (event,) = desk.ledger.events(kind="alert.closed")
    assert (event.body["by"], event.body["why"]) == ("ann", "retrained")


def test_a_drift_report_becomes_findings_of_what_matters():
    columns = (
        column("wind"),
        column("dow", level="small"),
        column("tail", level="large", null_burst=True, window_nulls=0.3),
    )
    found = drift_findings(
        DriftReport(columns=columns, limits=DriftLimits()), deployment="late", version=1, at_us=0
    )
    assert [(each.kind, each.severity) for each in found] == [
        ("drift", "warning"),
        ("null_burst", "critical"),
    ]
    assert "null in 30.0% of 5000 rows" in found[1].message


@pytest.mark.parametrize(("coverage", "found"), [(None, False), (0.95, False), (0.94, True)])
def test_coverage_below_the_minimum_is_a_finding(coverage, found):
    result = coverage_finding(metrics(coverage=coverage), deployment="late", minimum=0.95, at_us=0)
    assert (result is not None) is found


@pytest.mark.parametrize(("live", "found"), [(0.7401, False), (0.7399, True)])
def test_a_metric_below_by_two_combined_errors_is_a_finding(live, found):
    result = metric_finding(
        metrics(auc=auc(live, 0.003)),
        deployment="late",
        version=1,
        accepted=auc(0.75, 0.004),
        standard_errors=2.0,
        at_us=0,
    )
    assert (result is not None) is found


@pytest.mark.parametrize(("newest", "found"), [(0, False), (-1, True), (None, True)])
def test_a_view_older_than_its_promise_is_a_finding(newest, found):
    result = freshness_finding("weather", newest_us=newest, promised_us=DAY, at_us=DAY)
    assert (result is not None) is found
