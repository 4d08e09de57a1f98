"""The rows of executions and of the leases that let one process at a time work on a key.

`tondo.flow` decides; here is only how its facts are kept. Every method joins an open
transaction, so that a decision and its facts are one commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import bindparam, insert, select, update

from tondo.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.ledger.database import Database

_EXECUTION = tables.executions.c
_LEASE = tables.leases.c
# Built once: building a statement costs more than running it.
_OF_KEY = _LEASE.key == bindparam("of_key")
_LEASE_OF = select(tables.leases).where(_OF_KEY)
_HOLD = update(tables.leases).where(_OF_KEY)
_IF_HELD = update(tables.leases).where(_OF_KEY, _LEASE.fence == bindparam("of_fence"))


class ExecutionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a pipeline: who, with what, how it ended."""

    id: str
    name: str
    key: str
    parameters: dict[str, Any]
    state: str
    """running, succeeded, failed, or killed."""
    started_at_us: int
    ended_at_us: int | None = None
    error: dict[str, Any] | None = None


class LeaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """Who may work on a key. `fence` grows with every holder and never falls."""

    key: str
    fence: int
    execution: str | None
    holder: dict[str, Any] | None
    expires_at_us: int


class ExecutionRows:
    """Keeps executions and leases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, row: ExecutionRow) -> None:
        """Keep a new execution."""
        values = {
            "id": row.id,
            "name": row.name,
            "key": row.key,
            "parameters": _text(row.parameters),
            "state": row.state,
            "started_at_us": row.started_at_us,
        }
        with self._database.transaction() as connection:
            connection.execute(insert(tables.executions), values)

    def end(
        self, execution: str, *, state: str, ended_at_us: int, error: dict[str, Any] | None
    ) -> None:
        """Write down how a running execution ended."""
        statement = update(tables.executions).where(
            _EXECUTION.id == execution, _EXECUTION.state == "running"
        )
        values = {"state": state, "ended_at_us": ended_at_us, "error": _text_or_none(error)}
        with self._database.transaction() as connection:
            connection.execute(statement, values)

    def find(self, execution: str) -> ExecutionRow | None:
        """Return an execution, or None."""
        query = select(tables.executions).where(_EXECUTION.id == execution)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _execution(row)

    def newest(
        self, *, name: str | None = None, limit: int | None = None, before: str | None = None
    ) -> list[ExecutionRow]:
        """Return executions, newest first; `before` is an execution's id, for paging."""
        query = select(tables.executions)
        if name is not None:
            query = query.where(_EXECUTION.name == name)
        if before is not None:
            query = query.where(_EXECUTION.id < before)
        query = query.order_by(_EXECUTION.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return [_execution(row) for row in connection.execute(query)]

    def lease(self, key: str) -> LeaseRow | None:
        """Return the lease of a key, or None when nobody ever held it."""
        with self._database.reading() as connection:
            row = connection.execute(_LEASE_OF, {"of_key": key}).first()
        if row is None:
            return None
        key, fence, execution, holder, expires_at_us = row
        return LeaseRow(
            key=key,
            fence=fence,
            execution=execution,
            holder=_value_or_none(holder),
            expires_at_us=expires_at_us,
        )

    def hold(self, lease: LeaseRow) -> None:
        """Write a lease, new or in place of the one before."""
        values = {
            "fence": lease.fence,
            "execution": lease.execution,
            "holder": _text_or_none(lease.holder),
            "expires_at_us": lease.expires_at_us,
        }
        with self._database.transaction() as connection:
            if connection.execute(_HOLD, {"of_key": lease.key, **values}).rowcount == 0:
                connection.execute(insert(tables.leases), {"key": lease.key, **values})

    def renew(self, key: str, fence: int, *, expires_at_us: int) -> bool:
        """Move the end of a lease; False when another has taken it over."""
        values = {"of_key": key, "of_fence": fence, "expires_at_us": expires_at_us}
        with self._database.transaction(durable=False) as connection:
            return connection.execute(_IF_HELD, values).rowcount == 1

    def free(self, key: str, fence: int) -> None:
        """Give a lease back, if it is still ours; its fence stays for the next holder."""
        values = {"execution": None, "holder": None, "expires_at_us": 0}
        with self._database.transaction() as connection:
            connection.execute(_IF_HELD, {"of_key": key, "of_fence": fence, **values})


def _execution(row: Sequence[Any]) -> ExecutionRow:
    id_, name, key, parameters, state, started_at_us, ended_at_us, error = row
    return ExecutionRow(
        id=id_,
        name=name,
        key=key,
        parameters=msgspec.json.decode(parameters),
        state=state,
        started_at_us=started_at_us,
        ended_at_us=ended_at_us,
        error=_value_or_none(error),
    )


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _value_or_none(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)
