"""The first page's data: the overview, and the geometry of its charts at two widths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.faces.ui.charts.drift import drift_bars
from tondo.faces.ui.charts.quality import quality_chart
from tondo.faces.ui.charts.ring import ring
from tondo.faces.ui.charts.steps import execution_bars
from tondo.faces.ui.charts.traffic import traffic_chart

if TYPE_CHECKING:
    from tondo.workspace.pages import AlertRow, LiveModel, MonthPoint, Overview

# Charts are drawn twice, for a desk and for a phone, and the stylesheet shows one of them.
WIDE = 960.0
NARROW = 350.0


def overview_page(overview: Overview) -> dict[str, Any]:
    """Return what the template of the first page reads."""
    names = _deployments(overview)
    return {
        "overview": overview,
        "stations": ring(overview.loop),
        "headline": _headline(overview),
        "latest": _latest(overview),
        "open_alerts": [each for each in overview.alerts if each.state != "closed"],
        "alert_groups": alert_groups(overview.alerts),
        "deployments": [_deployment(name, overview) for name in names],
        "executions": [execution_bars(each) for each in overview.executions],
    }


def alert_groups(alerts: list[AlertRow]) -> list[list[AlertRow]]:
    """Return alerts of one state, kind and subject together, the newest first in each.

    Open ones come first, then acknowledged ones, then the closed; within these the gravest.
    """
    groups: dict[tuple[str, str, str], list[AlertRow]] = {}
    for each in sorted(alerts, key=lambda one: one.opened_at_us, reverse=True):
        groups.setdefault((each.state, each.kind, each.subject), []).append(each)
    return sorted(groups.values(), key=_urgency)


def _urgency(group: list[AlertRow]) -> tuple[int, int]:
    return (
        ("open", "acknowledged", "closed").index(group[0].state),
        min(("critical", "warning", "info").index(each.severity) for each in group),
    )


def _deployments(overview: Overview) -> list[str]:
    """Return the names of all deployments that anything is known of, in order."""
    parts = (overview.models, overview.months, overview.traffic, overview.drift)
    found = [each.deployment for rows in parts for each in rows]
    return list(dict.fromkeys(found))


def _deployment(name: str, overview: Overview) -> dict[str, Any]:
    months = [each for each in overview.months if each.deployment == name]
    promotions = [each for each in overview.promotions if each.deployment == name]
    traffic = [each for each in overview.traffic if each.deployment == name]
    return {
        "name": name,
        "months": months,
        "promotions": promotions,
        "traffic": traffic,
        "quality_wide": quality_chart(months, promotions, width=WIDE, height=360),
        "quality_narrow": quality_chart(months, promotions, width=NARROW, height=300),
        "traffic_wide": traffic_chart(traffic, width=WIDE, height=190),
        "traffic_narrow": traffic_chart(traffic, width=NARROW, height=170),
        "means": _means(months),
        "has_static": any(each.static_auc is not None for each in months),
        "has_open": any(each.is_open for each in months),
        "consistency": [each for each in overview.consistency if each.deployment == name],
        "drift": drift_bars([each for each in overview.drift if each.deployment == name]),
    }


def _headline(overview: Overview) -> LiveModel | None:
    """Return the model to stand in the middle of the ring: the first deployment's main one."""
    first = [each for each in overview.models if each.deployment == overview.models[0].deployment]
    return max(first, key=lambda each: each.weight, default=None)


def _latest(overview: Overview) -> MonthPoint | None:
    """Return the newest month of the headline's deployment whose quality is known."""
    headline = _headline(overview)
    known = [
        each
        for each in overview.months
        if each.auc is not None and headline and each.deployment == headline.deployment
    ]
    return known[-1] if known else None


def _means(months: list[MonthPoint]) -> tuple[int, float, float] | None:
    """Return how many months have both figures, and the mean AUC live and left alone in them."""
    both = [
        (each.auc, each.static_auc)
        for each in months
        if each.auc is not None and each.static_auc is not None
    ]
    if not both:
        return None
    return (
        len(both),
        sum(live for live, _ in both) / len(both),
        sum(static for _, static in both) / len(both),
    )
