"""Verbs on schemas: their history and differences, edits, suggestions, what a batch breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import CallerError, near
from tondo.workspace.schemas import check, keep_schema, schema_in_force, version_in_force

if TYPE_CHECKING:
    import pyarrow as pa

    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.schema import Schema
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.verbs.data import DataVerbs


class SchemaLogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a dataset's schema and what it changed."""

    number: int
    """1 is the first; `flights@v1` names it."""
    id: str
    by: str
    why: str
    created_at_us: int
    parent: str | None
    schema: str
    """The id of the content."""
    changes: tuple[str, ...]
    """A line for each difference from the version before."""


class SchemaEdit(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit changes in a dataset's schema."""

    dataset: str
    changes: tuple[str, ...]
    """A line for each difference."""
    version: str | None = None
    """The version that holds now; None when nothing was to be done."""


class SchemaVerbs:
    """What a workspace does with the schemas of its datasets."""

    def __init__(self, parts: Parts, data: DataVerbs) -> None:
        self._parts = parts
        self._data = data

    def check(self, ref: str, *, environment: str | None = None) -> list[Anomaly]:
        """Check a snapshot against its dataset's schema and track nothing."""
        return check(ref, self._parts, environment=environment, tracking=False)

    def accept_patches(
        self,
        dataset: str,
        *,
        columns: list[str] | None = None,
        by: str = "",
        why: str = "",
        to_file: bool = False,
    ) -> Schema:
        """Accept what the anomalies of the newest snapshot propose, for all or some columns."""
        from tondo.stages.data.validation import apply_patches

        anomalies = self._data.check(dataset)
        known = [str(each.column) for each in anomalies]
        for column in columns or ():
            if column not in known:
                raise CallerError(
                    "TD-WORKSPACE-004",
                    f"'{dataset}' has no anomaly in the column '{column}'",
                    fix=near(column, known),
                    column=column,
                )
        chosen = [each for each in anomalies if columns is None or each.column in columns]
        schema = apply_patches(schema_in_force(dataset, self._parts), chosen)
        why = why or f"accepted {len(chosen)} patches"
        keep_schema(dataset, schema, self._parts, by=by, why=why, to_file=to_file)
        return schema

    def block_bad_batch(self, dataset: str, table: pa.Table) -> None:
        """Raise TD-SCHEMA-001, naming the column, when a batch may not be trained on.

        It breaks the dataset's schema, or has moved from the accepted rows beyond what is usual.
        """
        from tondo.stages.data.statistics import statistics
        from tondo.stages.data.validation import check_batch
        from tondo.workspace.reference import table_movements

        schema = schema_in_force(dataset, self._parts)
        moved = table_movements(self._parts, dataset, table)
        check_batch(statistics(table, engine=self._parts.profiler), schema, movements=moved)

    def log(self, dataset: str, *, column: str | None = None) -> list[SchemaLogEntry]:
        """Return every version, the newest first; with a column those that changed it."""
        from tondo.stages.data.schema_versions import schema_history, schema_log

        version_in_force(dataset, self._parts)
        ledger = self._parts.ledger
        line = [each.id for each in schema_history(dataset, ledger=ledger)[::-1]]
        return [
            SchemaLogEntry(
                number=line.index(version.id) + 1,
                id=version.id,
                by=version.by,
                why=version.why,
                created_at_us=version.created_at_us,
                parent=version.parent,
                schema=version.schema,
                changes=tuple(lines),
            )
            for version, lines in schema_log(dataset, ledger=ledger, column=column)
        ]

    def diff(self, before: str, after: str) -> list[str]:
        """Return a line for each difference of two versions: `flights@v1`, `flights`, an id."""
        from tondo.stages.data.schema_diff import schema_diff
        from tondo.stages.data.schema_versions import read_schema, referenced_version

        ledger = self._parts.ledger
        old, new = (
            read_schema(referenced_version(each, ledger=ledger), ledger=ledger)
            for each in (before, after)
        )
        return schema_diff(old, new)

    def set_constraints(
        self,
        dataset: str,
        edits: list[str],
        *,
        by: str = "",
        why: str = "",
        to_file: bool = False,
        dry_run: bool = False,
    ) -> SchemaEdit:
        """Edit a schema: `delay.min=-60`, `origin.domain=[EWR,JFK]`; no value takes away.

        Errors: TD-SCHEMA-040 (no such place), -041 (no such value), -042 (it is a file), and
        those of a schema that cannot be meant.
        """
        from tondo.stages.data.schema_edits import parse_edit
        from tondo.stages.data.validation import apply_changes

        schema = schema_in_force(dataset, self._parts)
        for edit in edits:
            schema = apply_changes(schema, [parse_edit(edit, schema)])
        why = why or ", ".join(edits)
        return self._edited(dataset, schema, by=by, why=why, to_file=to_file, dry_run=dry_run)

    def replace(
        self,
        dataset: str,
        document: dict[str, Any],
        *,
        by: str = "",
        why: str = "",
        to_file: bool = False,
        dry_run: bool = False,
    ) -> SchemaEdit:
        """Make a whole document the dataset's schema, as a file of YAML holds it."""
        from tondo.stages.data.schema import parse_schema

        schema = parse_schema(document, origin=f"schema of {dataset}")
        why = why or "replaced by a document"
        return self._edited(dataset, schema, by=by, why=why, to_file=to_file, dry_run=dry_run)

    def suggest(self, dataset: str) -> list[str]:
        """Return edits that would hold numeric columns to the range seen; nothing is imposed."""
        from tondo.stages.data.inference import suggest_ranges
        from tondo.stages.data.schema_edits import edit_of

        schema = schema_in_force(dataset, self._parts)
        found = suggest_ranges(self._data.statistics(dataset))
        new = [each for each in found if each.path[1] in schema.columns]
        return [
            edit_of(each)
            for each in new
            if getattr(schema.columns[each.path[1]], each.path[2]) is None
        ]

    def _edited(
        self, dataset: str, schema: Schema, *, by: str, why: str, to_file: bool, dry_run: bool
    ) -> SchemaEdit:
        from tondo.core.errors import NotFoundError
        from tondo.stages.data.schema import Schema
        from tondo.stages.data.schema_diff import schema_diff

        try:
            before = schema_in_force(dataset, self._parts)
        except NotFoundError:
            before = Schema(name=schema.name, columns={})
        lines = tuple(schema_diff(before, schema))
        if dry_run:
            return SchemaEdit(dataset=dataset, changes=lines)
        version = keep_schema(dataset, schema, self._parts, by=by, why=why, to_file=to_file)
        return SchemaEdit(dataset=dataset, changes=lines, version=version.id)
