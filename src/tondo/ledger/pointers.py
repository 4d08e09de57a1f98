"""Pointers: names moved by compare-and-swap, with every move kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from tondo.core.errors import ConflictError
from tondo.ledger import tables
from tondo.ledger.values import Move, Pointer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_POINTER = (
    tables.pointers.c.name,
    tables.pointers.c.target,
    tables.pointers.c.number,
    tables.pointers.c.moved_at_us,
    tables.pointers.c.moved_by,
    tables.pointers.c.why,
)
_MOVE = (
    tables.moves.c.name,
    tables.moves.c.number,
    tables.moves.c.previous,
    tables.moves.c.target,
    tables.moves.c.moved_at_us,
    tables.moves.c.moved_by,
    tables.moves.c.why,
)
_ONE = select(*_POINTER).where(tables.pointers.c.name == bindparam("of_name"))
_INSERT = insert(tables.pointers)
_UPDATE = update(tables.pointers).where(tables.pointers.c.name == bindparam("of_name"))
_INSERT_MOVE = insert(tables.moves)


def find(connection: Connection, name: str) -> Pointer | None:
    """Return where the pointer stands, or None when it was never moved."""
    row = connection.execute(_ONE, {"of_name": name}).first()
    return None if row is None else _pointer(row)


def beginning_with(connection: Connection, prefix: str) -> list[Pointer]:
    """Return the pointers whose names begin with `prefix`, by name."""
    names = tables.pointers.c.name
    query = select(*_POINTER).order_by(names)
    if prefix:
        # Names are ASCII, so the last ASCII character closes the range.
        query = query.where(names >= prefix, names < prefix + "\x7f")
    return [_pointer(row) for row in connection.execute(query)]


def move(
    connection: Connection,
    name: str,
    *,
    target: str,
    expect: str | None,
    by: str,
    why: str,
    now_us: int,
) -> Move:
    """Move a pointer that stands at `expect` (None: nowhere yet), else TD-LEDGER-003."""
    present = find(connection, name)
    stands_at = None if present is None else present.target
    if stands_at != expect:
        raise _moved_by_another(name, expect=expect, present=present)
    number = 1 if present is None else present.number + 1
    stamp = {"target": target, "number": number, "moved_at_us": now_us, "moved_by": by, "why": why}
    if present is None:
        connection.execute(_INSERT, {"name": name, **stamp})
    else:
        connection.execute(_UPDATE, {"of_name": name, **stamp})
    connection.execute(_INSERT_MOVE, {"name": name, "previous": expect, **stamp})
    return Move(
        name=name,
        number=number,
        previous=expect,
        target=target,
        moved_at_us=now_us,
        by=by,
        why=why,
    )


def history(connection: Connection, name: str) -> list[Move]:
    """Return every move of a pointer, oldest first."""
    query = select(*_MOVE).where(tables.moves.c.name == name).order_by(tables.moves.c.number)
    return [
        Move(
            name=row[0],
            number=row[1],
            previous=row[2],
            target=row[3],
            moved_at_us=row[4],
            by=row[5],
            why=row[6],
        )
        for row in connection.execute(query)
    ]


def _pointer(row: Sequence[Any]) -> Pointer:
    name, target, number, moved_at_us, by, why = row
    return Pointer(name=name, target=target, number=number, moved_at_us=moved_at_us, by=by, why=why)


def _moved_by_another(name: str, *, expect: str | None, present: Pointer | None) -> ConflictError:
    if present is None:
        stands, who = "points nowhere yet", ""
    else:
        stands = f"points at {present.target}"
        who = f" (move {present.number} by {present.by}: {present.why})"
    return ConflictError(
        "TD-LEDGER-003",
        f"'{name}' {stands}{who}",
        expected="nowhere yet" if expect is None else f"it at {expect}",
        fix="Somebody moved it first: look at it again, then decide again.",
        name=name,
        expect=expect,
        present=None if present is None else present.target,
    )
