"""Derived data sets: one SELECT over snapshots, computed once for each definition and input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.canonical import digest
from tondo.core.errors import CallerError, DataError, near
from tondo.stages.data.arrow_types import stored_types
from tondo.stages.data.commits import (
    Commit,
    commit_snapshot,
    pointer_name,
    read_commit,
    recorded_snapshot,
)
from tondo.stages.data.conform import conform
from tondo.stages.data.definitions import check_columns, time_columns
from tondo.stages.data.snapshots import (
    Snapshot,
    from_manifest,
    keep_manifest,
    manifest,
    snapshot_table,
    write_file,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.ports.clock import Clock
    from tondo.ports.engine import Engine
    from tondo.stages.data.definitions import DerivedDefinition

# Grows when the same definition over the same input gives other bytes.
_VERSION = 1


def derive(
    definition: DerivedDefinition,
    inputs: Mapping[str, Commit],
    *,
    ledger: Ledger,
    blobs: Blobs,
    engine: Engine,
    clock: Clock,
    branch: str = "main",
    by: str,
) -> Commit:
    """Compute a derived data set and commit it; known work is not done again.

    Rows stand in the order of event time, key, then the other columns, since a query promises no
    order. A `rowwise` definition is computed a file at a time, so a new input file costs that
    file only. Errors: TD-DATA-011 (an input was not given), TD-ENGINE-001.. (the SQL),
    TD-DATA-006 (a column that the result lacks).
    """
    snapshots = _input_snapshots(definition, inputs, ledger=ledger)
    snapshot = _computed(definition, snapshots, ledger=ledger, blobs=blobs, engine=engine)
    pointer = ledger.pointer(pointer_name(definition.name, branch))
    before = None if pointer is None else read_commit(pointer.target, ledger=ledger)
    return commit_snapshot(
        definition.name,
        snapshot,
        ledger=ledger,
        clock=clock,
        branch=branch,
        before=before,
        parents=[("snapshot", each.id, f"input {name}") for name, each in snapshots.items()],
        by=by,
        why=f"derived from {', '.join(definition.inputs)}",
    )


def _input_snapshots(
    definition: DerivedDefinition, inputs: Mapping[str, Commit], *, ledger: Ledger
) -> dict[str, Snapshot]:
    for name in definition.inputs:
        if name not in inputs:
            raise CallerError(
                "TD-DATA-011",
                f"'{definition.name}' is made from '{name}', which was not given",
                fix=near(name, inputs),
                dataset=definition.name,
                input=name,
            )
    return {
        name: recorded_snapshot(inputs[name].snapshot, ledger=ledger) for name in definition.inputs
    }


def _computed(
    definition: DerivedDefinition,
    snapshots: Mapping[str, Snapshot],
    *,
    ledger: Ledger,
    blobs: Blobs,
    engine: Engine,
) -> Snapshot:
    """Return the result; each piece from the ledger when the same work was done before."""
    made = []
    for piece in _pieces(definition, snapshots):
        work = _work_key(definition, piece)
        known = ledger.find("derivation", work)
        if known is None:
            result = _run(definition, piece, blobs=blobs, engine=engine)
            ledger.put("derivation", work, {"dataset": definition.name, **manifest(result)})
        else:
            result = from_manifest(known.body)
        made.append(result)
    return keep_manifest(_together(made, definition.name), blobs=blobs)


def _pieces(
    definition: DerivedDefinition, snapshots: Mapping[str, Snapshot]
) -> list[Mapping[str, Snapshot]]:
    """Return the inputs as the pieces that are computed apart."""
    if not definition.rowwise:
        return [snapshots]
    ((name, whole),) = snapshots.items()
    alone = [Snapshot(columns=whole.columns, files=(file,), rows=file.rows) for file in whole.files]
    return [{name: each} for each in alone or [whole]]


def _work_key(definition: DerivedDefinition, piece: Mapping[str, Snapshot]) -> str:
    """Digest everything that decides the bytes of the result."""
    inputs = {
        name: [list(snapshot.columns.items()), [file.digest for file in snapshot.files]]
        for name, snapshot in piece.items()
    }
    return digest(
        {
            "version": _VERSION,
            "sql": definition.sql,
            "columns": definition.columns,
            "zone": definition.zone,
            "order": _leading_columns(definition),
            "times": time_columns(definition),
            "inputs": inputs,
        }
    )


def _run(
    definition: DerivedDefinition,
    piece: Mapping[str, Snapshot],
    *,
    blobs: Blobs,
    engine: Engine,
) -> Snapshot:
    tables = {name: snapshot_table(snapshot, blobs=blobs) for name, snapshot in piece.items()}
    answer = engine.query(definition.sql, tables)
    table = conform(
        answer, definition.columns, zone=definition.zone, where=f"dataset '{definition.name}'"
    )
    columns = stored_types(table)
    check_columns(definition, columns)
    notes = {file.note for snapshot in piece.values() for file in snapshot.files}
    file = write_file(
        _ordered(table, _leading_columns(definition)),
        blobs=blobs,
        note=notes.pop() if len(notes) == 1 else "",
    )
    return Snapshot(columns=columns, files=(file,), rows=file.rows)


def _leading_columns(definition: DerivedDefinition) -> list[str]:
    times = [definition.event_time] if definition.event_time else []
    return list(dict.fromkeys([*times, *definition.key]))


def _ordered(table: pa.Table, leading: list[str]) -> pa.Table:
    import pyarrow as pa

    rest = [
        field.name
        for field in table.schema
        if field.name not in leading and not pa.types.is_list(field.type)
    ]
    return table.sort_by([(name, "ascending") for name in [*leading, *rest]])


def _together(made: list[Snapshot], name: str) -> Snapshot:
    for each in made[1:]:
        if each.columns != made[0].columns:
            raise DataError(
                "TD-DATA-015",
                f"the files of '{name}' came out with different column types",
                expected=f"the columns {made[0].columns}",
                fix="Declare the types under `columns:`, or cast in the SQL.",
                dataset=name,
            )
    return Snapshot(
        columns=made[0].columns,
        files=tuple(file for each in made for file in each.files),
        rows=sum(each.rows for each in made),
    )
