"""What the year showed, in numbers and in one honest sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tondo.workspace.pages import MonthPoint


def month_table(months: list[MonthPoint]) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of the table by month."""
    head = ["month", "flights", "live AUC", "95 % interval", "left alone", "coverage", "version"]
    rows = [
        [
            each.month,
            f"{each.rows:,}",
            _auc(each.auc),
            f"{_auc(each.low)} to {_auc(each.high)}",
            _auc(each.static_auc),
            "-" if each.coverage is None else f"{each.coverage:.1%}",
            " ".join(f"v{number}" for number in sorted(each.versions, key=int)),
        ]
        for each in months
    ]
    return head, rows


def sentences(months: list[MonthPoint]) -> list[str]:
    """Return what may be claimed: the two means, and how much of the fall is season.

    The fall is from the three months with the left-alone model's highest mean to the three with
    its lowest, consecutive ones; what the retrained model fell over the same months is season.
    """
    both = [each for each in months if each.auc is not None and each.static_auc is not None]
    if not both:
        return []
    live = [float(each.auc or 0) for each in both]
    alone = [float(each.static_auc or 0) for each in both]
    mean_live, mean_alone = sum(live) / len(live), sum(alone) / len(alone)
    found = [
        (
            f"Mean AUC over {len(both)} months: {mean_live:.3f} live, {mean_alone:.3f} for the"
            f" January-March model left alone, on the same flights."
        )
    ]
    if len(both) >= 6:
        best, worst = _extremes(alone)
        fall_alone = _mean(alone, best) - _mean(alone, worst)
        fall_live = _mean(live, best) - _mean(live, worst)
        share = min(max(fall_live / fall_alone, 0.0), 1.0) if fall_alone > 0 else 0.0
        found.append(
            f"From {both[best].month} to {both[best + 2].month} against {both[worst].month} to"
            f" {both[worst + 2].month} the left-alone model fell by {fall_alone:.3f} and the"
            f" retrained one by {fall_live:.3f}: about {share:.0%} of the fall is the season,"
            f" which no retraining undoes."
        )
    found.append(
        "Outcomes are missing for flights that never landed; AUC speaks of those that did, and a"
        " canary of some thousand answers can show errors, latency and shifted scores, not AUC."
    )
    return found


def _extremes(values: list[float]) -> tuple[int, int]:
    places = range(len(values) - 2)
    return (
        max(places, key=lambda at: _mean(values, at)),
        min(places, key=lambda at: _mean(values, at)),
    )


def _mean(values: list[float], at: int) -> float:
    return sum(values[at : at + 3]) / 3


def _auc(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}".lstrip("0")


def months_json(months: list[MonthPoint]) -> list[dict[str, Any]]:
    """Return the months as the `--json` file writes them."""
    return [
        {
            "month": each.month,
            "rows": each.rows,
            "requests": each.requests,
            "live_auc": each.auc,
            "live_low": each.low,
            "live_high": each.high,
            "static_auc": each.static_auc,
            "coverage": each.coverage,
            "version": each.version,
            "versions": each.versions,
        }
        for each in months
    ]
