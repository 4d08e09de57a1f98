"""The schema in force of a dataset: its versions, the file it may live in, what a change settles.

A definition that names a schema's file makes that file the schema: what it holds is a version as
soon as it is read, and verbs write it only when they are told to.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import CallerError, ConflictError, NotFoundError, PlatformError
from tondo.workspace.schema_yaml import read_yaml, write_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from tondo.stages.data.anomalies import Anomalies
    from tondo.stages.data.schema import Schema
    from tondo.stages.data.schema_versions import SchemaVersion
    from tondo.stages.data.statistics import Statistics
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
    from tondo.stages.data.tracking import accept, tracked
    from tondo.stages.data.validation import validate
    from tondo.workspace.reference import snapshot_movements

    ledger = parts.ledger
    open_items = tracked(ledger=ledger, dataset=version.dataset, state="open")
    seen_in = {each.last_snapshot for each in open_items if each.schema_version != version.id}
    if not seen_in:
        return
    schema = read_schema(version, ledger=ledger)
    remaining = {
        each: validate(
            statistics_of(each, parts),
            schema,
            movements=snapshot_movements(parts, version.dataset, each),
        )
        for each in sorted(seen_in)
    }
    accept(version, remaining, ledger=ledger)


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
