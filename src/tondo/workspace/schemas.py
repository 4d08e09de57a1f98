"""The schema in force of a dataset: its versions, the file it may live in, what a change settles.

A definition that names a schema's file makes that file the schema: what it holds is a version as
soon as it is read, and verbs write it only when they are told to.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tondo.core.errors import CallerError, ConflictError, NotFoundError, PlatformError
from tondo.workspace.schema_yaml import read_yaml, write_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tondo.stages.data.anomalies import Anomalies
    from tondo.stages.data.movement import Movement
    from tondo.stages.data.schema import Schema
    from tondo.stages.data.schema_versions import SchemaVersion
    from tondo.stages.data.statistics import Statistics
    from tondo.stages.data.tracked_items import HeldFile, TrackedAnomaly
    from tondo.workspace.bootstrap import Parts

_YAML = (".yaml", ".yml")


def statistics_of(snapshot: str, parts: Parts) -> Statistics:
    """Return the statistics of a snapshot by its whole id, computed once and kept."""
    from tondo.stages.data.commits import recorded_snapshot
    from tondo.stages.data.snapshots import snapshot_table
    from tondo.stages.data.statistics import Statistics, statistics

    known = parts.ledger.find("statistics", snapshot)
    if known is not None:
        return msgspec.convert(known.body, Statistics)
    files = recorded_snapshot(snapshot, ledger=parts.ledger)
    found = statistics(snapshot_table(files, blobs=parts.blobs), engine=parts.profiler)
    parents = [("snapshot", snapshot, "describes")]
    parts.ledger.put("statistics", snapshot, found, parents=parents)
    return found


def schema_file(dataset: str, parts: Parts) -> Path | None:
    """Return the file that the dataset's definition names as its schema."""
    for kind in ("source", "dataset"):
        found = parts.project.of(kind).get(dataset)
        if found is not None and isinstance(found.body.get("schema"), str):
            named: str = found.body["schema"]
            return (parts.root / named).resolve()
    return None


def version_in_force(dataset: str, parts: Parts) -> SchemaVersion:
    """Return the version of a dataset's schema that holds now; a changed file is a new one.

    Errors: TD-SCHEMA-005 (none yet), TD-DATA-001, -002 and TD-SCHEMA-003, -006, -007 (the file).
    """
    from tondo.stages.data.schema_versions import find_version, present_version, read_schema

    path = schema_file(dataset, parts)
    if path is None:
        return present_version(dataset, ledger=parts.ledger)
    written = _read(path, dataset)
    known = find_version(dataset, ledger=parts.ledger)
    if known is not None and read_schema(known, ledger=parts.ledger) == written:
        return known
    return _save(dataset, written, parts, by=parts.actor, why=f"{path.name} changed")


def schema_in_force(dataset: str, parts: Parts) -> Schema:
    """Return the schema that holds now (errors as `version_in_force`)."""
    from tondo.stages.data.schema_versions import read_schema

    return read_schema(version_in_force(dataset, parts), ledger=parts.ledger)


def keep_schema(
    dataset: str, schema: Schema, parts: Parts, *, by: str, why: str, to_file: bool
) -> SchemaVersion:
    """Make a schema the one in force and close the tracked anomalies that it accepts.

    TD-SCHEMA-042 where the schema is a file and `to_file` was not said, -045 the other way round,
    -044 when the file cannot be written.
    """
    from tondo.stages.data.schema import check_schema

    check_schema(schema)
    path = schema_file(dataset, parts)
    if path is not None and not to_file:
        raise ConflictError(
            "TD-SCHEMA-042",
            f"the schema of '{dataset}' is the file {path}, which others may share",
            expected="an edit of that file, or the word that it be written",
            fix="Edit the file, or repeat with --to-file; comments in it are not kept.",
            dataset=dataset,
            path=str(path),
        )
    if to_file:
        if path is None or path.suffix not in _YAML:
            raise CallerError(
                "TD-SCHEMA-045",
                f"the schema of '{dataset}' is in " + (f"{path}" if path else "no file"),
                expected="a definition with `schema: FILE.yaml`",
                fix="Leave --to-file out; tondo schema export writes a copy.",
                dataset=dataset,
            )
        _write(path, write_yaml(schema))
        schema = _read(path, dataset)
    return _save(dataset, schema, parts, by=by or parts.actor, why=why)


def _save(dataset: str, schema: Schema, parts: Parts, *, by: str, why: str) -> SchemaVersion:
    from tondo.stages.data.schema_versions import save_schema

    # In one transaction a second process that saw the same change finds this version.
    with parts.ledger.transaction():
        version = save_schema(
            schema, dataset=dataset, ledger=parts.ledger, clock=parts.clock, by=by, why=why
        )
    settle(version, parts)
    return version


