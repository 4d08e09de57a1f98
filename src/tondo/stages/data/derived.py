"""Derived data sets: made from snapshots, computed once for each definition and input."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.canonical import digest
from tondo.core.errors import CallerError, DataError, near
from tondo.stages.data.arrow_types import stored_types
from tondo.stages.data.cleaning import REJECTED, CleaningReport, clean
from tondo.stages.data.commits import (
    Commit,
    commit_snapshot,
    find_head,
    recorded_snapshot,
)
from tondo.stages.data.conform import conform
from tondo.stages.data.definitions import check_columns, time_columns
from tondo.stages.data.functions import add_functions, read_functions
from tondo.stages.data.python_step import read_step, run_step
from tondo.stages.data.snapshots import (
    Snapshot,
    from_manifest,
    keep_manifest,
    manifest,
    snapshot_table,
    write_file,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.ports.clock import Clock
    from tondo.ports.engine import Engine
    from tondo.stages.data.definitions import DerivedDefinition
    from tondo.stages.data.python_step import PythonStep

# Grows when the same definition over the same input gives other bytes.
_VERSION = 1


class Derivation(msgspec.Struct, frozen=True, kw_only=True):
    """What one piece of work made: the rows that were kept and those that were rejected."""

    kept: Snapshot
    rejected: Snapshot | None = None
    report: CleaningReport | None = None


def derive(
    definition: DerivedDefinition,
    inputs: Mapping[str, Commit],
    *,
    ledger: Ledger,
    blobs: Blobs,
    engine: Engine,
    clock: Clock,
    branch: str = "main",
    folder: Path | None = None,
    by: str,
) -> Commit:
    """Compute a derived data set and commit it; known work is not done again.

    Rows stand in the order of event time, key, then the other columns, since a query promises no
    order. A `rowwise` definition, and one that is cleaned and no more, is computed a file at a
    time, so a new input file costs that file only, unless it deduplicates. Rejected rows are
    committed as `<name>.rejected` in the same transaction. `folder` is where a `python` step is
    looked for. Errors: TD-DATA-011 (an input was not given), TD-ENGINE-001.. (the SQL),
    TD-DATA-006 (a column that the result lacks), TD-CLEAN-001..010 (cleaning, Python),
    TD-FUNCTION-001..005 (functions of rows).
    """
    snapshots = _input_snapshots(definition, inputs, ledger=ledger)
    step = read_step(definition.python, folder=folder) if definition.python else None
    functions = read_functions(definition.functions, folder=folder)
    work = _Work(definition, step, functions, ledger=ledger, blobs=blobs, engine=engine)
    made = work.computed(snapshots)
    parents = [("snapshot", each.id, f"input {name}") for name, each in snapshots.items()]
    parts = {definition.name: made.kept}
    if made.rejected is not None:
        parts[definition.name + REJECTED] = made.rejected
    commits = []
    with ledger.transaction():
        for name, snapshot in parts.items():
            commits.append(
                commit_snapshot(
                    name,
                    snapshot,
                    ledger=ledger,
                    clock=clock,
                    branch=branch,
                    before=find_head(name, ledger=ledger, branch=branch),
                    parents=parents,
                    by=by,
                    why=f"derived from {', '.join(definition.inputs)}",
                    files_computed=work.pieces_computed,
                    files_reused=work.pieces_reused,
                )
            )
        if made.report is not None:
            _keep_report(made.report, parents, ledger=ledger)
    return commits[0]


def cleaning_report(commit: Commit, *, ledger: Ledger) -> CleaningReport | None:
    """Return what the newest cleaning did whose kept rows are this commit's, None for none."""
    found = ledger.records("cleaning", where={"snapshot": commit.snapshot}, limit=20)
    reports = [msgspec.convert(each.body, CleaningReport) for each in found]
    return next((each for each in reports if each.dataset == commit.dataset), None)


def _keep_report(
    report: CleaningReport, inputs: Sequence[tuple[str, str, str]], *, ledger: Ledger
) -> None:
    body = msgspec.to_builtins(report)
    halves = [
        ("snapshot", report.snapshot, "kept"),
        ("snapshot", report.rejected_snapshot, "rejected"),
    ]
    inputs_ = [each[1] for each in inputs]
    ledger.put("cleaning", digest([body, inputs_]), body, parents=[*halves, *inputs])


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


