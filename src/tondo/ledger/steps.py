"""The rows of steps, finished ones being the memo, and of the checkpoints inside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import bindparam, delete, exists, insert, select, update

from tondo.ledger import tables
from tondo.ledger.database import sequence_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.ledger.database import Database

_STEP = tables.steps.c
_CHECKPOINT = tables.checkpoints.c
# Built once: building a statement costs more than running it, and these run for every step.
_INSERT = insert(tables.steps)
_IS_HELD = exists().where(
    tables.leases.c.key == bindparam("of_key"), tables.leases.c.fence == bindparam("of_fence")
)
_END = update(tables.steps).where(_STEP.sequence == bindparam("of_sequence"), _IS_HELD)
_RESULT = (
    select(_STEP.result)
    .where(_STEP.key == bindparam("of_key"), _STEP.state == "ok")
    .order_by(_STEP.sequence.desc())
    .limit(1)
)
_OF_KEY = _CHECKPOINT.key == bindparam("of_key")
_CHECKPOINT_OF = select(tables.checkpoints).where(_OF_KEY)
_INSERT_CHECKPOINT = insert(tables.checkpoints)
_UPDATE_CHECKPOINT = update(tables.checkpoints).where(_OF_KEY)
_DELETE_CHECKPOINT = delete(tables.checkpoints).where(_OF_KEY)


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at a step, or one reuse of a finished one."""

    sequence: int
    execution: str
    name: str
    key: str
    parts: dict[str, Any]
    """What the key was made of."""
    state: str
    """running, ok, reused, failed, or killed."""
    started_at_us: int
    ended_at_us: int | None
    seconds: float | None
    result: str | None
    """JSON text of the result of a step that is ok."""
    error: dict[str, Any] | None
    log: str | None


class CheckpointRow(msgspec.Struct, frozen=True, kw_only=True):
    """How far a running step is and what it needs to go on after a kill."""

    state: dict[str, Any] | None
    done: int | None
    total: int | None
    note: str | None
    updated_at_us: int


class StepRows:
    """Keeps steps and checkpoints."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
        self,
        *,
        execution: str,
        name: str,
        key: str,
        parts: bytes,
        state: str,
        started_at_us: int,
        seconds: float | None = None,
    ) -> int:
        """Keep an attempt and return its sequence. A power failure may lose it, a kill not."""
        values = {
            "execution": execution,
            "name": name,
            "key": key,
            "parts": parts.decode(),
            "state": state,
            "started_at_us": started_at_us,
            "ended_at_us": None if state == "running" else started_at_us,
            "seconds": seconds,
        }
        with self._database.transaction(durable=False) as connection:
            return sequence_of(connection.execute(_INSERT, values))

    def end(
        self,
        sequence: int,
        *,
        lease: tuple[str, int],
        state: str,
        ended_at_us: int,
        seconds: float,
        result: str | None = None,
        error: dict[str, Any] | None = None,
        log: str | None = None,
    ) -> bool:
        """Write down how an attempt ended, if the lease (key, fence) still holds; else False."""
        place = {"of_sequence": sequence, "of_key": lease[0], "of_fence": lease[1]}
        values = {
            "state": state,
            "ended_at_us": ended_at_us,
            "seconds": seconds,
            "result": result,
            "error": None if error is None else msgspec.json.encode(error).decode(),
            "log": log,
        }
        with self._database.transaction() as connection:
            return connection.execute(_END, {**place, **values}).rowcount == 1

    def end_open(self, execution: str, *, ended_at_us: int) -> None:
        """Mark the attempts of an execution that were cut short as killed."""
        statement = update(tables.steps).where(
            _STEP.execution == execution, _STEP.state == "running"
        )
        with self._database.transaction() as connection:
            connection.execute(statement, {"state": "killed", "ended_at_us": ended_at_us})

    def of(self, execution: str) -> list[StepRow]:
        """Return the steps of an execution in the order they began."""
        query = select(tables.steps).where(_STEP.execution == execution).order_by(_STEP.sequence)
        with self._database.reading() as connection:
            return [_step(row) for row in connection.execute(query)]

    def result(self, key: str) -> str | None:
        """Return the result of the newest attempt with this key that is ok, or None."""
        with self._database.reading() as connection:
            row = connection.execute(_RESULT, {"of_key": key}).first()
        return None if row is None else row[0]

    def previous(self, name: str, *, pipeline: str, execution: str, before: int) -> StepRow | None:
        """Return the newest step of a name in an earlier execution of a pipeline, or None."""
        query = (
            select(tables.steps)
            .join(tables.executions, tables.executions.c.id == _STEP.execution)
            .where(
                _STEP.name == name,
                _STEP.sequence < before,
                _STEP.execution != execution,
                tables.executions.c.name == pipeline,
            )
            .order_by(_STEP.sequence.desc())
            .limit(1)
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _step(row)

    def checkpoint(self, key: str) -> CheckpointRow | None:
        """Return the checkpoint of a step key, or None."""
        with self._database.reading() as connection:
            row = connection.execute(_CHECKPOINT_OF, {"of_key": key}).first()
        if row is None:
            return None
        _, state, done, total, note, updated_at_us = row
        return CheckpointRow(
            state=None if state is None else msgspec.json.decode(state),
            done=done,
            total=total,
            note=note,
            updated_at_us=updated_at_us,
        )

    def keep_checkpoint(self, key: str, values: dict[str, Any]) -> None:
        """Write columns of the checkpoint of a step key; the others stay as they were."""
        with self._database.transaction() as connection:
            if connection.execute(_UPDATE_CHECKPOINT, {"of_key": key, **values}).rowcount == 0:
                connection.execute(_INSERT_CHECKPOINT, {"key": key, **values})

    def drop_checkpoint(self, key: str) -> None:
        """Forget the checkpoint of a step key."""
        with self._database.transaction() as connection:
            connection.execute(_DELETE_CHECKPOINT, {"of_key": key})


def _step(row: Sequence[Any]) -> StepRow:
    sequence, execution, name, key, parts, state, started, ended, seconds, result, error, log = row
    return StepRow(
        sequence=sequence,
        execution=execution,
        name=name,
        key=key,
        parts=msgspec.json.decode(parts),
        state=state,
        started_at_us=started,
        ended_at_us=ended,
        seconds=seconds,
        result=result,
        error=None if error is None else msgspec.json.decode(error),
        log=log,
    )
