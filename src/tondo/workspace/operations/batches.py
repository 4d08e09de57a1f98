"""Operations on data that arrives."""

from __future__ import annotations

from tondo.workspace.operation import Operation, read, write

_DATASET = "/v1/datasets/{dataset}"

BATCHES: tuple[Operation, ...] = (
    write(
        "batch.sift",
        "batches.sift",
        f"{_DATASET}/siftings",
        "Check a dataset's new files and set bad ones aside.",
        present="batch.movements",
    ),
    write(
        "batch.accept",
        "batches.accept",
        f"{_DATASET}/reference",
        "Take a dataset's newest snapshot as what later files are compared with.",
        present="batch.reference",
        verb="PUT",
    ),
    read(
        "batch.reference",
        "batches.reference",
        f"{_DATASET}/reference",
        "Show what new files of a dataset are compared with.",
    ),
    read(
        "batch.movements",
        "batches.movements",
        "/v1/snapshots/{ref}/movements",
        "Show how far what is new in a snapshot is from the accepted rows.",
    ),
)
