"""Operations on schemas, checks and tracked anomalies."""

from __future__ import annotations

from tondo.workspace.operation import Operation, read, write

_SNAPSHOT = "/v1/snapshots/{ref}"
_SCHEMA = "/v1/datasets/{dataset}/schema"
_ANOMALY = "/v1/anomalies/{anomaly_id}"

SCHEMAS: tuple[Operation, ...] = (
    read(
        "snapshot.check",
        "schemas.check",
        f"{_SNAPSHOT}/anomalies",
        "Check a snapshot against its schema and list anomalies; nothing is tracked.",
    ),
    write(
        "dataset.check",
        "data.check",
        f"{_SNAPSHOT}/checks",
        "Check a dataset against its schema and track the anomalies of its newest snapshot.",
        present="snapshot.check",
    ),
    read(
        "anomaly.list",
        "data.anomalies",
        "/v1/anomalies",
        "List tracked anomalies, the newest sighting first.",
    ),
    read("anomaly.show", "data.anomaly", _ANOMALY, "Show a tracked anomaly and its patch."),
    write(
        "anomaly.assign",
        "data.assign_anomaly",
        f"{_ANOMALY}/owner",
        "Say who looks after a tracked anomaly.",
        present="anomaly.show",
        verb="PUT",
    ),
    write(
        "anomaly.accept",
        "data.accept_anomaly",
        f"{_ANOMALY}/acceptance",
        "Accept a tracked anomaly's patch as a new version of the schema.",
        present="anomaly.show",
    ),
    write(
        "anomaly.dismiss",
        "batches.dismiss",
        f"{_ANOMALY}/dismissal",
        "Give up the files that were set aside with a tracked anomaly, and say why.",
        present="anomaly.show",
    ),
    write(
        "schema.infer",
        "data.infer_schema",
        _SCHEMA,
        "Infer a schema from a dataset's newest snapshot and keep it.",
    ),
    read("schema.show", "data.schema", _SCHEMA, "Show a dataset's schema."),
    read(
        "schema.log",
        "schemas.log",
        f"{_SCHEMA}/log",
        "Show every version of a schema: who changed what, and why.",
    ),
    read(
        "schema.diff",
        "schemas.diff",
        "/v1/schemas/{before}/diff/{after}",
        "Show what differs between two versions of schemas.",
    ),
    read(
        "schema.suggest",
        "schemas.suggest",
        f"{_SCHEMA}/suggestions",
        "Suggest edits that hold numeric columns to the range seen.",
    ),
    write(
        "schema.set",
        "schemas.set_constraints",
        f"{_SCHEMA}/edits",
        "Edit a schema, such as delay.min=-60 or origin.domain=[EWR,JFK].",
        present="schema.show",
    ),
    write(
        "schema.import",
        "schemas.replace",
        _SCHEMA,
        "Make a whole document the schema of a dataset.",
        present="schema.show",
        verb="PUT",
    ),
    write(
        "schema.accept",
        "schemas.accept_patches",
        f"{_SCHEMA}/patches",
        "Accept the patches that anomalies propose, for all or some columns.",
        present="schema.show",
    ),
)
