"""Versions of schemas: every change with its parent, who made it and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import NotFoundError, near
from tondo.stages.data.schema import Schema, check_schema
from tondo.stages.data.schema_diff import schema_diff
from tondo.stages.data.version_names import commit_number

if TYPE_CHECKING:
    from tondo.ledger.ledger import Ledger
    from tondo.ports.clock import Clock

# As many characters as the start of an id needs to be told from a word.
_LEAST_ID = 4


class SchemaVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a data set's schema."""

    id: str
    dataset: str
    schema: str
    """The digest of the schema's content."""
    parent: str | None
    by: str
    why: str
    created_at_us: int


def save_schema(
    schema: Schema,
    *,
    dataset: str,
    ledger: Ledger,
    clock: Clock,
    by: str,
    why: str,
) -> SchemaVersion:
    """Make `schema` the present one of a data set; the same content is no new version.

    TD-LEDGER-003 when somebody changed it meanwhile.
    """
    check_schema(schema)
    before = find_version(dataset, ledger=ledger)
    if before is not None and read_schema(before, ledger=ledger) == schema:
        return before
    made = SchemaVersion(
        id=ledger.new_id(),
        dataset=dataset,
        schema=schema.id,
        parent=before.id if before else None,
        by=by,
        why=why,
        created_at_us=clock.now_us(),
    )
    lines = [("schema", schema.id, "content")]
    if before is not None:
        lines.append(("schema_version", before.id, "parent"))
    with ledger.transaction():
        ledger.put("schema", schema.id, schema)
        ledger.put("schema_version", made.id, made, parents=lines)
        ledger.move(f"schema/{dataset}", made.id, expect=made.parent, by=by, why=why)
    return made


def present_schema(dataset: str, *, ledger: Ledger) -> Schema:
    """Return the present schema of a data set (TD-SCHEMA-005 when it has none)."""
    return read_schema(present_version(dataset, ledger=ledger), ledger=ledger)


def present_version(dataset: str, *, ledger: Ledger) -> SchemaVersion:
    """Return the present version of a data set's schema (TD-SCHEMA-005 when it has none)."""
    found = find_version(dataset, ledger=ledger)
    if found is not None:
        return found
    known = [each.name.removeprefix("schema/") for each in ledger.pointers("schema/")]
    raise NotFoundError(
        "TD-SCHEMA-005",
        f"the data set '{dataset}' has no schema",
        fix=near(dataset, known) if known else "Infer one from its statistics.",
        dataset=dataset,
    )


def read_schema(version: SchemaVersion, *, ledger: Ledger) -> Schema:
    """Return the content of a version."""
    found: Schema = ledger.read("schema", version.schema, Schema)
    return found


def schema_history(dataset: str, *, ledger: Ledger) -> list[SchemaVersion]:
    """Return the versions of a data set's schema, newest first."""
    found = []
    version = find_version(dataset, ledger=ledger)
    while version is not None:
        found.append(version)
        parent = version.parent
        version = ledger.read("schema_version", parent, SchemaVersion) if parent else None
    return found


def schema_log(
    dataset: str, *, ledger: Ledger, column: str | None = None
) -> list[tuple[SchemaVersion, list[str]]]:
    """Return the versions, newest first, each with the lines of what it changed.

    With a column only the versions that changed it. The first version is compared with an empty
    schema.
    """
    kept = schema_history(dataset, ledger=ledger)
    contents = [read_schema(version, ledger=ledger) for version in kept]
    log = []
    for version, after, before in zip(kept, contents, [*contents[1:], None], strict=True):
        start = before if before is not None else Schema(name=after.name, columns={})
        lines = schema_diff(start, after, column=column)
        if lines or column is None:
            log.append((version, lines))
    return log


def find_version(dataset: str, *, ledger: Ledger) -> SchemaVersion | None:
    """Return the present version of a data set's schema, None while it has none."""
    pointer = ledger.pointer(f"schema/{dataset}")
    if pointer is None:
        return None
    found: SchemaVersion = ledger.read("schema_version", pointer.target, SchemaVersion)
    return found


def referenced_version(ref: str, *, ledger: Ledger) -> SchemaVersion:
    """Return a version of a schema: `flights` is the newest, `flights@v2` the second one.

    The start of a version's id means it as well. TD-SCHEMA-043 when there is no such version.
    """
    dataset, mark, word = ref.partition("@")
    found = find_version(dataset, ledger=ledger)
    if not mark:
        if found is not None:
            return found
        records = ledger.find_by_prefix(ref) if len(ref) >= _LEAST_ID else []
        kept = [each for each in records if each.kind == "schema_version"]
        if len(kept) == 1:
            return msgspec.convert(kept[0].body, SchemaVersion)
        raise _no_version(ref, [each.id for each in kept], ledger=ledger)
    line = schema_history(dataset, ledger=ledger)[::-1]
    number = commit_number(word)
    if number is not None and 1 <= number <= len(line):
        return line[number - 1]
    named = [f"{dataset}@v{number + 1}" for number in range(len(line))]
    raise _no_version(ref, named, ledger=ledger)


def _no_version(ref: str, known: list[str], *, ledger: Ledger) -> NotFoundError:
    datasets = [each.name.removeprefix("schema/") for each in ledger.pointers("schema/")]
    return NotFoundError(
        "TD-SCHEMA-043",
        f"'{ref}' is no version of a schema",
        expected="a data set, dataset@v2, or the start of one version's id",
        fix=near(ref, known or datasets),
        ref=ref,
    )
