"""Training sets: a spine with its label and every feature as it was known at each row's time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.canonical import digest
from tondo.core.errors import DataError
from tondo.language.tree import LANGUAGE_VERSION, Node
from tondo.language.walk import to_json
from tondo.ports.engine import FileTable
from tondo.stages.data.arrow_types import stored_types
from tondo.stages.data.row_groups import write_rows
from tondo.stages.features.joined_files import JoinRecipe, joined_rows
from tondo.stages.features.spine_pieces import PIECE_BYTES
from tondo.stages.features.taking_part import TakingPart
from tondo.stages.features.views import view_record_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

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
    piece_bytes: int = PIECE_BYTES,
) -> TrainingSet:
    """Join, write and record a training set.

    `views` gives for each view its definition, the table of its source and that table's snapshot
    id. With `until_us` a row takes part when its time, and the time its label became known, are
    not after it. A row without label stays, its label null. `also` names columns of the spine that
    are kept beside. Without `remember` every row is joined anew, though it was joined before.
    Joined rows are written as they come, about `piece_bytes` of them in memory at once.
    Raises TD-FEATURE-012 when `row_id` is null or doubled, TD-FEATURE-013 when no row is left.
    """
    label_name = None
    if label is not None:
        label_name = RESERVED_LABEL if LABEL in {row_id, time, *resolved.inputs, *also} else LABEL
    labels = {} if label_name is None or label is None else {label_name: label}
    used = sorted({view for _, view, _, _ in resolved.view_features})
    known_at = [] if label_known_at is None else [label_known_at]
    joined = joined_rows(
        spine,
        snapshot=spine_snapshot if remember else None,
        recipe=JoinRecipe(
            time=time,
            columns=list(dict.fromkeys([row_id, time, *resolved.inputs, *known_at, *also])),
            labels=labels,
            view_features=resolved.view_features,
            keys=resolved.keys,
            views={view: views[view] for view in used},
        ),
        piece_bytes=piece_bytes,
        engine=engine,
        blobs=blobs,
        ledger=ledger,
    )
    taking_part = TakingPart(
        time=time,
        label=label_name,
        label_known_at=label_known_at,
        from_us=from_us,
        until_us=until_us,
    )
    fetched = [each[0] for each in resolved.view_features]
    order = list(dict.fromkeys([row_id, time, *labels, *resolved.inputs, *fetched, *also]))
    written = write_rows((taking_part.rows_of(each).select(order) for each in joined), blobs=blobs)
    columns = _types(
        blobs.local_path(written.digest), {label_name: label}, resolved=resolved, views=views
    )
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
            for view in used
        ],
        from_us=from_us,
        until_us=until_us,
        label_known_at=label_known_at,
        also=[name for name in also if name not in {row_id, time, *resolved.inputs}],
        columns=columns,
        data=written.digest,
        spine_rows=taking_part.spine_rows,
        rows=written.rows,
        labelled=written.rows - taking_part.unlabelled,
        unlabelled=taking_part.unlabelled,
        left_out_by_time=taking_part.left_out_by_time,
        left_out_label_later=taking_part.left_out_label_later,
        label_known_early=taking_part.label_known_early,
    )
    _check_rows(training_set, engine=engine, blobs=blobs)
    _record(training_set, views=views, ledger=ledger)
    return training_set


def _check_rows(made: TrainingSet, *, engine: Engine, blobs: Blobs) -> None:
    if made.rows == 0:
        raise DataError(
            "TD-FEATURE-013",
            f"training set '{made.name}' has no rows: of {made.spine_rows} in the spine, "
            f"{made.left_out_by_time} lie outside the period and the labels of "
            f"{made.left_out_label_later} become known later",
            fix="Widen the period, or commit more data first.",
        )
    types = {made.row_id: made.columns[made.row_id]}
    # What is looked at here may be larger than memory, as the rows may.
    ids = engine.profile(training_table(made, blobs=blobs), types, top=0, labels=0, buckets=1)
    missing, distinct = ids[made.row_id]["missing"], ids[made.row_id]["distinct"]
    if distinct != made.rows:
        raise DataError(
            "TD-FEATURE-012",
            f"training set '{made.name}': the row id '{made.row_id}' is null in {missing} rows "
            f"and repeats in {made.rows - missing - distinct}",
            expected="one id per row, so that predictions and outcomes find their row",
            fix="Name another column, or make one in a derived data set.",
            column=made.row_id,
        )


def _types(
    path: Path,
    labels: Mapping[str | None, Node | None],
    *,
    resolved: ResolvedFeatures,
    views: Mapping[str, tuple[FeatureView, Any, str]],
) -> dict[str, str]:
    """Return the types of the columns of a written file, as they were declared where they were."""
    from pyarrow import parquet

    declared = dict(resolved.inputs)
    declared |= {name: node.type for name, node in labels.items() if name and node}
    for canonical, view, feature, _ in resolved.view_features:
        declared[canonical] = views[view][0].types[feature]
    stored = stored_types(parquet.read_schema(path).empty_table())
    return {name: declared.get(name, type_) for name, type_ in stored.items()}


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
