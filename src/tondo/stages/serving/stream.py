"""Streams: a deployment that scores the events of a source as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tondo.ledger.ledger import Ledger
    from tondo.stages.serving.answers import AnswerFrame

KIND = "stream"


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """One wish: let a deployment score a source's events as they come."""

    id: str
    deployment: str
    source: str
    running: bool
    at_us: int
    by: str
    why: str


class StreamAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One event's prediction."""

    prediction_id: str
    score: float | None
    """None where the model failed; `error` says how."""
    version: int
    model_version_id: str
    as_of_us: int
    at_us: int
    error: str | None = None


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One event that could not be scored."""

    prediction_id: str
    code: str
    message: str
    event: str
    """As it lies in the stream; what is no UTF-8 is shown as replaced."""


def wish_stream(
    deployment: str, source: str, *, running: bool, ledger: Ledger, by: str, why: str
) -> Stream:
    """Wish a stream scored, or no longer; the same wish again stays as it is.

    TD-SERVING-008 when one is to be stopped that does not run.
    """
    before = find_stream(deployment, source, ledger=ledger)
    if before is not None and before.running == running:
        return before
    if before is None and not running:
        raise ConflictError(
            "TD-SERVING-008",
            f"'{deployment}' does not score the stream '{source}'",
            expected="a stream that was started",
            fix="`tondo stream list` shows which run.",
            deployment=deployment,
            source=source,
        )
    return _keep(deployment, source, before, running=running, ledger=ledger, by=by, why=why)


def know_stream(deployment: str, source: str, *, ledger: Ledger, by: str) -> Stream:
    """Return a stream as it is wished; one that nobody wished yet is noted, not running."""
    before = find_stream(deployment, source, ledger=ledger)
    if before is not None:
        return before
    return _keep(deployment, source, None, running=False, ledger=ledger, by=by, why="scored once")


def _keep(
    deployment: str,
    source: str,
    before: Stream | None,
    *,
    running: bool,
    ledger: Ledger,
    by: str,
    why: str,
) -> Stream:
    wished = Stream(
        id=ledger.new_id(),
        deployment=deployment,
        source=source,
        running=running,
        at_us=ledger.clock.now_us(),
        by=by,
        why=why,
    )
    name = _pointer(deployment, source)
    with ledger.transaction():
        ledger.put(KIND, wished.id, wished)
        ledger.move(name, wished.id, expect=before.id if before else None, by=by, why=why)
        ledger.event(f"stream.{'started' if running else 'stopped'}", name, {"by": by, "why": why})
    return wished


def find_stream(deployment: str, source: str, *, ledger: Ledger) -> Stream | None:
    """Return a stream as it is wished now, or None."""
    pointer = ledger.pointer(_pointer(deployment, source))
    return ledger.read(KIND, pointer.target, Stream) if pointer else None


def streams(*, ledger: Ledger) -> list[Stream]:
    """Return every stream as it is wished now, by deployment and source."""
    return [ledger.read(KIND, each.target, Stream) for each in ledger.pointers(f"{KIND}/")]


def dead_letters(found: Iterable[AnswerFrame]) -> list[DeadLetter]:
    """Return the events that were refused, in the order written."""
    return [
        DeadLetter(
            prediction_id=each.source_ids[0],
            code=each.code,
            message=each.message,
            event=(each.event or b"").decode(errors="replace"),
        )
        for frame in found
        for each in frame.refused
    ]


def _pointer(deployment: str, source: str) -> str:
    return f"{KIND}/{deployment}/{source}"
