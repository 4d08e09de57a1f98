"""One attempt at a step: remembered or worked out, with its progress and its log."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import traceback
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.canonical import canonical_json, digest_bytes
from tondo.core.errors import PlatformError, TondoError
from tondo.flow.values import StepRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tondo.flow.leases import Lease
    from tondo.ledger.ledger import Ledger
    from tondo.ledger.steps import StepRow
    from tondo.ports.blobs import Blobs
    from tondo.ports.clock import Clock

# A result is a few numbers and ids; a larger one goes to the blobs and keeps the ledger small.
_LARGEST_RESULT_BYTES = 65_536
_IN_BLOB = "blob:"
# How far a step is gets written for the pages, which people look at: twice a second is enough.
_TELL_EVERY_S = 0.5
# The end of a log says why; this much of it fits a screen or two.
_LOG_LINES = 200


class Surroundings:
    """What every attempt needs: where things are kept, the time, and who listens."""

    def __init__(
        self,
        ledger: Ledger,
        blobs: Blobs,
        clock: Clock,
        *,
        on_step: Callable[[StepRecord], None] | None,
        on_progress: Callable[[str, int, int, str], None] | None,
    ) -> None:
        self.ledger = ledger
        self.blobs = blobs
        self.clock = clock
        self.on_step = on_step
        self.on_progress = on_progress


class Attempt:
    """One attempt at a step of an execution, under its lease."""

    def __init__(
        self,
        around: Surroundings,
        lease: Lease,
        *,
        execution: str,
        name: str,
        parts: dict[str, Any],
    ) -> None:
        self._around = around
        self._lease = lease
        self._execution = execution
        self._name = name
        self._parts = parts
        self._text = canonical_json(parts)
        self._key = digest_bytes(self._text)
        # Two executions may be at the same step; each goes on from its own checkpoint.
        self._checkpoint_key = f"{lease.key}:{self._key}"
        self._progress = StepProgress(around, lease, name=name, checkpoint_key=self._checkpoint_key)
        self._sequence = 0
        self._started_at_us = 0
        self._started_s = 0.0

    def remembered(self, *, afresh: bool, result_type: Any = Any) -> bytes | None:
        """Begin the attempt; return the JSON of a finished one with the same key, if any.

        A result that is not a `result_type`, as one of an older version may be, counts as none.
        """
        ledger = self._around.ledger
        self._started_s = time.perf_counter()
        self._started_at_us = self._around.clock.now_us()
        with ledger.transaction(durable=False):
            result = None if afresh else _readable(self._finished(), result_type)
            state = "running" if result is None else "reused"
            seconds = None if result is None else self._seconds()
            self._sequence = ledger.steps.begin(
                execution=self._execution,
                name=self._name,
                key=self._key,
                parts=self._text,
                state=state,
                started_at_us=self._started_at_us,
                seconds=seconds,
            )
            if afresh:
                ledger.steps.drop_checkpoint(self._checkpoint_key)
        self._tell(state, seconds=seconds)
        return result

    def work(self, fn: Callable[..., Any]) -> bytes:
        """Call `fn`, keep its result and return it as JSON; a failure is kept and raised."""
        with _listening() as log:
            try:
                result = canonical_json(fn(progress=self._progress))
            except TondoError as error:
                self._fail(error, log)
                raise
            except Exception as error:
                coded = _coded(error, self._name)
                self._fail(coded, log)
                raise coded from error
        self._succeed(result, log)
        return result

    def _finished(self) -> bytes | None:
        kept = self._around.ledger.steps.result(self._key)
        if kept is None:
            return None
        if not kept.startswith(_IN_BLOB):
            return kept.encode()
        name = kept.removeprefix(_IN_BLOB)
        # A result that was cleared away is worked out again.
        return self._around.blobs.get(name) if self._around.blobs.has(name) else None

    def _succeed(self, result: bytes, log: StepLog) -> None:
        kept = result.decode()
        if len(result) > _LARGEST_RESULT_BYTES:
            kept = _IN_BLOB + self._around.blobs.put(result)
        self._end("ok", log=log, result=kept)

    def _fail(self, error: TondoError, log: StepLog) -> None:
        log.add(traceback.format_exc())
        self._end("failed", log=log, error=error_json(error))

    def _end(
        self,
        state: str,
        *,
        log: StepLog,
        result: str | None = None,
        error: dict[str, Any] | None = None,
    ) -> None:
        ledger = self._around.ledger
        seconds = self._seconds()
        with ledger.transaction():
            kept = ledger.steps.end(
                self._sequence,
                lease=(self._lease.key, self._lease.fence),
                state=state,
                ended_at_us=self._around.clock.now_us(),
                seconds=seconds,
                result=result,
                error=error,
                log=log.text or None,
            )
            if not kept:
                self._lease.check()
            if state == "ok" and self._progress.has_checkpoint:
                ledger.steps.drop_checkpoint(self._checkpoint_key)
        self._tell(state, seconds=seconds, error=error, log=log.text)

    def _seconds(self) -> float:
        return round(time.perf_counter() - self._started_s, 6)

    def _tell(
        self,
        state: str,
        *,
        seconds: float | None,
        error: dict[str, Any] | None = None,
        log: str = "",
    ) -> None:
        if self._around.on_step is None:
            return
        record = StepRecord(
            name=self._name,
            state=state,
            seconds=seconds,
            key=self._key,
            parts=self._parts,
            execution=self._execution,
            sequence=self._sequence,
            started_at_us=self._started_at_us,
            ended_at_us=None if state == "running" else self._around.clock.now_us(),
            error=error,
            log=log,
        )
        self._around.on_step(record)


class StepProgress:
    """The progress of one attempt at a step; see `tondo.ports.progress.Progress`."""

    def __init__(
        self, around: Surroundings, lease: Lease, *, name: str, checkpoint_key: str
    ) -> None:
        self._around = around
        self._lease = lease
        self._name = name
        self._key = checkpoint_key
        self._told_at_s = -_TELL_EVERY_S
        self.has_checkpoint = False

    def advance(self, done: int, total: int, note: str = "") -> None:
        """Tell that `done` of `total` units are done."""
        if self._around.on_progress is not None:
            self._around.on_progress(self._name, done, total, note)
        now_s = time.monotonic()
        if now_s - self._told_at_s >= _TELL_EVERY_S:
            self._told_at_s = now_s
            self._keep({"done": done, "total": total, "note": note}, durable=False)

    def checkpoint(self, state: dict[str, Any]) -> None:
        """Keep `state` durably; TD-FLOW-002 when another execution has taken over."""
        self._keep({"state": canonical_json(state).decode()}, durable=True)

    def resume_state(self) -> dict[str, Any] | None:
        """Return the last checkpoint of this very step, or None when it starts afresh."""
        row = self._around.ledger.steps.checkpoint(self._key)
        self.has_checkpoint = self.has_checkpoint or row is not None
        return None if row is None else row.state

    def _keep(self, values: dict[str, Any], *, durable: bool) -> None:
        ledger = self._around.ledger
        with ledger.transaction(durable=durable):
            self._lease.check()
            now_us = self._around.clock.now_us()
            ledger.steps.keep_checkpoint(self._key, {**values, "updated_at_us": now_us})
        self.has_checkpoint = True


class StepLog(logging.Handler):
    """Keeps the last lines that the thread of a step logs."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()
        self._lines: deque[str] = deque(maxlen=_LOG_LINES)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line when it comes from the step's own thread."""
        if record.thread == self._thread:
            self._lines.append(self.format(record))

    def add(self, text: str) -> None:
        """Keep a text of one or more lines."""
        self._lines.extend(text.splitlines())

    @property
    def text(self) -> str:
        """The lines kept."""
        return "\n".join(self._lines)


