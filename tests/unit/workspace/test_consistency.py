"""Served vectors beside those computed again: kept, told, and asked before a deployment."""

from __future__ import annotations

import pytest

from tondo.core.errors import CallerError, PlatformError
from tondo.workspace.consistency import check_served, last_consistency


def served(live, answer):
    """Answer for one real row through the path that scores, logged like any other."""
    return live.workspace.deployment.predict("buys", {"pages": 7.0, "minutes": 12.5, **answer})


def alerts(live):
    found = live.workspace.monitoring.alerts()
    return {
        each.key.rpartition("/")[2]: each.status for each in found if each.kind == "consistency"
    }


def test_what_was_served_is_computed_again_and_kept(live):
    served(live, {"device": "phone"})
    checked = live.workspace.monitoring.recompute("buys")
    assert (checked.report.rows, checked.report.exact) == (1, True)
    assert last_consistency(live.parts, "buys") == checked
    assert alerts(live) == {}


def test_a_feature_served_otherwise_raises_an_alert_that_names_the_prediction(live):
    live.answer(["p1"], at="2026-03-01T10:00:00Z", scores=[0.4])
    report = live.workspace.monitoring.recompute("buys").report
    assert report.equal_rows == 0
    assert set(alerts(live).values()) == {"open"}
    finding = live.workspace.monitoring.findings()[0]
    assert (finding.severity, "p1" in finding.message) == ("critical", True)


def test_the_alert_is_closed_when_the_feature_is_equal_again(live):
    live.answer(["p1"], at="2026-02-20T10:00:00Z", scores=[0.4])
    live.workspace.monitoring.recompute("buys")
    served(live, {"device": "phone"})
    live.workspace.monitoring.recompute("buys", window="7d")
    assert set(alerts(live).values()) == {"closed"}


def test_the_page_shows_the_last_rates_with_the_worst_first(live):
    live.answer(["p1"], at="2026-03-01T10:00:00Z", scores=[0.4])
    live.workspace.monitoring.recompute("buys")
    rows = live.overview().consistency
    assert {each.feature for each in rows} == {"pages", "minutes", "phone"}
    assert [each.share for each in rows] == sorted(each.share for each in rows)


@pytest.mark.parametrize("rows", [0, -1])
def test_no_rows_cannot_be_compared(live, rows):
    with pytest.raises(CallerError, match="TD-WORKSPACE-016"):
        live.workspace.monitoring.recompute("buys", rows=rows)


def test_a_version_that_computes_alike_on_both_ways_may_be_deployed(live):
    version = live.workspace.registry.version("buys", "1")
    report = check_served(live.parts, version)
    assert (report.rows > 500, report.exact) == (True, True)


def test_a_version_that_would_serve_otherwise_is_refused(live, monkeypatch):
    from tondo.stages.training import matrix

    whole = matrix.feature_matrix

    def bent(features, rows, *, engine):
        found = whole(features, rows, engine=engine)
        found[5, 0] += 1e-12
        return found

    monkeypatch.setattr(matrix, "feature_matrix", bent)
    before = live.workspace.deployment.deployments()
    with pytest.raises(PlatformError, match=r"TD-DEPLOY-008.*'pages'.*in row 5"):
        live.workspace.deployment.deploy("buys", "1", name="other")
    assert live.workspace.deployment.deployments() == before
