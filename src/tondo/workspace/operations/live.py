"""Operations on what runs now."""

from __future__ import annotations

from tondo.workspace.operation import Operation, read

LIVE: tuple[Operation, ...] = (
    read("scorer.list", "live.scorers", "/v1/scorers", "List the scorers that run."),
    read(
        "scorer.rates",
        "live.rates",
        "/v1/rates",
        "Measure requests, errors and latency of each variant.",
    ),
)
