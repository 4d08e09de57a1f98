"""Looks at scorers over HTTP: what their workers say of themselves, and what they have counted.

Workers of one scorer share a port; whichever of them answers tells of all.
"""

from __future__ import annotations

import contextlib
import http.client
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.workspace.live.connection import connect
from tondo.workspace.live.exposition import samples
from tondo.workspace.live.rates import Reading, counted
from tondo.workspace.live.values import ScorerState, WorkerState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tondo.scoring.presence import Presence
    from tondo.workspace.live.rates import Look

_TIMEOUT_S = 0.8
"""Less than the second between two looks: one that hangs must not delay the others."""
_AT_ONCE = 8

_Faults = (OSError, http.client.HTTPException, msgspec.DecodeError)


class Scorers:
    """The scorers of one workspace. `look` is for one thread at a time."""

    def __init__(self, find: Callable[[], Sequence[Presence]], *, token: str = "") -> None:
        self._find = find
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._met: dict[str, _Scorer] = {}

    def look(self) -> tuple[list[ScorerState], Look]:
        """Return the state of every scorer that is known, and what they counted."""
        present = {each.address: each for each in self._find()}
        for gone in set(self._met) - set(present):
            self._met.pop(gone).close()
        for address, presence in present.items():
            self._met.setdefault(address, _Scorer(presence, self._headers))
        if not present:
            return [], {}
        with ThreadPoolExecutor(min(len(present), _AT_ONCE)) as threads:
            found = list(threads.map(_Scorer.look, (self._met[each] for each in present)))
        read = {state.address: reading for state, reading in found if reading is not None}
        return [state for state, _ in found], read

    def close(self) -> None:
        """Let go of all connections."""
        while self._met:
            self._met.popitem()[1].close()


class _Scorer:
    """One address; the connection is kept from look to look."""

    def __init__(self, presence: Presence, headers: dict[str, str]) -> None:
        self.address = presence.address
        self._presence = presence
        self._headers = headers
        self._kept: http.client.HTTPConnection | None = None

    def look(self) -> tuple[ScorerState, Reading | None]:
        if self._kept is not None:
            # Its worker may be gone, or hang: then another one answers a new connection.
            with contextlib.suppress(*_Faults):
                return self._look(self._kept)
            self.close()
        try:
            self._kept = connect(self._presence, timeout_s=_TIMEOUT_S)
            return self._look(self._kept)
        except _Faults as error:
            self.close()
            return ScorerState(address=self.address, problem=_told(error)), None

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _look(self, connection: http.client.HTTPConnection) -> tuple[ScorerState, Reading]:
        told = msgspec.json.decode(self._get(connection, "/v1/status"), type=dict[str, Any])
        text = self._get(connection, "/metrics").decode()
        at_s = time.monotonic()
        workers = [_worker(each) for each in told.get("workers") or [told]]
        return ScorerState(address=self.address, workers=workers), Reading(
            at_s, counted(samples(text))
        )

    def _get(self, connection: http.client.HTTPConnection, path: str) -> bytes:
        connection.request("GET", path, headers=self._headers)
        answer = connection.getresponse()
        data = answer.read()
        if answer.status >= http.client.BAD_REQUEST:
            raise http.client.HTTPException(f"GET {path} was answered with {answer.status}")
        return data


def _worker(told: dict[str, Any]) -> WorkerState:
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
