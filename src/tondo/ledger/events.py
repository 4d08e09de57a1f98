"""Events: told once, read in the order they were told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import insert, select

from tondo.ledger import tables
from tondo.ledger.database import sequence_of
from tondo.ledger.records import body_text
from tondo.ledger.values import Event

if TYPE_CHECKING:
    from sqlalchemy import Connection

_EVENTS = tables.events.c
_INSERT = insert(tables.events)


def tell(
    connection: Connection, kind: str, *, id_: str, subject: str, body: Any, now_us: int
) -> Event:
    """Keep an event and return it with its place in the sequence."""
    text = body_text(body, kind)
    values = {
        "id": id_,
        "kind": kind,
        "subject": subject,
        "body": text,
        "created_at_us": now_us,
    }
    done = connection.execute(_INSERT, values)
    return Event(
        id=id_,
        sequence=sequence_of(done),
        kind=kind,
        subject=subject,
        body=msgspec.json.decode(text),
        created_at_us=now_us,
    )


def select_events(
    connection: Connection,
    *,
    kind: str | None,
    subject: str | None,
    after: int | None,
    limit: int | None,
    newest_first: bool,
) -> list[Event]:
    """Return events of a kind, about a subject, told after a sequence number."""
    query = select(
        _EVENTS.id,
        _EVENTS.sequence,
        _EVENTS.kind,
        _EVENTS.subject,
        _EVENTS.body,
        _EVENTS.created_at_us,
    )
    if kind is not None:
        query = query.where(_EVENTS.kind == kind)
    if subject is not None:
        query = query.where(_EVENTS.subject == subject)
    if after is not None:
        query = query.where(_EVENTS.sequence > after)
    order = _EVENTS.sequence.desc() if newest_first else _EVENTS.sequence.asc()
    return [
        Event(
            id=row[0],
            sequence=row[1],
            kind=row[2],
            subject=row[3],
            body=msgspec.json.decode(row[4]),
            created_at_us=row[5],
        )
        for row in connection.execute(query.order_by(order).limit(limit))
    ]
