"""A training set built again from its manifest, from the snapshots and definitions it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.canonical import digest
from tondo.core.errors import ConflictError, NotFoundError
from tondo.language.tree import LANGUAGE_VERSION
from tondo.language.walk import from_json
from tondo.stages.data.commits import recorded_snapshot
from tondo.stages.data.snapshots import snapshot_table
from tondo.stages.features.resolve import ResolvedFeatures
from tondo.stages.features.spine_pieces import PIECE_BYTES
from tondo.stages.features.training_set import (
    build_training_set,
    manifest_of,
    read_training_set,
)
from tondo.stages.features.views import FeatureView

if TYPE_CHECKING:
    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.ports.engine import Engine, FileTable
    from tondo.stages.features.training_set import TrainingSet, TrainingSetView


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """What came of building a training set again."""

    training_set: str
    """Of what was built: the same id when it is the same."""
    same: bool
    differs_in: list[str]
    """Parts of the manifest that are not what they were; `data` are the rows themselves."""


def rebuild_training_set(
    id: str,  # noqa: A002 - the glossary's word
    *,
    engine: Engine,
    blobs: Blobs,
    ledger: Ledger,
    piece_bytes: int = PIECE_BYTES,
) -> Rebuilt:
    """Join every row anew as the manifest says, and compare.

    Errors: TD-FEATURE-201 (another version of the language, or a definition that was never
    recorded), TD-LEDGER-001 and TD-DATA-029 (no such training set; a snapshot that was removed).
    """
    made = read_training_set(id, ledger=ledger)
    if made.language != LANGUAGE_VERSION:
        raise ConflictError(
            "TD-FEATURE-201",
            f"training set {id[:12]} was computed by version {made.language} of the language",
            expected=f"version {LANGUAGE_VERSION}",
            fix="Rebuild it with the version of tondo that made it.",
            training_set=id,
        )
    built = _build(made, id, engine=engine, blobs=blobs, ledger=ledger, piece_bytes=piece_bytes)
    before, after = manifest_of(made), manifest_of(built)
    differs = sorted(
        name
        for name in before.keys() | after.keys()
        if digest(before.get(name)) != digest(after.get(name))
    )
    return Rebuilt(training_set=built.id, same=not differs, differs_in=differs)


def _build(
    made: TrainingSet,
    id_: str,
    *,
    engine: Engine,
    blobs: Blobs,
    ledger: Ledger,
    piece_bytes: int,
) -> TrainingSet:
    def table(snapshot: str) -> FileTable:
        return snapshot_table(recorded_snapshot(snapshot, ledger=ledger), blobs=blobs)

    definitions = _definitions(made, id_, ledger=ledger)
    return build_training_set(
        name=made.name,
        spine=table(made.spine),
        spine_snapshot=made.spine,
        time=made.time,
        row_id=made.row_id,
        resolved=ResolvedFeatures(
            features={},
            inputs=made.inputs,
            view_features=made.view_features,
            keys={name: from_json(tree) for name, tree in made.keys.items()},
        ),
        views={
            each.view: (definitions[each.view], table(each.snapshot), each.snapshot)
            for each in made.views
        },
        label=made.label_tree,
        engine=engine,
        blobs=blobs,
        ledger=ledger,
        label_known_at=made.label_known_at,
        from_us=made.from_us,
        until_us=made.until_us,
        also=made.also,
        remember=False,
        piece_bytes=piece_bytes,
    )


def _definitions(made: TrainingSet, id_: str, *, ledger: Ledger) -> dict[str, FeatureView]:
    """Return the definition of each view as it was then, by the view's name."""
    parents = ledger.lineage("training_set", id_, direction="up", depth=1).nodes
    known = [
        ledger.read("feature_view", each.id, FeatureView)
        for each in parents
        if each.kind == "feature_view"
    ]
    return {each.view: _found(each, known, id_) for each in made.views}


def _found(used: TrainingSetView, known: list[FeatureView], id_: str) -> FeatureView:
    for view in known:
        if (view.name, view.digest) == (used.view, used.digest):
            return view
    raise NotFoundError(
        "TD-FEATURE-201",
        f"the definition of view '{used.view}' that training set {id_[:12]} was joined with was "
        "never recorded",
        expected="a view that was defined in the workspace",
        fix="Define the view, and build the training set anew.",
        view=used.view,
    )