def settle(version: SchemaVersion, parts: Parts) -> None:
    """Check again what tracked anomalies were seen in, and close those the version accepts."""
    from tondo.stages.data.schema_versions import read_schema
    from tondo.stages.data.tracked_items import tracked
    from tondo.stages.data.tracking import accept
    from tondo.stages.data.validation import validate
    from tondo.workspace.refusals import close_refusal

    ledger = parts.ledger
    open_items = tracked(ledger=ledger, dataset=version.dataset, state="open")
    earlier = [each for each in open_items if each.schema_version != version.id]
    if not earlier:
        return
    schema = read_schema(version, ledger=ledger)
    seen_in = {place.id: place for each in earlier for place in _places(each, parts)}
    remaining = {
        each: validate(place.statistics(), schema, movements=place.movements())
        for each, place in sorted(seen_in.items())
    }
    accept(version, remaining, ledger=ledger)
    close_refusal(version.dataset, parts, by=version.by, why=version.why)


def accepting(item: TrackedAnomaly, schema: Schema, parts: Parts) -> Schema:
    """Return the schema that accepts a tracked anomaly wherever it was seen last.

    Patches are made anew against this schema, so nothing that others accepted meanwhile is undone;
    where it is seen no longer, the schema is the same.
    """
    from tondo.stages.data.tracked_items import key_of
    from tondo.stages.data.validation import apply_patches, validate

    for place in _places(item, parts):
        # Each patch starts from what the one before accepts, so that the widest stays.
        seen = validate(place.statistics(), schema, movements=place.movements())
        schema = apply_patches(schema, [each for each in seen if key_of(each) == key_of(item)])
    return schema


class _Place(NamedTuple):
    """Where an anomaly was seen: a snapshot, or alone a file that was set aside."""

    id: str
    statistics: Callable[[], Statistics]
    movements: Callable[[], list[Movement]]


def _places(item: TrackedAnomaly, parts: Parts) -> Iterator[_Place]:
    from tondo.workspace.reference import snapshot_movements

    for file in item.files:
        if (place := _file_place(item.dataset, file, parts)) is not None:
            yield place
    if not item.files:
        yield _Place(
            item.last_snapshot,
            lambda: statistics_of(item.last_snapshot, parts),
            lambda: snapshot_movements(parts, item.dataset, item.last_snapshot),
        )


def _file_place(dataset: str, held: HeldFile, parts: Parts) -> _Place | None:
    """Return a file that was set aside as a place; None when its rows are gone."""
    from tondo.stages.data.commits import recorded_snapshot
    from tondo.stages.data.statistics import statistics
    from tondo.workspace.reference import rows_of, table_movements

    try:
        snapshot = recorded_snapshot(held.snapshot, ledger=parts.ledger)
        files = tuple(each for each in snapshot.files if each.digest == held.digest)
        rows = rows_of(parts, snapshot, files)
    except NotFoundError:
        return None
    return _Place(
        held.digest,
        lambda: statistics(rows, engine=parts.profiler),
        lambda: table_movements(parts, dataset, rows),
    )


def check(ref: str, parts: Parts, *, environment: str | None = None, tracking: bool) -> Anomalies:
    """Check a version of a dataset against its schema.

    With `tracking` what is found in the newest snapshot opens, renews and fixes tracked anomalies;
    an environment's check sees only its own columns and tracks nothing.
    """
    from tondo.stages.data.references import referenced_dataset, resolve
    from tondo.stages.data.schema_versions import read_schema
    from tondo.stages.data.tracking import track
    from tondo.stages.data.validation import validate
    from tondo.workspace.reference import snapshot_movements

    ledger = parts.ledger
    dataset, snapshot = referenced_dataset(ref, ledger=ledger), resolve(ref, ledger=ledger).snapshot
    version = version_in_force(dataset, parts)
    schema = read_schema(version, ledger=ledger)
    found = validate(
        statistics_of(snapshot, parts),
        schema,
        environment=environment,
        movements=snapshot_movements(parts, dataset, snapshot),
    )
    if tracking and environment is None:
        settle(version, parts)
        track(
            found,
            dataset=dataset,
            snapshot=snapshot,
            version=version,
            ledger=ledger,
            clock=parts.clock,
        )
    return found


def _read(path: Path, dataset: str) -> Schema:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFoundError(
            "TD-DATA-002",
            f"the schema of '{dataset}' is {path}, which cannot be read: {error.strerror}",
            expected="the file that the definition's `schema:` names",
            fix=f"Write it: tondo schema infer {dataset} --to-file",
            path=str(path),
        ) from None
    return read_yaml(data, path)


def _write(path: Path, data: bytes) -> None:
    """Replace a file in one step: who reads it finds the one or the other."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise PlatformError(
            "TD-SCHEMA-044",
            f"the schema {path} cannot be written: {error.strerror}",
            expected="a folder that is there and may be written",
            path=str(path),
        ) from None
