"""Executions: plain Python whose steps are remembered."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.canonical import digest
from tondo.core.errors import NotFoundError, near
from tondo.flow import keys, leases
from tondo.flow.steps import Attempt, Surroundings, error_json, step_record
from tondo.flow.values import ExecutionRecord, Explanation, StepRecord
from tondo.ledger.executions import ExecutionRow

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.ports.clock import Clock


class Executions:
    """Starts executions and tells of past ones.

    >>> from tondo.adapters.blobs.memory.blobs import MemoryBlobs
    >>> from tondo.adapters.clocks.manual import ManualClock
    >>> from tondo.ledger import Ledger
    >>> clock = ManualClock(1_364_774_400_000_000)
    >>> executions = Executions(Ledger.open("sqlite://", clock=clock), MemoryBlobs(), clock)
    >>> for _ in range(2):
    ...     with executions.run("count", {"to": 3}) as execution:
    ...         total = execution.step("sum", lambda progress: sum(range(4)))
    ...     print(total, execution.steps()[0].reused)
    6 False
    6 True
    """

    def __init__(
        self,
        ledger: Ledger,
        blobs: Blobs,
        clock: Clock,
        *,
        on_step: Callable[[StepRecord], None] | None = None,
        on_progress: Callable[[str, int, int, str], None] | None = None,
    ) -> None:
        """Listen: `on_step` hears each step begin (state running) and end.

        `on_progress` gets the step's name, units done, units in all and a note.
        """
        self.ledger = ledger
        self.clock = clock
        self.around = Surroundings(ledger, blobs, clock, on_step=on_step, on_progress=on_progress)

    def listen(self, on_step: Callable[[StepRecord], None]) -> None:
        """Let `on_step` hear each step begin and end from now on."""
        self.around.on_step = on_step

    @contextlib.contextmanager
    def run(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        force: Collection[str] = (),
    ) -> Iterator[Execution]:
        """Run a pipeline under a lease; after a kill, the same call goes on where it was.

        `key` says which executions are the same work (default: name and parameters); `force`
        names steps to do afresh. TD-FLOW-001 when a living process works on the key.
        """
        execution = self._begin(name, dict(parameters or {}), key=key, force=force)
        try:
            yield execution
        except Exception as error:
            execution.end("failed", error=error_json(error))
            raise
        except BaseException:
            execution.end("killed", error=None)
            raise
        execution.end("succeeded", error=None)

    def _begin(
        self, name: str, parameters: dict[str, Any], *, key: str | None, force: Collection[str]
    ) -> Execution:
        lease_key = f"{name}/{key or digest(parameters)[:16]}"
        ledger = self.ledger
        with ledger.transaction():
            row = ExecutionRow(
                id=ledger.new_id(),
                name=name,
                key=lease_key,
                parameters=parameters,
                state="running",
                started_at_us=self.clock.now_us(),
            )
            lease, died = leases.take(ledger, lease_key, execution=row.id)
            if died is not None:
                ledger.executions.end(
                    died, state="killed", ended_at_us=self.clock.now_us(), error=None
                )
                ledger.steps.end_open(died, ended_at_us=self.clock.now_us())
            ledger.executions.begin(row)
            # As a record too, so that lineage finds it by its id like everything else.
            body = {"name": name, "key": lease_key, "parameters": parameters}
            ledger.put("execution", row.id, body)
        return Execution(self, row, lease=leases.Lease(ledger, lease), force=force)

    def newest(
        self, *, name: str | None = None, limit: int | None = 20, before: str | None = None
    ) -> list[ExecutionRecord]:
        """Return executions, newest first; `before` is an execution's id, for paging."""
        rows = self.ledger.executions.newest(name=name, limit=limit, before=before)
        return [self._record(row) for row in rows]

    def get(self, execution: str) -> ExecutionRecord:
        """Return an execution with its steps; TD-FLOW-004 with near ids when there is none."""
        row = self.ledger.executions.find(execution)
        if row is None:
            known = [each.id for each in self.ledger.executions.newest(limit=20)]
            raise NotFoundError(
                "TD-FLOW-004",
                f"there is no execution {execution}",
                expected="the id of an execution",
                fix=near(execution, known),
                execution=execution,
            )
        return self._record(row)

    def explain(self, execution: str, step: str) -> Explanation:
        """Say which part of a step's key changed since the execution before."""
        record = self.get(execution)
        found = [each for each in record.steps if each.name == step]
        if not found:
            raise NotFoundError(
                "TD-FLOW-005",
                f"the execution {execution} has no step '{step}'",
                expected="the name of one of its steps",
                fix=near(step, [each.name for each in record.steps]),
                execution=execution,
                step=step,
            )
        return self._explanation(found[-1], pipeline=record.name)

    def _explanation(self, step: StepRecord, *, pipeline: str) -> Explanation:
        row = self.ledger.steps.previous(
            step.name, pipeline=pipeline, execution=step.execution, before=step.sequence
        )
        if row is None:
            return Explanation(step=step, previous=None, changes=[])
        previous = step_record(row)
        return Explanation(
            step=step, previous=previous, changes=keys.changes(previous.parts, step.parts)
        )

    def _record(self, row: ExecutionRow) -> ExecutionRecord:
        return ExecutionRecord(
            id=row.id,
            name=row.name,
            key=row.key,
            parameters=row.parameters,
            state=row.state,
            started_at_us=row.started_at_us,
            ended_at_us=row.ended_at_us,
            error=row.error,
            steps=[step_record(each) for each in self.ledger.steps.of(row.id)],
        )


