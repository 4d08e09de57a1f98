"""What the pages of datasets show, as values: versions, columns, comparisons.

Instants are microseconds since 1970 UTC (`*_us`). Statistics come from where they are kept; a
version that nobody looked at before is measured once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.stages.data.commits import Commit
from tondo.stages.data.compare_statistics import ColumnComparison
from tondo.stages.data.statistics import ColumnStatistics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.stages.data.schema import Schema
    from tondo.workspace.facade import Workspace

COLUMNS_ON_A_PAGE = 100
"""A page of 100 columns with everything folded in it is about 700 KB before gzip."""
_STRIP = 24
_VERSIONS_OFFERED = 200


class DatasetRow(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset in the list of all."""

    name: str
    description: str
    derived: bool
    branches: list[str]
    columns: int | None
    """None when the newest content was removed."""
    newest: Commit
    recent_rows: list[int]
    """Rows of the last commits, the oldest first."""
    anomalies: dict[str, int]
    """Open ones by severity."""


class Parent(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot was made from."""

    role: str
    dataset: str
    """Empty for a parent that is no snapshot of a dataset."""
    kind: str
    id: str


class VersionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a dataset, as the head of its pages shows it."""

    dataset: str
    description: str
    reference: str
    """The word after the `@` that names it: `v3`, or the start of its id off the main branch."""
    newest: bool
    """True for the head of main."""
    commit: Commit
    files: int
    bytes: int
    tags: list[str]
    parents: list[Parent]
    anomalies: dict[str, int]
    """Open anomalies of the dataset by severity."""


class ColumnRow(msgspec.Struct, frozen=True, kw_only=True):
    """A column beside what the schema says of it."""

    name: str
    statistics: ColumnStatistics
    must: str
    """The schema's constraints in words; empty without a schema or constraints."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of many columns a page shows."""

    search: str
    page: int
    """From 1."""
    pages: int
    found: int
    total: int


class DatasetPage(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a dataset with its columns."""

    version: VersionFacts
    versions: list[tuple[str, Commit]]
    columns: list[ColumnRow]
    part: Found


class MovedColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column of two versions that is not the same in both."""

    name: str
    before: ColumnStatistics
    after: ColumnStatistics
    distances: dict[str, tuple[float, str | None]]
    """Measure to its value, 0 to 1, and where the two differ most; empty when they cannot be
    compared."""
    comparison: ColumnComparison


class ComparePage(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions of a dataset over each other, what moved most first."""

    before: VersionFacts
    after: VersionFacts
    versions: list[tuple[str, Commit]]
    moved: list[MovedColumn]
    still: list[str]
    """Columns whose every figure is equal."""
    new: list[str]
    gone: list[str]
    part: Found


def dataset_rows(workspace: Workspace) -> list[DatasetRow]:
    """Return every dataset, main before other branches."""
    branches: dict[str, list[str]] = {}
    for each in workspace.data.datasets():
        branches.setdefault(each.name, []).append(each.branch)
    counts = _open_anomalies(workspace)
    return [
        _dataset_row(workspace, name, sorted(kept, key=lambda branch: branch != "main"), counts)
        for name, kept in sorted(branches.items())
    ]


def _dataset_row(
    workspace: Workspace, name: str, branches: list[str], counts: Mapping[str, dict[str, int]]
) -> DatasetRow:
    from tondo.core.errors import NotFoundError
    from tondo.stages.data.commits import head, read_commit, recorded_snapshot

    ledger = workspace.parts.ledger
    line = [head(name, ledger=ledger, branch=branches[0])]
    while line[-1].parent is not None and len(line) < _STRIP:
        line.append(read_commit(line[-1].parent, ledger=ledger))
    try:
        columns = len(recorded_snapshot(line[0].snapshot, ledger=ledger).columns)
    except NotFoundError:
        columns = None
    return DatasetRow(
        name=name,
        description=_description(workspace, name),
        derived=name in workspace.parts.project.of("dataset"),
        branches=branches,
        columns=columns,
        newest=line[0],
        recent_rows=[each.rows for each in reversed(line)],
        anomalies=counts.get(name, {}),
    )


def dataset_page(
    workspace: Workspace, dataset: str, *, version: str = "", search: str = "", page: int = 1
) -> DatasetPage:
    """Return a version of a dataset with one page of its columns.

    Errors: TD-DATA-009, TD-WORKSPACE-003 (no such dataset), TD-DATA-020 and -021 (no such version),
    TD-DATA-029 (it was removed).
    """
    commit = commit_of(workspace, dataset, version)
    versions = versions_of(workspace, commit.dataset)
    statistics = workspace.data.statistics(commit.id)
    must = _constraints(workspace, dataset)
    names, part = part_of(list(workspace.data.snapshot(commit.id).columns), search, page)
    return DatasetPage(
        version=version_facts(workspace, commit, versions),
        versions=versions,
        columns=[
            ColumnRow(name=name, statistics=statistics.columns[name], must=must.get(name, ""))
            for name in names
        ],
        part=part,
    )


def compare_page(
    workspace: Workspace,
    dataset: str,
    *,
    before: str = "",
    after: str = "",
    search: str = "",
    page: int = 1,
) -> ComparePage:
    """Return two versions over each other; by default the newest and the one before it.

    Errors as `dataset_page`.
    """
    from tondo.stages.data.commits import read_commit
    from tondo.stages.data.compare_statistics import compare

    versions = versions_of(workspace, dataset)
    later = commit_of(workspace, dataset, after)
    parent = later.parent or later.id
    earlier = (
        commit_of(workspace, dataset, before)
        if before
        else read_commit(parent, ledger=workspace.parts.ledger)
    )
    first, second = (workspace.data.statistics(each.id) for each in (earlier, later))
    compared = compare(first, second)
    moved = [name for name in compared.columns if first.columns[name] != second.columns[name]]
    moved.sort(key=lambda name: -_shift(first.columns[name], second.columns[name]))
    names, part = part_of(moved, search, page)
    return ComparePage(
        before=version_facts(workspace, earlier, versions),
        after=version_facts(workspace, later, versions),
        versions=versions,
        moved=[
            _moved(name, first.columns[name], second.columns[name], compared.columns[name])
            for name in names
        ],
        still=[name for name in compared.columns if first.columns[name] == second.columns[name]],
        new=list(compared.new_columns),
        gone=list(compared.gone_columns),
        part=part,
    )


def commit_of(workspace: Workspace, dataset: str, version: str) -> Commit:
    """Return a commit of a dataset; without a version the head of main, or of its only branch."""
    from tondo.stages.data.commits import find_head, head
    from tondo.stages.data.references import version_of

    ledger = workspace.parts.ledger
    if version or find_head(dataset, ledger=ledger):
        return version_of(dataset, version, ledger=ledger)
    branches = [each.branch for each in workspace.data.datasets() if each.name == dataset]
    return head(dataset, ledger=ledger, branch=branches[0] if branches else "main")


def version_facts(
    workspace: Workspace, commit: Commit, versions: Sequence[tuple[str, Commit]]
) -> VersionFacts:
    """Return what the head of a page says of a commit; `versions` are those of `versions_of`."""
    snapshot = workspace.data.snapshot(commit.id)
    ledger = workspace.parts.ledger
    name = commit.dataset
    numbers = {each.id: word for word, each in versions}
    word = numbers.get(commit.id, commit.id[:18])
    lineage = ledger.lineage("snapshot", commit.snapshot, direction="up", depth=1)
    return VersionFacts(
        dataset=name,
        description=_description(workspace, name),
        reference=word,
        newest=next(iter(numbers), "") == commit.id,
        commit=commit,
        files=len(snapshot.files),
        bytes=snapshot.bytes,
        tags=[each.name for each in workspace.snapshots.tags(name) if each.commit == commit.id],
        parents=[
            _parent(workspace, each.role, each.parent_kind, each.parent_id)
            for each in lineage.edges
        ],
        anomalies=_open_anomalies(workspace, name).get(name, {}),
    )


def _parent(workspace: Workspace, role: str, kind: str, identity: str) -> Parent:
    dataset = ""
    if kind == "snapshot":
        commits = workspace.parts.ledger.records("commit", where={"snapshot": identity}, limit=1)
        dataset = str(commits[0].body["dataset"]) if commits else ""
    return Parent(role=role, dataset=dataset, kind=kind, id=identity)


def versions_of(workspace: Workspace, dataset: str) -> list[tuple[str, Commit]]:
    """Return the newest commits of main with the words that name them, the newest first."""
    from tondo.stages.data.commits import find_head

    if find_head(dataset, ledger=workspace.parts.ledger) is None:
        return []
    line = workspace.data.commits(dataset)
    return [(f"v{len(line) - place}", each) for place, each in enumerate(line)][:_VERSIONS_OFFERED]


def _description(workspace: Workspace, dataset: str) -> str:
    project = workspace.parts.project
    defined = {**project.of("source"), **project.of("dataset")}.get(dataset)
    return "" if defined is None else str(defined.body.get("description", ""))


def _open_anomalies(workspace: Workspace, dataset: str | None = None) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for each in workspace.data.anomalies(dataset=dataset, state="open"):
        counts = found.setdefault(each.dataset, {})
        counts[each.severity] = counts.get(each.severity, 0) + 1
    return found


def schema_of(workspace: Workspace, dataset: str) -> Schema | None:
    """Return the present schema of a dataset, None while it has none."""
    from tondo.core.errors import NotFoundError

    try:
        return workspace.data.schema(dataset)
    except NotFoundError:
        return None


def _constraints(workspace: Workspace, dataset: str) -> dict[str, str]:
    from tondo.stages.data.constraints import describe

    schema = schema_of(workspace, dataset)
    return {name: describe(each) for name, each in schema.columns.items()} if schema else {}


def part_of(names: Sequence[str], search: str, page: int) -> tuple[list[str], Found]:
    """Return the names that a page shows: those that hold `search`, cut in pages.

    >>> part_of(["dep_delay", "arr_delay", "origin"], "delay", 9)[1].page
    1
    """
    found = [each for each in names if search.casefold() in each.casefold()]
    pages = max(1, -(-len(found) // COLUMNS_ON_A_PAGE))
    page = min(max(page, 1), pages)
    start = (page - 1) * COLUMNS_ON_A_PAGE
    part = Found(search=search, page=page, pages=pages, found=len(found), total=len(names))
    return found[start : start + COLUMNS_ON_A_PAGE], part


def _shift(before: ColumnStatistics, after: ColumnStatistics) -> float:
    """Return by how much a column moved, 0 to 1; what cannot be compared moved the most."""
    from tondo.stages.data.distances import between

    found = between(before, after, "l_infinity")
    missing = abs(_missing_share(after) - _missing_share(before))
    return 1.0 if found is None else max(found[0], missing)


def _missing_share(column: ColumnStatistics) -> float:
    return (column.rows - column.present) / column.rows if column.rows else 0.0


def _moved(
    name: str, before: ColumnStatistics, after: ColumnStatistics, comparison: ColumnComparison
) -> MovedColumn:
    from tondo.stages.data.constraints import MEASURES
    from tondo.stages.data.distances import between

    measured = {each: between(before, after, each) for each in MEASURES}
    return MovedColumn(
        name=name,
        before=before,
        after=after,
        distances={each: found for each, found in measured.items() if found is not None},
        comparison=comparison,
    )
