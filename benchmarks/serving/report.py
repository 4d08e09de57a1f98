"""The tables: what each server did, and how many times as fast ours was in the same rounds."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from benchmarks.serving.pairs import CONNECTIONS, PAIRS, PEERS, ROWS, Pair, Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Found = dict[str, Any]
CLOSED_HEAD = [
    *("server", "1 conn: /s", "p50 ms", "16 conn: /s", "64 conn: /s", "p99 ms", "CPU us"),
    *("tondo is, at 1", "at 16", "at 64 times as fast (spread)"),
]
OPEN_HEAD = ["server at 1,000 a second", "answered /s", "p50 ms", "p99 ms", "p99.9 ms"]


def closed_rows(results: Mapping[str, Found], versions: Mapping[str, str]) -> list[list[str]]:
    """Return a line for each of our wires, and for each server beside ours."""
    rows: list[list[str]] = []
    for pair in pairs(results):
        found = results[pair.name]
        if not found["closed"]:
            continue
        if pair.name in {"rows", "v2", "binary", "views"}:
            rows.append([_label(pair.first, found, 0), *_figures(found, 0), "", "", ""])
        if pair.second is not ROWS:
            label = _label(pair.second, found, 1, versions.get(pair.name, ""))
            rows.append([label, *_figures(found, 1), *_ratios(found)])
    return rows


def _label(side: Side, found: Found, place: int, version: str = "") -> str:
    refused = sum(each["failed"] for rounds in found["closed"].values() for each in rounds[place])
    told = f" ({refused} refused)" if refused else ""
    return f"{side.label} {version}".strip() + told


def pairs(results: Mapping[str, Found]) -> list[Pair]:
    """Return the pairs that were measured, in the order of the table."""
    peers = [Pair(name, ROWS, side) for name, side in PEERS.items()]
    return [each for each in [*PAIRS, *peers] if each.name in results]


def _figures(found: Found, place: int) -> list[str]:
    at = {each: found["closed"].get(str(each)) for each in CONNECTIONS}

    def middle(connections: int, what: str, digits: int) -> str:
        rounds = at[connections]
        return "" if rounds is None else f"{_middle(rounds[place], what):,.{digits}f}"

    return [
        *(middle(1, "rate", 0), middle(1, "p50_ms", 2), middle(16, "rate", 0)),
        *(middle(64, "rate", 0), middle(64, "p99_ms", 1), middle(64, "cpu_us", 0)),
    ]


def _ratios(found: Found) -> list[str]:
    told = []
    for connections in CONNECTIONS:
        rounds = found["closed"].get(str(connections))
        ratios = [] if rounds is None else ratios_of(rounds, "rate")
        text = f"{_round(statistics.median(ratios))}" if ratios else ""
        if ratios and connections == CONNECTIONS[-1]:
            text += f" ({_round(min(ratios))} to {_round(max(ratios))})"
        told.append(text)
    return told


def ratios_of(rounds: Sequence[Sequence[Found]], what: str) -> list[float]:
    """Return first to second of each round; of a second that answered nothing, to a thousandth."""
    return [one[what] / max(two[what], 1e-3) for one, two in zip(*rounds, strict=True)]


def open_rows(results: Mapping[str, Found]) -> list[list[str]]:
    """Return a line for each server that was asked at a fixed rate."""
    rows: list[list[str]] = []
    for pair in pairs(results):
        for side, rounds in zip((pair.first, pair.second), results[pair.name]["open"], strict=True):
            if not rounds or side.label in {row[0] for row in rows}:
                continue
            lost = sum(each["unanswered"] + each["failed"] for each in rounds)
            rows.append(
                [
                    side.label,
                    f"{_middle(rounds, 'rate'):,.0f}" + (f" ({lost} not answered)" if lost else ""),
                    *(f"{_middle(rounds, each):,.2f}" for each in ("p50_ms", "p99_ms", "p999_ms")),
                ]
            )
    if "log" in results:
        rows.append(_log_row(results))
    return rows


def _log_row(results: Mapping[str, Found]) -> list[str]:
    """Return what the log costs: our figures with it to those without, in the same rounds."""
    told = []
    for what in ("p50_ms", "p99_ms", "p999_ms"):
        ratios = ratios_of(results["log"]["open"], what)
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        told.append(f"{statistics.median(ratios):.2f} ({spread})")
    return ["tondo with the log to without, 7 pairs", "", *told]


def _middle(rounds: Sequence[Found], what: str) -> float:
    return statistics.median(each[what] for each in rounds)


def _round(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 3 else f"{ratio:.1f}" if ratio < 20 else f"{ratio:.0f}"
