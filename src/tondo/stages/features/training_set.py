"""Training sets: a spine with its label and every feature as it was known at each row's time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.canonical import digest
from tondo.core.errors import DataError
from tondo.core.instants import from_micros
from tondo.language.tree import LANGUAGE_VERSION, Node
from tondo.language.walk import to_json
from tondo.ports.engine import FileTable
from tondo.stages.data.arrow_types import stored_types
from tondo.stages.data.snapshots import write_file
from tondo.stages.features.joined_files import JoinRecipe, joined_rows
from tondo.stages.features.views import view_record_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.ports.engine import Engine
    from tondo.stages.features.resolve import ResolvedFeatures
    from tondo.stages.features.views import FeatureView

LABEL = "label"
RESERVED_LABEL = "@label"
"""Taken where the spine's own `label` is read: a name that no column can have."""


class TrainingSetView(msgspec.Struct, frozen=True, kw_only=True):
    """Which definition and which data of a view went in."""

    view: str
    digest: str
    snapshot: str


class TrainingSet(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is trained and judged on, before anything is fitted. Equal content, equal id."""

    name: str
    spine: str
    """Snapshot id of the spine."""
    time: str
    row_id: str
    label: str | None
    """The column that holds the label, null where it is not known; None without a label."""
    label_tree: Node | None
    inputs: dict[str, str]
    """The spine's columns that features read, with their types."""
    view_features: list[tuple[str, str, str, str]]
    """(canonical name, view, feature, key column); the canonical name is the column's name."""
    views: list[TrainingSetView]
    keys: dict[str, Any] = {}
    """Keys of view features that are computed, to their trees as JSON."""
    from_us: int | None
    until_us: int | None
    label_known_at: str | None = None
    """The spine's column with the instant at which the label became known."""
    language: int = LANGUAGE_VERSION
    """Of the language that computed the rows."""
    also: list[str] = []
    """The spine's columns that are kept beside, such as the one that a split reads."""
    columns: dict[str, str]
    """Every column with its type, in order: row id, time, label, inputs, view features, also."""
    data: str
    """Blob digest of the Parquet file."""
    spine_rows: int
    """Rows of the spine; each is in `rows` or in one of the two left-out counts."""
    rows: int
    labelled: int
    unlabelled: int
    left_out_by_time: int
    """Rows before `from_us` or after `until_us`."""
    left_out_label_later: int
    """Rows whose label became known only after `until_us`."""
    label_known_early: int = 0
    """Of `rows`: those whose label was known at their own time already."""

    @property
    def id(self) -> str:
        """The digest of the manifest."""
        return digest(manifest_of(self))


def manifest_of(training_set: TrainingSet) -> dict[str, Any]:
    """Return the record's body; columns as pairs, because their order counts."""
    body: dict[str, Any] = msgspec.to_builtins(training_set)
    for name in ("keys", "also", "label_known_at", "label_known_early"):
        if not body[name]:
            del body[name]
    return {**body, "columns": [list(pair) for pair in training_set.columns.items()]}


def read_training_set(id: str, *, ledger: Ledger) -> TrainingSet:  # noqa: A002 - the glossary's word
    """Return a recorded training set; TD-LEDGER-001 when it is not there."""
    body = dict(ledger.get("training_set", id).body)
    body["columns"] = dict(body["columns"])
    return msgspec.convert(body, TrainingSet)


def training_table(training_set: TrainingSet, *, blobs: Blobs) -> FileTable:
    """Return the rows as a table of one local Parquet file."""
    path = blobs.local_path(training_set.data)
    return FileTable(paths=(path,), columns=dict(training_set.columns))


def build_training_set(  # noqa: PLR0913 - each is named, and each is a part of the recipe
    *,
    name: str,
    spine: FileTable,
    spine_snapshot: str,
    time: str,
    row_id: str,
    resolved: ResolvedFeatures,
    views: Mapping[str, tuple[FeatureView, Any, str]],
    label: Node | None,
    engine: Engine,
    blobs: Blobs,
    ledger: Ledger,
    label_known_at: str | None = None,
    from_us: int | None = None,
    until_us: int | None = None,
    also: Sequence[str] = (),
    remember: bool = True,
) -> TrainingSet:
    """Join, write and record a training set.

    `views` gives for each view its definition, the table of its source and that table's snapshot
    id. With `until_us` a row takes part when its time, and the time its label became known, are
    not after it. A row without label stays, its label null. `also` names columns of the spine that
    are kept beside. Without `remember` every row is joined anew, though it was joined before.
    Raises TD-FEATURE-012 when `row_id` is null or doubled, TD-FEATURE-013 when no row is left.
    """
    label_name = None
    if label is not None:
        label_name = RESERVED_LABEL if LABEL in {row_id, time, *resolved.inputs, *also} else LABEL
    labels = {} if label_name is None or label is None else {label_name: label}
    used = {view for _, view, _, _ in resolved.view_features}
    known_at = [] if label_known_at is None else [label_known_at]
    read = [row_id, time, *resolved.inputs, *known_at, *also]
    every = joined_rows(
        spine,
        snapshot=spine_snapshot if remember else None,
        recipe=JoinRecipe(
            time=time,
            columns=list(dict.fromkeys(read)),
            labels=labels,
            view_features=resolved.view_features,
            keys=resolved.keys,
            views={view: views[view] for view in sorted(used)},
        ),
        engine=engine,
        blobs=blobs,
        ledger=ledger,
    )
    rows, counts = _taking_part(
        every, time=time, label_known_at=label_known_at, bounds=(from_us, until_us)
    )
    _check_rows(rows, row_id, name=name, counts=counts)
    fetched = [each[0] for each in resolved.view_features]
    order = dict.fromkeys([row_id, time, *labels, *resolved.inputs, *fetched, *also])
    joined = rows.select(list(order))
    unlabelled = joined.column(label_name).null_count if label_name else joined.num_rows
    training_set = TrainingSet(
        name=name,
        spine=spine_snapshot,
        time=time,
        row_id=row_id,
        label=label_name,
        label_tree=label,
        inputs=dict(resolved.inputs),
        view_features=resolved.view_features,
        keys={name: to_json(node) for name, node in resolved.keys.items()},
        views=[
            TrainingSetView(view=view, digest=views[view][0].digest, snapshot=views[view][2])
            for view in sorted(used)
        ],
        from_us=from_us,
        until_us=until_us,
        label_known_at=label_known_at,
        also=[name for name in also if name not in {row_id, time, *resolved.inputs}],
        columns=_types(joined, {label_name: label}, resolved, views),
        data=write_file(joined, blobs=blobs, note=name).digest,
        rows=joined.num_rows,
        labelled=joined.num_rows - unlabelled,
        unlabelled=unlabelled,
        label_known_early=_known_early(rows, time=time, label_known_at=label_known_at),
        **counts,
    )
    _record(training_set, views=views, ledger=ledger)
    return training_set


def _taking_part(
    table: pa.Table,
    *,
    time: str,
    label_known_at: str | None,
    bounds: tuple[int | None, int | None],
) -> tuple[pa.Table, dict[str, int]]:
    """Return the rows that take part, and how many were left out and why."""
    from pyarrow import compute

    rows = table.num_rows
    from_us, until_us = bounds
    if from_us is not None:
        table = _where(table, compute.greater_equal(table.column(time), from_micros(from_us)))
    if until_us is not None:
        table = _where(table, compute.less_equal(table.column(time), from_micros(until_us)))
    in_time = table.num_rows
    if until_us is not None and label_known_at is not None:
        in_reach = compute.less_equal(table.column(label_known_at), from_micros(until_us))
        # A label that never became known is null and no reason to lose the row.
        table = _where(table, compute.fill_null(in_reach, True))
    return table, {
        "spine_rows": rows,
        "left_out_by_time": rows - in_time,
        "left_out_label_later": in_time - table.num_rows,
    }


def _known_early(table: pa.Table, *, time: str, label_known_at: str | None) -> int:
    from pyarrow import compute

    if label_known_at is None:
        return 0
    early = compute.less_equal(table.column(label_known_at), table.column(time))
    return int(compute.sum(early, min_count=0).as_py())


def _where(table: pa.Table, mask: pa.ChunkedArray) -> pa.Table:
    """Return the rows whose mask is true; the table itself, not a copy, where all are."""
    from pyarrow import compute

    everywhere = mask.null_count == 0 and compute.all(mask, min_count=0).as_py()
    return table if everywhere else table.filter(mask)


def _check_rows(table: pa.Table, row_id: str, *, name: str, counts: dict[str, int]) -> None:
    from pyarrow import compute

    ids = table.column(row_id)
    distinct = compute.count_distinct(ids, mode="only_valid").as_py()
    if distinct != table.num_rows:
        repeated = table.num_rows - ids.null_count - distinct
        raise DataError(
            "TD-FEATURE-012",
            f"training set '{name}': the row id '{row_id}' is null in {ids.null_count} rows and "
            f"repeats in {repeated}",
            expected="one id per row, so that predictions and outcomes find their row",
            fix="Name another column, or make one in a derived data set.",
            column=row_id,
        )
    if table.num_rows == 0:
        raise DataError(
            "TD-FEATURE-013",
            f"training set '{name}' has no rows: of {counts['spine_rows']} in the spine, "
            f"{counts['left_out_by_time']} lie outside the period and the labels of "
            f"{counts['left_out_label_later']} become known later",
            fix="Widen the period, or commit more data first.",
        )


def _types(
    joined: pa.Table,
    labels: Mapping[str | None, Node | None],
    resolved: ResolvedFeatures,
    views: Mapping[str, tuple[FeatureView, Any, str]],
) -> dict[str, str]:
    declared = dict(resolved.inputs)
    declared |= {name: node.type for name, node in labels.items() if name and node}
    for canonical, view, feature, _ in resolved.view_features:
        declared[canonical] = views[view][0].types[feature]
    return {name: declared.get(name, type_) for name, type_ in stored_types(joined).items()}


def _record(
    training_set: TrainingSet,
    *,
    views: Mapping[str, tuple[FeatureView, Any, str]],
    ledger: Ledger,
) -> None:
    parents = [("snapshot", training_set.spine, "spine")]
    for used in training_set.views:
        parents.append(("snapshot", used.snapshot, f"view {used.view}"))
        definition = view_record_id(views[used.view][0])
        if ledger.find("feature_view", definition) is not None:
            parents.append(("feature_view", definition, f"view {used.view}"))
    ledger.put(
        "training_set",
        training_set.id,
        manifest_of(training_set),
        parents=list(dict.fromkeys(parents)),
    )
