"""Records: put once, read for ever."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from sqlalchemy import bindparam, func, insert, select, true

from tondo.core.canonical import canonical_json
from tondo.core.errors import (
    CallerError,
    ConflictError,
    DefinitionError,
    NotFoundError,
    PlatformError,
    near,
)
from tondo.ledger import tables
from tondo.ledger.database import sequence_of
from tondo.ledger.values import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

T = TypeVar("T")

_COLUMNS = (
    tables.records.c.kind,
    tables.records.c.id,
    tables.records.c.body,
    tables.records.c.created_at_us,
    tables.records.c.sequence,
)
_ONE = select(*_COLUMNS).where(
    tables.records.c.kind == bindparam("of_kind"), tables.records.c.id == bindparam("of_id")
)
_INSERT = insert(tables.records)
# Enough to find a slip of the pen among, few enough to compare at once.
_NEAR_IDS = 50


def put(connection: Connection, key: tuple[str, str], *, body: Any, now_us: int) -> Record:
    """Keep a record. The same again is no change; another body raises TD-LEDGER-002."""
    kind, id_ = key
    text = body_text(body, kind)
    present = _row(connection, key)
    if present is None:
        values = {"kind": kind, "id": id_, "body": text, "created_at_us": now_us}
        done = connection.execute(_INSERT, values)
        return from_row((kind, id_, text, now_us, sequence_of(done)))
    if present[2] != text:
        raise ConflictError(
            "TD-LEDGER-002",
            f"there is already a {kind} {id_} with another body",
            expected="the body it was put with: a record never changes",
            fix="Use a new id, or move a pointer to a new record.",
            kind=kind,
            id=id_,
        )
    return from_row(present)


def find(connection: Connection, key: tuple[str, str]) -> Record | None:
    """Return the record of (kind, id), or None when there is none."""
    row = _row(connection, key)
    return None if row is None else from_row(row)


def require(connection: Connection, key: tuple[str, str], *, role: str = "") -> Record:
    """Return the record of (kind, id); TD-LEDGER-001 with near ids when there is none."""
    found = find(connection, key)
    if found is not None:
        return found
    kind, id_ = key
    as_role = f" (needed as {role})" if role else ""
    raise NotFoundError(
        "TD-LEDGER-001",
        f"there is no {kind} {id_}{as_role} in the ledger",
        expected=f"the id of a {kind} that was put",
        fix=near(id_, _near_ids(connection, key)),
        kind=kind,
        id=id_,
    )


def select_records(
    connection: Connection,
    kind: str,
    *,
    where: Mapping[str, Any],
    newest_first: bool,
    limit: int | None,
    before: int | None,
) -> list[Record]:
    """Return the records of a kind whose top-level fields have the values of `where`."""
    sequence = tables.records.c.sequence
    query = select(*_COLUMNS).where(tables.records.c.kind == kind)
    for field, value in where.items():
        query = query.where(_field_is(field, value))
    if before is not None:
        query = query.where(sequence < before)
    query = query.order_by(sequence.desc() if newest_first else sequence.asc())
    if any(isinstance(value, str) and "\0" in value for value in where.values()):
        # SQLite cuts what it extracts from JSON at a NUL; these are compared here.
        found = (from_row(row) for row in connection.execute(query))
        chosen = (each for each in found if all(each.body.get(f) == v for f, v in where.items()))
        return list(itertools.islice(chosen, limit))
    return [from_row(row) for row in connection.execute(query.limit(limit))]


def count(connection: Connection, kind: str) -> int:
    """Return how many records of a kind there are."""
    query = select(func.count()).select_from(tables.records).where(tables.records.c.kind == kind)
    return int(connection.execute(query).scalar_one())


def by_prefix(connection: Connection, prefix: str, *, limit: int) -> list[Record]:
    """Return the records of any kind whose id begins with `prefix`, newest first."""
    if not prefix:
        return []
    query = (
        select(*_COLUMNS)
        .where(_begins(prefix))
        .order_by(tables.records.c.sequence.desc())
        .limit(limit)
    )
    return [from_row(row) for row in connection.execute(query)]


def body_text(body: Any, kind: str) -> str:
    """Return the canonical JSON of a body; TD-LEDGER-013 when it holds what JSON cannot."""
    try:
        return canonical_json(body).decode()
    except TypeError as error:
        raise DefinitionError(
            "TD-LEDGER-013",
            f"the body of a {kind} cannot be written as JSON: {error}",
            expected="null, booleans, numbers, texts, and lists, dictionaries or structs of them",
            fix="Turn it into one of these first, for example an array by `.tolist()`.",
            kind=kind,
        ) from error


def decode(record: Record, type_: type[T]) -> T:
    """Return the body of a record as a `type_`; TD-LEDGER-009 when it does not fit."""
    try:
        return msgspec.convert(record.body, type_)
    except msgspec.ValidationError as error:
        raise PlatformError(
            "TD-LEDGER-009",
            f"the {record.kind} {record.id} cannot be read as a {type_.__name__}: {error}",
            expected="a body written by this or an older tondo",
            fix="Update tondo; an older one may be reading what a newer one wrote.",
            kind=record.kind,
            id=record.id,
        ) from error


def from_row(row: Sequence[Any]) -> Record:
    """Return the record of a row: kind, id, body, created_at_us, sequence."""
    kind, id_, body, created_at_us, sequence = row
    return Record(
        kind=kind,
        id=id_,
        body=msgspec.json.decode(body),
        created_at_us=created_at_us,
        sequence=sequence,
    )


def _row(connection: Connection, key: tuple[str, str]) -> Sequence[Any] | None:
    return connection.execute(_ONE, {"of_kind": key[0], "of_id": key[1]}).first()


def _begins(prefix: str) -> ColumnElement[bool]:
    # A range, not LIKE: it uses the index and needs no escaping. Ids are ASCII.
    ids = tables.records.c.id
    return (ids >= prefix) & (ids < prefix + "\x7f")


def _near_ids(connection: Connection, key: tuple[str, str]) -> list[str]:
    kind, id_ = key
    query = select(tables.records.c.id).where(tables.records.c.kind == kind).limit(_NEAR_IDS)
    alike = connection.execute(query.where(_begins(id_[:6]))).scalars().all() if id_ else []
    newest = query.order_by(tables.records.c.sequence.desc())
    return list(alike or connection.execute(newest).scalars().all())


def _field_is(field: str, value: Any) -> ColumnElement[bool]:
    if not field.isidentifier():
        raise CallerError(
            "TD-LEDGER-010",
            f"records cannot be chosen by {field!r}",
            expected="the name of a top-level field of the body",
            field=field,
        )
    if isinstance(value, str) and "\0" in value:
        return true()
    found = func.json_extract(tables.records.c.body, f"$.{field}")
    if value is None:
        return found.is_(None)
    return found == (int(value) if isinstance(value, bool) else value)