class Execution:
    """A running execution: call `step` for each piece of work."""

    def __init__(
        self,
        executions: Executions,
        row: ExecutionRow,
        *,
        lease: leases.Lease,
        force: Collection[str],
    ) -> None:
        self.id = row.id
        self.name = row.name
        self._executions = executions
        self._ledger = executions.ledger
        self._row = row
        self._lease = lease
        self._force = force

    def step(
        self,
        name: str,
        fn: Callable[..., Any],
        *,
        inputs: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        version: int = 1,
        packages: Iterable[str] = (),
        force: bool = False,
        result_type: Any = Any,
    ) -> Any:
        """Return the result of `fn(progress=...)`, from memory when nothing changed.

        The result is plain JSON (or a msgspec struct given as `result_type`) and is the same
        value whether it was computed or remembered. `inputs` are digests or ids of what `fn`
        reads, `packages` the distributions whose versions matter.
        Raises what `fn` raises when it has a code, else TD-FLOW-003; TD-FLOW-002 when another
        process took over.
        """
        parts = keys.step_parts(
            name,
            fn,
            version=version,
            parameters=parameters or {},
            inputs=inputs or {},
            packages=packages,
        )
        attempt = Attempt(
            self._executions.around, self._lease, execution=self.id, name=name, parts=parts
        )
        remembered = attempt.remembered(
            afresh=force or name in self._force, result_type=result_type
        )
        result = attempt.work(fn) if remembered is None else remembered
        return msgspec.json.decode(result, type=result_type)

    def steps(self) -> list[StepRecord]:
        """Return the steps so far, in the order they began."""
        return [step_record(row) for row in self._ledger.steps.of(self.id)]

    def explain(self, step: str) -> Explanation:
        """Say which part of a step's key changed since the execution before."""
        return self._executions.explain(self.id, step)

    def end(self, state: str, *, error: dict[str, Any] | None) -> None:
        """Write down the end and give the lease back; `Executions.run` calls it."""
        now_us = self._executions.clock.now_us()
        self._lease.stop()
        with self._ledger.transaction():
            self._ledger.steps.end_open(self.id, ended_at_us=now_us)
            self._ledger.executions.end(self.id, state=state, ended_at_us=now_us, error=error)
            self._lease.free()
