"""Operations on consumers: batches, shadows and streams."""

from __future__ import annotations

from tondo.workspace.operation import Operation, read, write

_SHADOWS = "/v1/deployments/{deployment}/shadows"
_STREAM = "/v1/deployments/{deployment}/streams/{source}"

SERVING: tuple[Operation, ...] = (
    write(
        "batch.run",
        "scoring.run",
        "/v1/deployments/{deployment}/batches",
        "Score a table by every version of a deployment.",
        present="batch.runs",
        local=("file", "sql"),
    ),
    read(
        "batch.runs",
        "scoring.runs",
        "/v1/deployments/{deployment}/batches",
        "List the runs of a deployment's batches.",
    ),
    write(
        "shadow.start",
        "shadows.start",
        _SHADOWS,
        "Let a version score what is asked of a deployment, and answer nobody.",
        permission="deploy",
        present="shadow.list",
    ),
    write(
        "shadow.stop",
        "shadows.stop",
        f"{_SHADOWS}/{{version}}/stop",
        "Let a shadow score no longer; show what it scored beside production.",
        permission="deploy",
        present="shadow.list",
    ),
    write(
        "shadow.run",
        "shadows.run",
        f"{_SHADOWS}/{{version}}/runs",
        "Score at once what was asked and not scored by a shadow yet.",
        permission="deploy",
        present="shadow.list",
    ),
    write(
        "shadow.report",
        "shadows.report",
        f"{_SHADOWS}/{{version}}/reports",
        "Compare what a shadow scored with production, and keep the report.",
        present="shadow.list",
    ),
    read("shadow.list", "shadows.shadows", "/v1/shadows", "List shadows."),
    write(
        "stream.push",
        "streams.push",
        "/v1/streams/{source}/events",
        "Keep events of a stream, for deployments to score.",
    ),
    write(
        "stream.run",
        "streams.run",
        f"{_STREAM}/runs",
        "Score at once a stream's events that are not scored yet.",
        permission="deploy",
        present="stream.list",
    ),
    write(
        "stream.start",
        "streams.start",
        _STREAM,
        "Let a deployment score a stream's events as they come.",
        permission="deploy",
        present="stream.list",
        verb="PUT",
    ),
    write(
        "stream.stop",
        "streams.stop",
        f"{_STREAM}/stop",
        "Let a deployment score a stream's events no longer.",
        permission="deploy",
        present="stream.list",
    ),
    read("stream.list", "streams.streams", "/v1/streams", "List the streams that are scored."),
    read(
        "stream.answers",
        "streams.answers",
        f"{_STREAM}/answers",
        "Show the predictions of a stream's events.",
    ),
    read(
        "stream.deadletters",
        "streams.dead_letters",
        f"{_STREAM}/deadletters",
        "Show the events of a stream that could not be scored, each with its code.",
    ),
    write(
        "deployment.replay",
        "replays.run",
        "/v1/deployments/{deployment}/replays",
        "Send a past window of requests to a version, and compare it with production.",
        present="deployment.replays",
        local=("address",),
    ),
    read(
        "deployment.replays",
        "replays.reports",
        "/v1/deployments/{deployment}/replays",
        "List the reports of a deployment's replays.",
    ),
)
