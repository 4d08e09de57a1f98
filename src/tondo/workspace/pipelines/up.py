"""From a project's definitions to served models: `tondo up`, an execution whose steps are reused.

Data is read and checked against its schema (the first time the schema is inferred), views are
defined and loaded, each model is trained, judged, refitted, registered and brought live.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.canonical import digest, digest_bytes
from tondo.core.errors import DefinitionError, NotFoundError
from tondo.ports.objects import ObjectEntry
from tondo.stages.data.file_kinds import shown
from tondo.stages.data.sources import file_marks, is_object_url, refuse_change
from tondo.workspace.batches import refuse, sift
from tondo.workspace.pipelines.retrain import Retraining, learn_and_try
from tondo.workspace.verbs.data import DataVerbs
from tondo.workspace.verbs.deployment import DeploymentVerbs
from tondo.workspace.verbs.features import FeatureVerbs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.flow.executions import Execution
    from tondo.stages.data.definitions import SourceDefinition
    from tondo.workspace.bootstrap import Parts

_CHUNK_BYTES = 1 << 20


class Raised(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a project."""

    execution: str
    models: list[Retraining]


def up(parts: Parts, *, by: str, why: str) -> Raised:
    """Take every model of the project to a deployment; killed, the same call goes on.

    Errors: TD-WORKSPACE-020 when the project defines no model, and those of each stage.
    """
    models = list(parts.project.of("model"))
    if not models:
        raise DefinitionError(
            "TD-WORKSPACE-020",
            f"no model is defined in {parts.root}",
            expected="a `model:` in one of its YAML files",
            fix="Write one, or let `tondo init` write a first one from a table.",
        )
    state = digest([msgspec.to_builtins(each) for each in parts.project.definitions])
    with parts.executions.run("up", {"why": why}, key=f"up {parts.project.name}") as execution:
        commits = {name: _commit(parts, execution, name, by=by) for name in _sources(parts)}
        at_us = execution.step(
            "instant",
            lambda **_: parts.clock.now_us(),
            inputs={**commits, "definitions": state},
        )
        _check_data(parts, execution, commits, by=by)
        _define(parts, execution, commits, state=state, by=by)
        found = [
            learn_and_try(parts, execution, model, holdout_us=None, now_us=at_us, by=by, why=why)
            for model in models
        ]
    if any(each.version is not None for each in found):
        DeploymentVerbs(parts).reconcile()
    return Raised(execution=execution.id, models=found)


def _sources(parts: Parts) -> list[str]:
    """Return the sources to be read; rows of the others are handed to them."""
    found = parts.project.of("source").items()
    return [name for name, each in found if each.body.get("path") or each.body.get("url")]


def _commit(parts: Parts, execution: Execution, name: str, *, by: str) -> str:
    """Commit a source when its content or its definition has changed; return the snapshot.

    A database does not tell whether its rows have changed, so it is always read; the same rows
    are the same snapshot, and the steps after it are reused.
    """
    data = DataVerbs(parts)
    definition = data.source(name)
    seen = _seen(parts, definition)
    inputs = {_name_of(each): content for each, content in _told(seen)}

    def read(*, force: bool) -> str:
        snapshot: str = execution.step(
            f"read {name}",
            lambda **_: _read(parts, definition, seen, by=by),
            inputs=inputs,
            parameters={"definition": digest(definition)},
            force=force,
        )
        return snapshot

    if definition.url is not None:
        return read(force=True)
    snapshot = read(force=False)
    # Files put back as they once were are remembered, while the dataset has moved on.
    return snapshot if data.snapshot(name).id == snapshot else read(force=True)


def _seen(parts: Parts, definition: SourceDefinition) -> dict[Any, Any]:
    """Return the files or objects of a source with what shows that they change."""
    if definition.url is not None or definition.path is None:
        return {}
    if is_object_url(definition.path):
        return {each.url: each for each in parts.open_objects().find(definition.path)}
    return dict(file_marks(definition, base=parts.root))


def _told(seen: dict[Any, Any]) -> Iterator[tuple[Any, str]]:
    """Yield each file or object with what tells its content."""
    for each, mark in seen.items():
        if isinstance(mark, ObjectEntry):
            # Without a tag only the time of writing tells two objects of one size apart.
            yield each, f"{mark.bytes} {mark.etag or mark.modified_at_us}"
        else:
            yield each, _digest_of(each)


def _name_of(each: Path | str) -> str:
    return shown(each) if isinstance(each, Path) else each


def _read(parts: Parts, definition: SourceDefinition, seen: dict[Any, Any], *, by: str) -> str:
    """Commit a source; TD-DATA-027 when it is no longer what the step is named for."""
    refuse_change(definition.name, seen, _seen(parts, definition))
    return DataVerbs(parts).commit_source(definition.name, by=by, why="tondo up").snapshot


def _digest_of(path: Path) -> str:
    from blake3 import blake3

    whole = blake3()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            whole.update(chunk)
    return str(whole.hexdigest())


def _check_data(parts: Parts, execution: Execution, commits: dict[str, str], *, by: str) -> None:
    for name, snapshot in commits.items():
        execution.step(
            f"check {name}",
            lambda name=name, **_: _check(parts, name, by=by),
            inputs={"snapshot": snapshot},
        )


def _check(parts: Parts, name: str, *, by: str) -> int:
    """Check a dataset's new files; without a schema, infer it. Return how many were taken."""
    data = DataVerbs(parts)
    try:
        data.schema(name)
    except NotFoundError:
        data.infer_schema(name, why="inferred by tondo up from the first data")
        return 0
    found = sift(parts, name, by=by)
    refuse([found])
    return found.taken


def _define(
    parts: Parts, execution: Execution, commits: dict[str, str], *, state: str, by: str
) -> None:
    inputs = {**commits, "definitions": state}
    execution.step("derive", lambda **_: _derive(parts, by=by), inputs=inputs)
    features = FeatureVerbs(parts)
    execution.step("define views", lambda **_: features.sync_definitions(by=by), inputs=inputs)
    for name in parts.project.of("view"):
        if parts.views[name].asked:
            continue
        execution.step(
            f"load {name}",
            lambda name=name, **_: digest_bytes(
                msgspec.json.encode(features.materialise(name), enc_hook=str)
            ),
            inputs=inputs,
        )


def _derive(parts: Parts, *, by: str) -> dict[str, str]:
    data = DataVerbs(parts)
    return {name: data.derive(name, by=by).snapshot for name in parts.project.of("dataset")}
