"""A report as a fragment of HTML, for notebooks and pages: all text escaped, curves as SVG."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tondo.stages.evaluation.report import Report

SIZE = 220
"""Pixels of the ROC's square."""


def report_html(report: Report) -> str:
    """Return headline, metrics, ROC and slices."""
    title = escape(f"Report of {report.subject.model}")
    share = f"{report.positives} of {report.rows} rows positive"
    metrics = _table(("metric", "value", "constant"), _metric_rows(report))
    slices = ""
    if report.slices:
        slices = "<h4>Slices</h4>" + _table(
            ("column", "value", "rows", "AUC", "95 %", "log loss"), _slice_rows(report)
        )
    return (
        f'<div class="tondo-report"><h3>{title}</h3><p>{escape(share)}</p>'
        f'<div style="display:flex;gap:2em;flex-wrap:wrap">{metrics}{roc_svg(report)}</div>'
        f"{slices}{_leaks(report)}</div>"
    )


def roc_svg(report: Report) -> str:
    """Return the ROC curve as an inline picture, empty when there is none."""
    if not report.roc:
        return ""
    points = " ".join(f"{p.x * SIZE:.1f},{(1 - p.y) * SIZE:.1f}" for p in report.roc)
    return (
        f'<svg viewBox="-1 -1 {SIZE + 2} {SIZE + 2}" width="{SIZE}" height="{SIZE}" role="img" '
        'aria-label="ROC curve" xmlns="http://www.w3.org/2000/svg">'
        f'<rect width="{SIZE}" height="{SIZE}" fill="none" stroke="currentColor" '
        'stroke-opacity=".3"/>'
        f'<line x1="0" y1="{SIZE}" x2="{SIZE}" y2="0" stroke="currentColor" '
        'stroke-opacity=".3" stroke-dasharray="4"/>'
        f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="2"/></svg>'
    )


def _leaks(report: Report) -> str:
    told = "".join(f"<li>{escape(each.message)}</li>" for each in report.leaks)
    return told and f"<h4>What may tell the answer already</h4><ul>{told}</ul>"


def _metric_rows(report: Report) -> Iterable[tuple[str, ...]]:
    for name, value in report.metrics.items():
        text = _number(value)
        if name == "auc" and report.auc_interval is not None:
            text += f" ({_number(report.auc_interval.low)}..{_number(report.auc_interval.high)})"
        constant = getattr(report.baseline, name, None)
        yield name, text, "" if constant is None else _number(constant)


def _slice_rows(report: Report) -> Iterable[tuple[str, ...]]:
    for each in report.slices:
        limits = each.auc_interval
        span = "" if limits is None else f"{_number(limits.low)}..{_number(limits.high)}"
        yield (
            each.column,
            each.value,
            str(each.rows),
            _number(each.auc),
            span,
            _number(each.log_loss),
        )


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    cells = "".join(f"<th>{escape(each)}</th>" for each in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(each)}</td>" for each in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"
