"""Looks at scorers over HTTP: what each worker says of itself, and what it has counted.

Workers of one scorer share a port, and a connection stays with the worker that accepted it. So a
connection is kept for each worker that was met, and now and then a new one is opened to meet
others.
"""

from __future__ import annotations

import http.client
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.workspace.live.connection import connect
from tondo.workspace.live.exposition import samples
from tondo.workspace.live.rates import counted
from tondo.workspace.live.values import ScorerState, WorkerState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tondo.scoring.presence import Presence
    from tondo.workspace.live.rates import Look

_TIMEOUT_S = 0.8
"""Less than the second between two looks: one that hangs must not delay the others."""
_FIRST_MEETINGS = 8
"""New connections when a scorer is first seen; whoever is not met then is met by and by."""
_AT_ONCE = 8

_Faults = (OSError, http.client.HTTPException, msgspec.DecodeError)


class Scorers:
    """The scorers of one workspace. `look` is for one thread at a time."""

    def __init__(self, find: Callable[[], Sequence[Presence]], *, token: str = "") -> None:
        self._find = find
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._met: dict[str, _Scorer] = {}

    def look(self) -> tuple[list[ScorerState], Look]:
        """Return the state of every scorer that is known, and what its workers counted."""
        present = {each.address: each for each in self._find()}
        for gone in set(self._met) - set(present):
            self._met.pop(gone).close()
        for address, presence in present.items():
            self._met.setdefault(address, _Scorer(presence, self._headers))
        if not present:
            return [], {}
        with ThreadPoolExecutor(min(len(present), _AT_ONCE)) as threads:
            found = list(threads.map(_Scorer.look, (self._met[each] for each in present)))
        counts: Look = {}
        for _, of_scorer in found:
            counts.update(of_scorer)
        return [state for state, _ in found], counts

    def close(self) -> None:
        """Let go of all connections."""
        while self._met:
            self._met.popitem()[1].close()


class _Scorer:
    """One address, with a connection to each worker that was met behind it."""

    def __init__(self, presence: Presence, headers: dict[str, str]) -> None:
        self.address = presence.address
        self._presence = presence
        self._headers = headers
        self._workers: dict[int, http.client.HTTPConnection] = {}

    def look(self) -> tuple[ScorerState, Look]:
        states, counts, problem = [], {}, ""
        for pid, connection in list(self._workers.items()):
            try:
                states.append(_worker(self._get(connection, "/v1/status")))
                text = self._get(connection, "/metrics").decode()
            except _Faults:
                self._workers.pop(pid).close()
                continue
            counts[self.address, pid] = counted(samples(text))
        meetings = 1 if self._workers else _FIRST_MEETINGS
        for _ in range(meetings):
            try:
                self._meet(states, counts)
            except _Faults as error:
                problem = _told(error)
                break
        states.sort(key=lambda each: each.pid)
        return ScorerState(
            address=self.address, workers=states, problem="" if states else problem
        ), counts

    def close(self) -> None:
        while self._workers:
            self._workers.popitem()[1].close()

    def _meet(self, states: list[WorkerState], counts: Look) -> None:
        """Open a connection; keep it when a worker answers that was not met before."""
        connection = connect(self._presence, timeout_s=_TIMEOUT_S)
        try:
            state = _worker(self._get(connection, "/v1/status"))
            if state.pid in self._workers:
                connection.close()
                return
            counts[self.address, state.pid] = counted(
                samples(self._get(connection, "/metrics").decode())
            )
        except _Faults:
            connection.close()
            raise
        self._workers[state.pid] = connection
        states.append(state)

    def _get(self, connection: http.client.HTTPConnection, path: str) -> bytes:
        connection.request("GET", path, headers=self._headers)
        answer = connection.getresponse()
        data = answer.read()
        if answer.status >= http.client.BAD_REQUEST:
            raise http.client.HTTPException(f"GET {path} was answered with {answer.status}")
        return data


def _worker(data: bytes) -> WorkerState:
    told: dict[str, Any] = msgspec.json.decode(data, type=dict[str, Any])
    problem = told.get("problem") or {}
    return WorkerState(
        pid=int(told.get("pid") or 0),
        ready=bool(told.get("ready")),
        plan=told.get("plan"),
        memory_bytes=int(told.get("memory_bytes") or 0),
        uptime_s=float(told.get("uptime_s") or 0),
        problem=f"{problem.get('code', '')} {problem.get('what', '')}".strip(),
    )


def _told(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_TIMEOUT_S:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    return str(error) or type(error).__name__
