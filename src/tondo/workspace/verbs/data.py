"""Verbs on data: sources, snapshots, statistics, schemas, anomalies, SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import CallerError, DefinitionError, placed
from tondo.workspace.schemas import (
    accepting,
    check,
    keep_schema,
    schema_in_force,
    settle,
    statistics_of,
    version_in_force,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from tondo.ports.engine import FileTable
    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.commits import Commit
    from tondo.stages.data.definitions import DerivedDefinition, SourceDefinition
    from tondo.stages.data.schema import Schema
    from tondo.stages.data.snapshots import Snapshot
    from tondo.stages.data.statistics import Statistics
    from tondo.stages.data.tracked_items import TrackedAnomaly
    from tondo.workspace.bootstrap import Parts


class DatasetSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset at a glance."""

    name: str
    branch: str
    commit: str
    snapshot: str
    rows: int
    created_at_us: int


class DataVerbs:
    """What a workspace does with data."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def commit_source(
        self, source: str, *, branch: str = "main", by: str = "", why: str = ""
    ) -> Commit:
        """Read a source and commit its rows as the dataset's content.

        A source with `chunk_rows` becomes a file for each range; else it is one file.
        """
        from tondo.stages.data.commits import commit_snapshot, find_head
        from tondo.stages.data.pieces import write_pieces
        from tondo.stages.data.sources import read_pieces, whole

        definition = self.source(source)
        why = why or "read its source"
        before = find_head(source, ledger=self._parts.ledger, branch=branch)
        pieces = read_pieces(
            definition,
            base=self._parts.root,
            objects=self._parts.open_objects(),
            databases=self._parts.open_databases(),
        )
        if definition.chunk_rows is None:
            table = whole(pieces)
            return self.commit_table(source, table, branch=branch, by=by, why=why)
        return commit_snapshot(
            source,
            write_pieces(pieces, blobs=self._parts.blobs),
            ledger=self._parts.ledger,
            clock=self._parts.clock,
            branch=branch,
            before=before,
            by=by or self._parts.actor,
            why=why,
        )

    def commit_table(
        self,
        dataset: str,
        table: pa.Table,
        *,
        branch: str = "main",
        append: bool = False,
        note: str = "",
        by: str = "",
        why: str = "",
    ) -> Commit:
        """Commit an Arrow table as the dataset's content, or as one more file of it."""
        from tondo.stages.data.commits import commit

        return commit(
            dataset,
            table,
            ledger=self._parts.ledger,
            blobs=self._parts.blobs,
            clock=self._parts.clock,
            branch=branch,
            mode="append" if append else "replace",
            note=note,
            by=by or self._parts.actor,
            why=why or "committed a table",
        )

    def datasets(self) -> list[DatasetSummary]:
        """List the datasets with the newest commit of each branch."""
        from tondo.stages.data.commits import REMOVED, read_commit

        found = []
        for pointer in self._parts.ledger.pointers("dataset/"):
            if pointer.target == REMOVED:
                continue
            commit = read_commit(pointer.target, ledger=self._parts.ledger)
            found.append(
                DatasetSummary(
                    name=commit.dataset,
                    branch=pointer.name.rpartition("@")[2],
                    commit=commit.id,
                    snapshot=commit.snapshot,
                    rows=commit.rows,
                    created_at_us=commit.created_at_us,
                )
            )
        return found

    def commits(self, dataset: str, *, branch: str = "main") -> list[Commit]:
        """Return a branch's commits, the newest first."""
        from tondo.stages.data.commits import history

        return history(dataset, ledger=self._parts.ledger, branch=branch)

    def snapshot(self, ref: str) -> Snapshot:
        """Return a snapshot by a reference: `flights`, `flights@v3`, `flights@2013-04-01`..."""
        from tondo.stages.data.references import referenced_snapshot

        return referenced_snapshot(ref, ledger=self._parts.ledger)

    def statistics(self, ref: str) -> Statistics:
        """Return exact statistics of a snapshot, computed once and kept."""
        return statistics_of(self.snapshot(ref).id, self._parts)

    def infer_schema(
        self, dataset: str, *, by: str = "", why: str = "", to_file: bool = False
    ) -> Schema:
        """Infer a schema from the dataset's newest snapshot and make it the present one."""
        from tondo.stages.data.inference import infer_schema

        schema = infer_schema(self.statistics(dataset), name=dataset)
        why = why or "inferred from the newest snapshot"
        keep_schema(dataset, schema, self._parts, by=by, why=why, to_file=to_file)
        return schema

    def schema(self, dataset: str) -> Schema:
        """Return a dataset's present schema."""
        return schema_in_force(dataset, self._parts)

    def check(self, ref: str, *, environment: str | None = None) -> list[Anomaly]:
        """Check a snapshot against its dataset's schema; return the anomalies.

        Those of the newest snapshot are tracked, unless an environment narrows what is looked at.
        """
        return check(ref, self._parts, environment=environment, tracking=True)

    def anomalies(
        self, dataset: str | None = None, state: str | None = None
    ) -> list[TrackedAnomaly]:
        """List the tracked anomalies of one dataset or of all, the newest sighting first.

        `state` is open, accepted, fixed or dismissed.
        """
        from tondo.stages.data.tracked_items import tracked

        return tracked(ledger=self._parts.ledger, dataset=dataset, state=state)

    def anomaly(self, anomaly_id: str) -> TrackedAnomaly:
        """Return a tracked anomaly as it is now, by its id or the start of it."""
        from tondo.stages.data.tracked_items import find_item

        return find_item(anomaly_id, ledger=self._parts.ledger)

    def accept_anomaly(
        self, anomaly_id: str, *, by: str = "", why: str = "", to_file: bool = False
    ) -> TrackedAnomaly:
        """Accept a tracked anomaly's patch: a new version of the schema, the item closed.

        The patch is made anew against the present schema, so nothing that others accepted
        meanwhile is undone. Errors: TD-ANOMALY-001, -002 (closed already), TD-SCHEMA-042.
        """
        from tondo.stages.data.tracked_items import find_item, open_item

        item = open_item(anomaly_id, ledger=self._parts.ledger)
        version = version_in_force(item.dataset, self._parts)
        schema = self.schema(item.dataset)
        accepted = accepting(item, schema, self._parts)
        if accepted == schema:
            settle(version, self._parts)
        else:
            why = why or f"accepted: {item.message}"
            keep_schema(item.dataset, accepted, self._parts, by=by, why=why, to_file=to_file)
        return find_item(item.id, ledger=self._parts.ledger)

    def assign_anomaly(
        self, anomaly_id: str, *, owner: str, by: str = "", why: str = ""
    ) -> TrackedAnomaly:
        """Say who looks after a tracked anomaly, and why where there is something to say."""
        from tondo.stages.data.tracking import assign

        return assign(
            anomaly_id,
            owner=owner,
            ledger=self._parts.ledger,
            by=by or self._parts.actor,
            why=why or f"assigned to {owner}",
        )

    def derive(self, dataset: str, *, by: str = "") -> Commit:
        """Bring a derived dataset, and the derived datasets it reads, up to date."""
        from tondo.stages.data.commits import head
        from tondo.stages.data.derived import derive

        definition = self.derived(dataset)
        derived = self._parts.project.of("dataset")
        self._refuse_circle(dataset, ())
        with placed(str(derived[dataset].place)):
            inputs = {
                name: self.derive(name, by=by)
                if name in derived
                else head(name, ledger=self._parts.ledger)
                for name in definition.inputs
            }
            return derive(
                definition,
                inputs,
                ledger=self._parts.ledger,
                blobs=self._parts.blobs,
                engine=self._parts.engine,
                clock=self._parts.clock,
                folder=self._parts.root,
                by=by or self._parts.actor,
            )

    def sql(self, text: str, *, limit: int = 1000) -> list[dict[str, Any]]:
        """Ask snapshots in SQL: `flights` is the newest, `flights@v3` any other version."""
        from tondo.stages.data.query_names import named_versions

        if limit < 0:
            raise CallerError("TD-WORKSPACE-016", f"limit is {limit}", expected="0 or more rows")
        quoted, versions = named_versions(text)
        heads = [each.name for each in self.datasets() if each.branch == "main"]
        tables = {ref: self.table(ref) for ref in [*heads, *versions]}
        found = self._parts.engine.query(quoted, tables)
        rows: list[dict[str, Any]] = found.slice(0, limit).to_pylist()
        return rows

    def table(self, ref: str) -> FileTable:
        """Return a snapshot as a table that engines read."""
        return self._table_of(self.snapshot(ref))

    def source(self, name: str) -> SourceDefinition:
        """Return a source's definition."""
        from tondo.stages.data.definitions import parse_source

        found = self._parts.project.get("source", name)
        return parse_source(found.body, origin=str(found.place))

    def derived(self, name: str) -> DerivedDefinition:
        """Return a derived dataset's definition."""
        from tondo.stages.data.definitions import parse_derived

        found = self._parts.project.get("dataset", name)
        return parse_derived(found.body, origin=str(found.place))

    def columns(self, dataset: str) -> dict[str, str]:
        """Return a dataset's columns as committed, or as declared while nothing is committed."""
        from tondo.stages.data.commits import find_head

        if find_head(dataset, ledger=self._parts.ledger) is None:
            return dict(self.definition(dataset).columns)
        return dict(self.snapshot(dataset).columns)

    def definition(self, name: str) -> SourceDefinition | DerivedDefinition:
        """Return the definition of a dataset, be it a source's or a derived one."""
        if name in self._parts.project.of("dataset"):
            return self.derived(name)
        return self.source(name)

    def _refuse_circle(self, dataset: str, above: tuple[str, ...]) -> None:
        found = self._parts.project.of("dataset").get(dataset)
        if found is None:
            return
        if dataset in above:
            raise DefinitionError(
                "TD-PROJECT-006",
                f"{found.place}: datasets are made from each other: "
                + " from ".join([*above[above.index(dataset) :], dataset]),
                expected="datasets that come from sources in the end",
                fix="Take one of them out of the other's `inputs:`.",
                place=str(found.place),
            )
        for name in self.derived(dataset).inputs:
            self._refuse_circle(name, (*above, dataset))

    def _table_of(self, snapshot: Snapshot) -> FileTable:
        from tondo.stages.data.snapshots import snapshot_table

        return snapshot_table(snapshot, blobs=self._parts.blobs)