@contextlib.contextmanager
def _listening() -> Iterator[StepLog]:
    log = StepLog()
    root = logging.getLogger()
    root.addHandler(log)
    try:
        yield log
    finally:
        root.removeHandler(log)


def _readable(kept: bytes | None, result_type: Any) -> bytes | None:
    if kept is not None:
        try:
            msgspec.json.decode(kept, type=result_type)
        except msgspec.DecodeError:
            return None
    return kept


def _coded(error: Exception, step: str) -> PlatformError:
    return PlatformError(
        "TD-FLOW-003",
        f"the step '{step}' failed: {type(error).__name__}: {error}",
        fix="The log of the step has the place; correct it and run again: what is done stays.",
        step=step,
        kind=type(error).__name__,
    )


def error_json(error: Exception) -> dict[str, Any]:
    """Return the shape in which every face shows an error, with fields that JSON can hold."""
    if not isinstance(error, TondoError):
        error = PlatformError("TD-FLOW-006", f"stopped by {type(error).__name__}: {error}")
    body = error.to_json()
    return {**body, "fields": {name: _plain(value) for name, value in body["fields"].items()}}


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def step_record(row: StepRow) -> StepRecord:
    """Return what is told of a step from how it is kept."""
    return StepRecord(
        name=row.name,
        state=row.state,
        seconds=row.seconds,
        key=row.key,
        parts=row.parts,
        execution=row.execution,
        sequence=row.sequence,
        started_at_us=row.started_at_us,
        ended_at_us=row.ended_at_us,
        error=row.error,
        log=row.log or "",
    )
