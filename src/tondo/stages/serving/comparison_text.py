"""A comparison in plain words, for a terminal, a mail or a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.stages.serving.comparison import Comparison, Differences, Latencies


def comparison_lines(found: Comparison) -> list[str]:
    """Return the facts of a comparison, a line each."""
    lines = [f"{found.requests:,} requests, {found.rows:,} rows, {found.compared:,} scored by both"]
    if found.agreement is not None:
        lines.append(
            f"decisions     {found.agreement:.2%} agree; {found.to_yes:,} from no to yes,"
            f" {found.to_no:,} from yes to no"
        )
    if found.differences is not None:
        lines += _differences(found.differences)
    lines.append(f"errors        production {_errors(found.production_errors)}")
    lines.append(f"              candidate  {_errors(found.candidate_errors)}")
    lines.append(f"latency       production {_latency(found.production_latency)}")
    lines.append(f"              candidate  {_latency(found.candidate_latency)}")
    return lines + _outcomes(found)


def _differences(found: Differences) -> list[str]:
    lines = [
        f"scores        {found.equal:.2%} equal in every bit",
        f"              candidate less production {found.mean:+.4g} on average; KS {found.ks:.3f}",
        f"              apart by {found.median:.3g} at the median, {found.p90:.3g} at p90,",
        f"              {found.p99:.3g} at p99, {found.largest:.3g} at most",
    ]
    for prediction_id, production, candidate in found.examples:
        lines.append(f"              {prediction_id}: {production:.4f} -> {candidate:.4f}")
    return lines


def _outcomes(found: Comparison) -> list[str]:
    if found.outcomes is None:
        return ["outcomes      none is known yet"]
    known = found.outcomes
    lines = [f"outcomes      {known.rows:,} rows with one, {known.positives:,} positive"]
    for name, each in known.differences.items():
        better = each.improvement
        lines.append(
            f"              {name:<9} production {each.current:.4f}, candidate"
            f" {each.candidate:.4f}, improvement {better.value:+.4f}"
            f" ({better.low:+.4f} to {better.high:+.4f})"
        )
    return lines


def _errors(codes: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {code}" for code, count in codes.items()) or "none"


def _latency(found: Latencies | None) -> str:
    if found is None:
        return "not measured"
    return f"p50 {found.p50_ms:.3f} ms, p90 {found.p90_ms:.3f} ms, p99 {found.p99_ms:.3f} ms"
