"""Operations on what runs now."""

from __future__ import annotations

from tondo.workspace.operation import Operation, read, write

LIVE: tuple[Operation, ...] = (
    read("scorer.list", "live.scorers", "/v1/scorers", "List the scorers that run."),
    read(
        "scorer.rates",
        "live.rates",
        "/v1/rates",
        "Measure requests, errors and latency of each variant.",
    ),
    read(
        "deployment.show",
        "live.deployment",
        "/v1/deployments/{deployment}",
        "Show who answers, what is tried, what happened and why.",
    ),
    read(
        "deployment.form",
        "live.try_form",
        "/v1/deployments/{deployment}/form",
        "Show what a deployment may be asked, with a sample row.",
    ),
    write(
        "deployment.try",
        "live.try_row",
        "/v1/deployments/{deployment}/tries",
        "Ask a running scorer for one row, and say why it answered so.",
    ),
    Operation(
        name="deployment.explain",
        method="live.explain",
        http=("POST", "/v1/deployments/{deployment}/explanations"),
        summary="Say what each feature does to a row's score.",
    ),
)
