"""Asks a running scorer for one row, as any client does, under a purpose of its own."""

from __future__ import annotations

import http.client
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from tondo.core.errors import CallerError, NotFoundError, OutsideError, TondoError
from tondo.workspace.live.connection import connect
from tondo.workspace.live.explanation import Explanation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.scoring.presence import Presence

TRY = "try"
"""Purpose of a row that somebody tried by hand: logged, and left out of live quality."""

_TIMEOUT_S = 30.0
"""A cold model may have to be loaded first."""


class TryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a scorer answered to one row, and why."""

    prediction_id: str
    score: float
    decision: bool | None
    """Score at or above the model's threshold; None for a model without one."""
    deployment: str
    variant: str
    model: str
    version: int
    tags: list[str]
    log_mode: str
    as_of: str
    """RFC 3339 text of the instant as of which features were read."""
    freshness: dict[str, float | None]
    """View to the age of the oldest value used, seconds; None where nothing was found."""
    defaulted: list[str] = []
    """Views whose service did not answer: their stated defaults were used."""
    took_us: int
    """Microseconds between asking and the whole answer, the way there and back included."""
    scorer: str
    """Address of the scorer."""
    explanation: Explanation | None = None
    unexplained: str = ""
    """Why there is no explanation, where there is none."""


def ask_scorer(
    scorers: Sequence[Presence],
    deployment: str,
    row: dict[str, Any],
    *,
    as_of: str | None,
    token: str = "",
) -> TryAnswer:
    """Return the answer of the first scorer that is reached.

    TD-LIVE-002 when none is; what the scorer refuses is raised as it says.
    """
    body: dict[str, Any] = {"rows": [row], "purpose": TRY}
    if as_of is not None:
        body["as_of"] = as_of
    failed = []
    for each in scorers:
        began = time.perf_counter_ns()
        try:
            status, data = _post(each, deployment, msgspec.json.encode(body), token)
        except (OSError, http.client.HTTPException) as error:
            failed.append(f"{each.address}: {error}")
            continue
        took_us = (time.perf_counter_ns() - began) // 1000
        return _read(status, data, took_us=took_us, address=each.address)
    raise NotFoundError(
        "TD-LIVE-002",
        f"no scorer answers for '{deployment}'" + "".join(f"; {each}" for each in failed),
        expected="a scorer that runs on this project",
        fix="Start one: tondo serve.",
        deployment=deployment,
    )


def _post(scorer: Presence, deployment: str, body: bytes, token: str) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    with closing(connect(scorer, timeout_s=_TIMEOUT_S)) as connection:
        path = f"/v1/deployments/{quote(deployment, safe='')}/score"
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def _read(status: int, data: bytes, *, took_us: int, address: str) -> TryAnswer:
    told: dict[str, Any] = msgspec.json.decode(data)
    if status >= http.client.BAD_REQUEST:
        raise _refused(told["error"])
    (prediction,) = told["predictions"]
    return TryAnswer(
        prediction_id=prediction["id"],
        score=prediction["score"],
        decision=prediction["decision"],
        deployment=told["deployment"],
        variant=prediction["variant"],
        model=told["model"],
        version=told["version"],
        tags=told["tags"],
        log_mode=told["log_mode"],
        as_of=told["as_of"],
        freshness=told["freshness"],
        defaulted=list(told.get("defaulted", ())),
        took_us=took_us,
        scorer=address,
    )


def _refused(error: dict[str, Any]) -> TondoError:
    by_caller = error.get("fault") == CallerError.fault
    return (CallerError if by_caller else OutsideError).from_json(error)
