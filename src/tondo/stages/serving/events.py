"""Events as a source: `{"row": {...}, "id"?, "as_of"?}` in JSON, one prediction each."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import CallerError, TondoError
from tondo.core.instants import parse_instant
from tondo.core.names import check_name
from tondo.scoring.path import MAX_ID_CHARACTERS
from tondo.stages.serving.answerer import SHOWN_CHARACTERS
from tondo.stages.serving.answers import Refused
from tondo.stages.serving.consumer import Asked, Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tondo.ports.eventlog import EventLog, Position
    from tondo.scoring.inputs import RowInputs

MAX_EVENT_BYTES = 1 << 20
"""Of one event: a row of a thousand columns is a twentieth of it."""


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event of a stream."""

    row: Any
    """The request columns, as a native request has them."""
    id: str | None = None
    """The prediction's id; a repeat of it is harmless."""
    as_of: int | str | None = None
    """The instant to read features for, where the deployment lets callers say it."""


_read = msgspec.json.Decoder(Event).decode


def stream_of(source: str) -> str:
    """Return the event-log stream of a source's events.

    >>> stream_of("visits")
    'events/visits'
    """
    return f"events/{check_name(source, 'stream')}"


class Events:
    """The events of a stream, read into the rows of a deployment.

    `inputs` gives the columns that the deployment's callers may send; an event that does not fit
    is a refusal that keeps the event.
    """

    def __init__(self, source: str, *, eventlog: EventLog, inputs: Callable[[], RowInputs]) -> None:
        self._stream = stream_of(source)
        self._eventlog = eventlog
        self._inputs = inputs

    def take(self, after: Position | None) -> Iterator[Taken]:
        """Yield every event after a position."""
        for position, payload in self._eventlog.read(self._stream, after):
            yield Taken(position, self._asked(payload))

    def _asked(self, payload: bytes) -> Asked | Refused:
        own_id = f"event-{hashlib.blake2b(payload, digest_size=16).hexdigest()}"
        try:
            event = read_event(payload)
            own_id = event.id or own_id
            row = self._inputs().read_mapping(event.row, where="row.")
            as_of_us = _as_of_us(event.as_of)
        except TondoError as error:
            return Refused([own_id], error.code, error.message[:SHOWN_CHARACTERS], None, payload)
        return Asked([own_id], [row], as_of_us, own_id, None, payload)


def read_event(payload: bytes) -> Event:
    """Read an event; TD-SERVING-007 when it is none."""
    if len(payload) > MAX_EVENT_BYTES:
        raise _no_event(f"has {len(payload)} bytes")
    try:
        event = _read(payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _no_event(f"cannot be read: {error}") from None
    if event.id is not None and not 0 < len(event.id) <= MAX_ID_CHARACTERS:
        raise _no_event(f"has an id of {len(event.id)} characters")
    return event


def push_events(
    source: str,
    events: Sequence[dict[str, Any]],
    *,
    eventlog: EventLog,
    writer: str,
    make_id: Callable[[], str],
) -> list[str]:
    """Keep events durably, all or none; return their ids, made where an event has none.

    An event must have the shape (TD-SERVING-007 names its place); whether its row fits is found
    when it is scored.
    """
    payloads, ids = [], []
    for place, each in enumerate(events):
        try:
            named = each if isinstance(each, dict) and each.get("id") else {**each, "id": make_id()}
            payload = msgspec.json.encode(named)
            ids.append(str(read_event(payload).id))
        except (TypeError, ValueError, CallerError) as error:
            why = error.what if isinstance(error, CallerError) else f"is no object: {error}"
            raise _no_event(why, place=place) from None
        payloads.append(payload)
    appender = eventlog.appender(stream_of(source), writer, durability="synced")
    try:
        appender.append_many(payloads)
    finally:
        appender.close()
    return ids


def _as_of_us(as_of: int | str | None) -> int | None:
    return parse_instant(as_of) if isinstance(as_of, str) else as_of


def _no_event(why: str, *, place: int | None = None) -> CallerError:
    which = "the event" if place is None else f"event {place}"
    return CallerError(
        "TD-SERVING-007",
        f"{which} {why.removeprefix('the event ')}",
        expected='{"row": {...}, "id"?: text of at most 128 characters, "as_of"?: instant}'
        f" of at most {MAX_EVENT_BYTES} bytes",
        place=place,
    )
