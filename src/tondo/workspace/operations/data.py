"""Operations on sources, datasets and snapshots."""

from __future__ import annotations

from tondo.workspace.operation import Operation, read, write

_DATASET = "/v1/datasets/{dataset}"
_SNAPSHOT = "/v1/snapshots/{ref}"

DATA: tuple[Operation, ...] = (
    write(
        "source.commit",
        "data.commit_source",
        "/v1/sources/{source}/commits",
        "Read a source and commit it as a new snapshot of its dataset.",
        present="dataset.list",
    ),
    read("source.show", "data.source", "/v1/sources/{name}", "Show a source's definition."),
    read(
        "dataset.list", "data.datasets", "/v1/datasets", "List datasets with their newest commit."
    ),
    read(
        "dataset.show",
        "data.definition",
        "/v1/datasets/{name}",
        "Show a dataset's definition, be it a source's or a derived one.",
    ),
    read(
        "dataset.columns",
        "data.columns",
        f"{_DATASET}/columns",
        "Show a dataset's columns with their types.",
    ),
    read("dataset.commits", "data.commits", f"{_DATASET}/commits", "List a dataset's commits."),
    write(
        "dataset.derive",
        "data.derive",
        f"{_DATASET}/derivations",
        "Bring a derived dataset up to date with its inputs.",
        present="dataset.commits",
    ),
    write(
        "dataset.branch",
        "snapshots.create_branch",
        f"{_DATASET}/branches",
        "Begin a branch at a commit of a dataset.",
        present="dataset.commits",
    ),
    write(
        "dataset.tag",
        "snapshots.tag",
        f"{_DATASET}/tags/{{name}}",
        "Point a tag at a commit of a dataset.",
        present="dataset.tags",
        verb="PUT",
    ),
    write(
        "dataset.untag",
        "snapshots.remove_tag",
        f"{_DATASET}/tags/{{name}}",
        "Take a tag of a dataset away; its history stays.",
        present="dataset.tags",
        verb="DELETE",
    ),
    read("dataset.tags", "snapshots.tags", f"{_DATASET}/tags", "List a dataset's tags."),
    read(
        "dataset.moves",
        "snapshots.tag_history",
        f"{_DATASET}/tags/{{name}}/moves",
        "List every move of a dataset's tag.",
    ),
    write(
        "dataset.remove",
        "snapshots.remove",
        f"{_DATASET}/removals",
        "Remove a dataset, one of its branches or a commit; never under a live deployment.",
        present="dataset.commits",
    ),
    read(
        "snapshot.digest",
        "snapshots.digest",
        f"{_SNAPSHOT}/digest",
        "Show the digest of a snapshot's rows, equal for the same rows in any files.",
    ),
    read(
        "snapshot.same",
        "snapshots.same_rows",
        f"{_SNAPSHOT}/same",
        "Say whether two snapshots hold the same rows, in whatever order and files.",
    ),
    write(
        "project.collect",
        "snapshots.collect_garbage",
        "/v1/garbage",
        "Delete the blobs that nothing names and that are older than a time of grace.",
    ),
    read(
        "dataset.cleaning",
        "preparation.cleaning_report",
        f"{_DATASET}/cleaning",
        "Show what cleaning kept, rejected by reason, filled and clipped.",
    ),
    read("snapshot.show", "data.snapshot", _SNAPSHOT, "Show a snapshot: columns, files, rows."),
    Operation(
        name="sql.query",
        method="data.sql",
        http=("POST", "/v1/sql"),
        summary="Ask the datasets in SQL.",
        permission="query",
    ),
)
