"""A run as a fragment of HTML, for notebooks and pages; all text escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tondo.core.instants import format_instant

if TYPE_CHECKING:
    from tondo.stages.training.run import Run

MOST_FEATURES = 15
"""Bars of importance shown."""

_WIDTH = 160


def run_html(run: Run) -> str:
    """Return the facts, the metrics and the importance of a run."""
    facts = {
        "run": run.id,
        "algorithm": run.algorithm,
        "rows": _rows(run),
        "learned up to": format_instant(run.last_training_time_us),
        "runtime": run.qualification.runtime,
        "seconds": ", ".join(f"{name} {value:.2f}" for name, value in run.seconds.items()),
        **{
            name: "none" if value is None else f"{value:.4f}" for name, value in run.metrics.items()
        },
    }
    body = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
        for name, value in facts.items()
    )
    return (
        f'<div class="tondo-run"><h3>{escape(f"Run of {run.model}")}</h3>'
        f'<div style="display:flex;gap:2em;flex-wrap:wrap"><table>{body}</table>'
        f"{_importance(run)}</div>{_leaks(run)}</div>"
    )


def _rows(run: Run) -> str:
    by = run.split.by if run.period.train_until_us is None else "time"
    parts = f"{run.rows.training} learned from, {run.rows.validation} held back by {by}"
    return f"{parts}, {run.rows.test} for the report" if run.rows.test else parts


def _leaks(run: Run) -> str:
    if run.leakage is None or not run.leakage.leaks:
        return ""
    told = "".join(f"<li>{escape(each.message)}</li>" for each in run.leakage.leaks)
    return f"<h4>What may tell the answer already</h4><ul>{told}</ul>"


def _importance(run: Run) -> str:
    total = sum(run.importance.values())
    if total <= 0:
        return ""
    ranked = sorted(run.importance.items(), key=lambda item: (-item[1], item[0]))[:MOST_FEATURES]
    largest = ranked[0][1]
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>"
        f'<svg width="{_WIDTH}" height="10" aria-hidden="true"><rect height="10" '
        f'width="{value / largest * _WIDTH:.1f}" fill="currentColor"/></svg></td>'
        f"<td>{value / total:.1%}</td></tr>"
        for name, value in ranked
    )
    return f"<table><caption>Importance</caption>{rows}</table>"