class _Work:
    """One definition at work on its inputs, piece by piece."""

    def __init__(
        self,
        definition: DerivedDefinition,
        step: PythonStep | None,
        functions: Mapping[str, PythonStep],
        *,
        ledger: Ledger,
        blobs: Blobs,
        engine: Engine,
    ) -> None:
        self.definition = definition
        self.step = step
        self.functions = functions
        self.ledger = ledger
        self.blobs = blobs
        self.engine = engine
        self.pieces_computed = 0
        self.pieces_reused = 0

    def computed(self, snapshots: Mapping[str, Snapshot]) -> Derivation:
        """Return the result; each piece from the ledger when the same work was done before."""
        made = [self.piece(piece) for piece in _pieces(self.definition, snapshots)]
        kept = [each.kept for each in made]
        rejected = [each.rejected for each in made if each.rejected is not None]
        whole = keep_manifest(_together(kept, self.definition.name), blobs=self.blobs)
        if not rejected:
            return Derivation(kept=whole)
        apart = keep_manifest(_together(rejected, self.definition.name), blobs=self.blobs)
        reports = [each.report for each in made if each.report is not None]
        report = _added(self.definition.name, reports, whole, apart)
        return Derivation(kept=whole, rejected=apart, report=report)

    def piece(self, piece: Mapping[str, Snapshot]) -> Derivation:
        work = self.key(piece)
        known = self.ledger.find("derivation", work)
        found = None if known is None else _recorded(known.body)
        # Files that were removed are made again.
        if found is not None and self.is_there(found):
            self.pieces_reused += 1
            return found
        made = self.run(piece)
        self.pieces_computed += 1
        body = {"dataset": self.definition.name, **manifest(made.kept)}
        if made.rejected is not None:
            body["rejected"] = manifest(made.rejected)
            body["report"] = msgspec.to_builtins(made.report)
        if known is None:
            self.ledger.put("derivation", work, body)
        return made

    def is_there(self, made: Derivation) -> bool:
        files = [*made.kept.files, *(made.rejected.files if made.rejected else ())]
        return all(self.blobs.has(file.digest) for file in files)

    def key(self, piece: Mapping[str, Snapshot]) -> str:
        """Digest everything that decides the bytes of the result."""
        inputs = {
            name: [list(snapshot.columns.items()), [file.digest for file in snapshot.files]]
            for name, snapshot in piece.items()
        }
        parts = {
            "version": _VERSION,
            "sql": self.definition.sql,
            "columns": self.definition.columns,
            "zone": self.definition.zone,
            "order": _leading_columns(self.definition),
            "times": time_columns(self.definition),
            "inputs": inputs,
        }
        # Only where they are there, so that work recorded before they existed is still known.
        if self.step is not None:
            parts["python"] = [self.step.text, self.step.digest]
        if self.functions:
            columns = msgspec.to_builtins(self.definition.functions)
            digests = {name: each.digest for name, each in self.functions.items()}
            parts["functions"] = [columns, digests]
        if self.definition.clean:
            parts["clean"] = msgspec.to_builtins(self.definition.clean)
        return digest(parts)

    def run(self, piece: Mapping[str, Snapshot]) -> Derivation:
        tables = {name: snapshot_table(each, blobs=self.blobs) for name, each in piece.items()}
        if self.definition.sql:
            answer = self.engine.query(self.definition.sql, tables)
        elif self.step is not None:
            scanned = [self.engine.scan(tables[name]) for name in self.definition.inputs]
            answer = run_step(self.step, scanned)
        else:
            (only,) = tables.values()
            answer = self.engine.scan(only)
        table = conform(
            answer,
            {**self.copied_types(piece), **self.definition.columns},
            zone=self.definition.zone,
            where=f"dataset '{self.definition.name}'",
        )
        if self.functions:
            where = f"dataset '{self.definition.name}'"
            table = add_functions(table, self.definition.functions, self.functions, where=where)
        check_columns(self.definition, stored_types(table))
        notes = {file.note for snapshot in piece.values() for file in snapshot.files}
        note = notes.pop() if len(notes) == 1 else ""
        if not self.definition.clean:
            return Derivation(kept=self.written(table, note))
        done = clean(table, self.definition.clean, engine=self.engine, name=self.definition.name)
        return Derivation(
            kept=self.written(done.kept, note),
            rejected=self.written(done.rejected, note),
            report=done.report,
        )

    def copied_types(self, piece: Mapping[str, Snapshot]) -> dict[str, str]:
        """Return the column types of an input that is only cleaned: its ids stay ids."""
        if self.definition.sql or self.step is not None:
            return {}
        ((_, only),) = piece.items()
        return dict(only.columns)

    def written(self, table: pa.Table, note: str) -> Snapshot:
        leading = _leading_columns(self.definition)
        file = write_file(_ordered(table, leading), blobs=self.blobs, note=note)
        return Snapshot(columns=stored_types(table), files=(file,), rows=file.rows)


def _pieces(
    definition: DerivedDefinition, snapshots: Mapping[str, Snapshot]
) -> list[Mapping[str, Snapshot]]:
    """Return the inputs as the pieces that are computed apart."""
    only_cleaned = not definition.sql and not definition.python
    together = any(step.deduplicate for step in definition.clean)
    if not (definition.rowwise or (only_cleaned and not together)):
        return [snapshots]
    ((name, whole),) = snapshots.items()
    alone = [Snapshot(columns=whole.columns, files=(file,), rows=file.rows) for file in whole.files]
    return [{name: each} for each in alone or [whole]]


def _recorded(body: Mapping[str, Any]) -> Derivation:
    if "rejected" not in body:
        return Derivation(kept=from_manifest(body))
    return Derivation(
        kept=from_manifest(body),
        rejected=from_manifest(body["rejected"]),
        report=msgspec.convert(body["report"], CleaningReport),
    )


def _added(
    name: str, reports: Sequence[CleaningReport], kept: Snapshot, rejected: Snapshot
) -> CleaningReport:
    """Return the reports of all pieces as one."""

    def summed(word: str) -> dict[str, int]:
        total: Counter[str] = Counter()
        for each in reports:
            total.update(getattr(each, word))
        return dict(total)

    return CleaningReport(
        dataset=name,
        rows=sum(each.rows for each in reports),
        kept=kept.rows,
        rejected=rejected.rows,
        reasons=summed("reasons"),
        filled=summed("filled"),
        clipped=summed("clipped"),
        snapshot=kept.id,
        rejected_snapshot=rejected.id,
    )


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
