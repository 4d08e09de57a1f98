"""Operations on executions, records and the project as a whole."""

from __future__ import annotations

from tondo.workspace.operation import Operation, read

PROJECT: tuple[Operation, ...] = (
    read(
        "execution.list", "flow.executions", "/v1/executions", "List executions with their steps."
    ),
    read("execution.show", "flow.execution", "/v1/executions/{execution_id}", "Show an execution."),
    read(
        "execution.explain",
        "flow.explain",
        "/v1/executions/{execution_id}/steps/{step}",
        "Say which part of a step's key changed since the execution before.",
    ),
    read(
        "record.lineage",
        "flow.lineage",
        "/v1/records/{record_id}/lineage",
        "Walk from a record to what it came from, or to what came of it.",
    ),
    read("record.show", "flow.record", "/v1/records/{record_id}", "Show a record of the ledger."),
    read("project.overview", "flow.overview", "/v1/overview", "Show the project at a glance."),
    read(
        "project.doctor", "flow.doctor", "/v1/doctor", "Look for what is wrong and how to mend it."
    ),
)
