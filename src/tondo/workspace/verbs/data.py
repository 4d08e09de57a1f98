"""Verbs on data: sources, snapshots, statistics, schemas, anomalies, SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import CallerError, DefinitionError, NotFoundError, near, placed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from tondo.ports.engine import FileTable
    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.commits import Commit
    from tondo.stages.data.definitions import DerivedDefinition, SourceDefinition
    from tondo.stages.data.schema import Schema
    from tondo.stages.data.snapshots import Snapshot
    from tondo.stages.data.statistics import Statistics
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
        """Read a source's files and commit them as the dataset's content."""
        from tondo.stages.data.sources import read_source

        table = read_source(self.source(source), base=self._parts.root)
        return self.commit_table(source, table, branch=branch, by=by, why=why or "read its source")

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
        from tondo.stages.data.commits import read_commit

        found = []
        for pointer in self._parts.ledger.pointers("dataset/"):
            commit = read_commit(pointer.target, ledger=self._parts.ledger)
            found.append(
                DatasetSummary(
                    name=commit.dataset,
                    branch=commit.branch,
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
        """Return a snapshot by `dataset`, `dataset@branch`, or the start of an id."""
        from tondo.stages.data.commits import recorded_snapshot

        return recorded_snapshot(self._snapshot_id(ref), ledger=self._parts.ledger)

    def statistics(self, ref: str) -> Statistics:
        """Return exact statistics of a snapshot, computed once and kept."""
        from tondo.stages.data.statistics import Statistics, statistics

        snapshot = self.snapshot(ref)
        ledger = self._parts.ledger
        known = ledger.find("statistics", snapshot.id)
        if known is not None:
            return msgspec.convert(known.body, Statistics)
        found = statistics(self._table_of(snapshot), engine=self._parts.engine)
        ledger.put(
            "statistics", snapshot.id, found, parents=[("snapshot", snapshot.id, "describes")]
        )
        return found

    def infer_schema(self, dataset: str, *, by: str = "", why: str = "") -> Schema:
        """Infer a schema from the dataset's newest snapshot and make it the present one."""
        from tondo.stages.data.inference import infer_schema
        from tondo.stages.data.schema_versions import save_schema

        schema = infer_schema(self.statistics(dataset), name=dataset)
        save_schema(
            schema,
            dataset=dataset,
            ledger=self._parts.ledger,
            clock=self._parts.clock,
            by=by or self._parts.actor,
            why=why or "inferred from the newest snapshot",
        )
        return schema

    def schema(self, dataset: str) -> Schema:
        """Return a dataset's present schema."""
        from tondo.stages.data.schema_versions import present_schema

        return present_schema(dataset, ledger=self._parts.ledger)

    def check(self, ref: str, *, environment: str | None = None) -> list[Anomaly]:
        """Check a snapshot against its dataset's schema; return the anomalies."""
        from tondo.stages.data.validation import validate

        dataset = self._dataset_of(ref)
        return list(validate(self.statistics(ref), self.schema(dataset), environment=environment))

    def block_bad_batch(self, dataset: str, table: pa.Table) -> None:
        """Raise TD-SCHEMA-001, naming the column, when a batch breaks the dataset's schema."""
        from tondo.stages.data.statistics import statistics
        from tondo.stages.data.validation import check_batch

        check_batch(statistics(table, engine=self._parts.engine), self.schema(dataset))

    def accept_patches(
        self, dataset: str, *, columns: list[str] | None = None, by: str = "", why: str = ""
    ) -> Schema:
        """Accept what the anomalies of the newest snapshot propose, for all or some columns."""
        from tondo.stages.data.schema_versions import save_schema
        from tondo.stages.data.validation import apply_patches

        anomalies = self.check(dataset)
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
        schema = apply_patches(self.schema(dataset), chosen)
        save_schema(
            schema,
            dataset=dataset,
            ledger=self._parts.ledger,
            clock=self._parts.clock,
            by=by or self._parts.actor,
            why=why or f"accepted {len(chosen)} patches",
        )
        return schema

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
                by=by or self._parts.actor,
            )

    def sql(self, text: str, *, limit: int = 1000) -> list[dict[str, Any]]:
        """Ask the newest snapshots in SQL; a dataset is a table under its name."""
        if limit < 0:
            raise CallerError("TD-WORKSPACE-016", f"limit is {limit}", expected="0 or more rows")
        tables = {each.name: self.table(each.name) for each in self.datasets()}
        found = self._parts.engine.query(text, tables)
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
        if self._parts.ledger.pointer(_pointer(dataset)) is None:
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

    def _dataset_of(self, ref: str) -> str:
        if self._parts.ledger.pointer(_pointer(ref)) is not None:
            return ref.partition("@")[0]
        record = self._one_record(ref, ("commit",))
        return str(record.body["dataset"])

    def _snapshot_id(self, ref: str) -> str:
        pointer = self._parts.ledger.pointer(_pointer(ref))
        if pointer is not None:
            return str(self._parts.ledger.get("commit", pointer.target).body["snapshot"])
        record = self._one_record(ref, ("snapshot", "commit"))
        return record.id if record.kind == "snapshot" else str(record.body["snapshot"])

    def _one_record(self, ref: str, kinds: Sequence[str]) -> Any:
        found = [each for each in self._parts.ledger.find_by_prefix(ref) if each.kind in kinds]
        if len(found) == 1:
            return found[0]
        names = [each.name for each in self.datasets()]
        raise NotFoundError(
            "TD-WORKSPACE-003",
            f"'{ref}' is {'several things' if found else 'no dataset, commit or snapshot'}",
            expected="a dataset, dataset@branch, or the start of one commit's or snapshot's id",
            fix=near(ref, [each.id for each in found] or names),
            ref=ref,
        )


def _pointer(ref: str) -> str:
    name, _, branch = ref.partition("@")
    return f"dataset/{name}@{branch or 'main'}"
