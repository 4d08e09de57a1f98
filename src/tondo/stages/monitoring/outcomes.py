"""Outcomes: what came true, by prediction id, appended as they arrive and never changed.

A correction is a later outcome of the same id; the one that arrived last counts.
"""

from __future__ import annotations

import math
import os
import secrets
from typing import TYPE_CHECKING, Self

import msgspec

from tondo.core.errors import DataError
from tondo.stages.monitoring.streams import Codec, StreamTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    import pyarrow as pa

    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.ports.clock import Clock
    from tondo.ports.eventlog import Durability, EventLog

COLUMNS = {
    "prediction_id": "string",
    "label": "double",
    "event_time": "timestamp",
    "recorded_at": "timestamp",
}


class Outcome(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What came true for one prediction."""

    prediction_id: str
    label: float
    """1 or 0 for a binary model, the value for a regression."""
    event_time_us: int
    """When it came true."""
    recorded_at_us: int | None = None
    """When it arrived here; filled in from the clock when it is recorded."""


class OutcomeReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What was acknowledged."""

    accepted: int
    recorded_at_us: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Outcome]).decode


class OutcomeLog:
    """The writer of one deployment's outcomes: one frame a batch, durable when acknowledged.

    Keep one open where outcomes arrive often: each writer begins segments of its own.
    """

    def __init__(
        self,
        deployment: str,
        *,
        eventlog: EventLog,
        clock: Clock,
        durability: Durability = "synced",
    ) -> None:
        self._clock = clock
        writer = f"outcomes-{os.getpid()}-{secrets.token_hex(4)}"
        stream = stream_of(deployment)
        self._appender = eventlog.appender(stream, writer, durability=durability)

    def record(self, outcomes: Sequence[Outcome]) -> OutcomeReceipt:
        """Keep a batch whole, or refuse it whole with TD-MONITOR-001 naming the place."""
        now_us = self._clock.now_us()
        checked = [_checked(each, place, now_us) for place, each in enumerate(outcomes)]
        if checked:
            self._appender.append(_encode(checked))
        return OutcomeReceipt(accepted=len(checked), recorded_at_us=now_us)

    def sync(self) -> None:
        """Flush what was recorded to the device, where `durability` is `written`."""
        self._appender.sync()

    def roll(self) -> str | None:
        """Close the current segment, so that it can be compacted."""
        return self._appender.roll()

    def close(self) -> None:
        """Close the current segment for good."""
        self._appender.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


def record_outcomes(
    deployment: str, outcomes: Sequence[Outcome], *, eventlog: EventLog, clock: Clock
) -> OutcomeReceipt:
    """Record one batch, synced to the device, with a writer of its own."""
    with OutcomeLog(deployment, eventlog=eventlog, clock=clock) as log:
        return log.record(outcomes)


def stream_of(deployment: str) -> str:
    """Return the event-log stream of a deployment's outcomes.

    >>> stream_of("late_arrival")
    'outcomes/late_arrival'
    """
    return f"outcomes/{deployment}"


def outcome_stream(
    deployment: str, *, eventlog: EventLog, ledger: Ledger, blobs: Blobs
) -> StreamTable:
    """Return the stream of a deployment's outcomes; its times are arrival times."""
    codec = Codec(decode=decode_outcomes, time="recorded_at", columns=COLUMNS)
    stream = stream_of(deployment)
    return StreamTable(stream, codec, eventlog=eventlog, ledger=ledger, blobs=blobs)


def decode_outcomes(payloads: Iterable[bytes]) -> pa.Table:
    """Return every outcome in the order it arrived, superseded ones too."""
    import pyarrow as pa

    found = [outcome for payload in payloads for outcome in decode_batch(payload)]
    instant = pa.timestamp("us", tz="UTC")
    columns = {
        "prediction_id": pa.array([each.prediction_id for each in found], type=pa.string()),
        "label": pa.array([each.label for each in found], type=pa.float64()),
        "event_time": pa.array([each.event_time_us for each in found], type=instant),
        "recorded_at": pa.array([each.recorded_at_us for each in found], type=instant),
    }
    return pa.table(columns)


def decode_batch(payload: bytes) -> list[Outcome]:
    """Return the outcomes of one frame; TD-MONITOR-002 when it is none."""
    try:
        return _decode(payload)
    except msgspec.DecodeError as error:
        raise DataError(
            "TD-MONITOR-002",
            f"a frame of the outcomes cannot be read: {error}",
            expected="a batch of outcomes as tondo writes it",
            fix="Read the stream with the tondo that wrote it.",
        ) from None


def _checked(outcome: Outcome, place: int, now_us: int) -> Outcome:
    label = outcome.label
    number = isinstance(label, (int, float)) and math.isfinite(label)
    if not number or not isinstance(outcome.prediction_id, str) or not outcome.prediction_id:
        raise DataError(
            "TD-MONITOR-001",
            f"outcome {place} ({outcome.prediction_id!r}: {label!r}) cannot be recorded",
            expected="a prediction id and a finite number; nothing of the batch was recorded",
            fix="Leave out predictions without an outcome; they become pending, then expired.",
            place=place,
        )
    recorded_at_us = now_us if outcome.recorded_at_us is None else outcome.recorded_at_us
    return msgspec.structs.replace(outcome, label=float(label), recorded_at_us=recorded_at_us)
