"""Requests sent to a scorer as a caller sends them, one after the other."""

from __future__ import annotations

from http import HTTPStatus
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import CallerError, OutsideError
from tondo.core.ids import derived_id
from tondo.scoring.frames import LoggedRequest, LoggedRow, encode
from tondo.stages.serving.answerer import SHOWN_CHARACTERS, refusal
from tondo.stages.serving.answers import Answered, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.ports.endpoints import Endpoint
    from tondo.scoring.inputs import RowInputs
    from tondo.stages.serving.answers import Purpose
    from tondo.stages.serving.consumer import Asked


class EndpointAnswerer:
    """Sends requests to a deployment of a scorer; what it answers comes back as frames.

    The prediction's ids are made of deployment, version and the source's ids, so a request that
    is sent again is the same prediction there.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        deployment: str,
        inputs: RowInputs,
        *,
        version_id: str,
        purpose: Purpose,
    ) -> None:
        self._endpoint = endpoint
        self._path = f"/v1/deployments/{deployment}/score"
        self._deployment = deployment
        self._inputs = inputs
        self._version_id = version_id
        self._purpose = purpose

    def answer(self, asked: Asked) -> list[Answered | Refused]:
        """Send one request."""
        ids = [
            derived_id(self._purpose, self._deployment, self._version_id, each)
            for each in asked.source_ids
        ]
        try:
            rows = [
                self._inputs.select(row, where=f"rows[{at}].") for at, row in enumerate(asked.rows)
            ]
        except CallerError as error:
            return [refusal(asked, error)]
        body = {"rows": rows, "ids": ids, "purpose": self._purpose, "as_of": asked.as_of_us}
        started = perf_counter_ns()
        status, told = self._endpoint.post(self._path, msgspec.json.encode(body))
        latency_us = (perf_counter_ns() - started) // 1000
        answer = self._decoded(told)
        if status != HTTPStatus.OK:
            return [_refused(asked, status, answer)]
        return [self._answered(asked, rows, answer, latency_us)]

    def _decoded(self, told: bytes) -> dict[str, Any]:
        try:
            return msgspec.json.decode(told, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise OutsideError(
                "TD-SERVING-017",
                f"the scorer at {self._endpoint.address} did not answer: {error}",
                expected="a scorer that serves the staging deployment",
                fix="Start one (tondo serve), or replay in process.",
                address=self._endpoint.address,
            ) from None

    def _answered(
        self, asked: Asked, rows: list[Any], answer: Mapping[str, Any], latency_us: int
    ) -> Answered:
        if answer["model_version_id"] != self._version_id:
            raise OutsideError(
                "TD-SERVING-018",
                f"'{self._deployment}' answers by version {answer['version']}, which is not the"
                " candidate",
                expected="a staging deployment of the candidate alone",
                fix="Deploy it there: tondo model deploy MODEL VERSION --staging.",
                deployment=self._deployment,
            )
        request = LoggedRequest(
            request_id=asked.request_id or "",
            at_us=asked.as_of_us or 0,
            as_of_us=asked.as_of_us or 0,
            deployment=self._deployment,
            variant=answer["variant"],
            model=answer["model"],
            version=answer["version"],
            model_version_id=answer["model_version_id"],
            purpose=self._purpose,
            latency_us=latency_us,
            error=None,
            rows=[
                LoggedRow(prediction_id=each["id"], score=each["score"], vector=b"", inputs=row)
                for each, row in zip(answer["predictions"], rows, strict=True)
            ],
        )
        return Answered(asked.source_ids, msgspec.Raw(encode(request)), asked.before)


def _refused(asked: Asked, status: int, answer: Mapping[str, Any]) -> Refused:
    error = answer.get("error")
    told = error if isinstance(error, dict) else {}
    return Refused(
        asked.source_ids,
        str(told.get("code", f"HTTP {status}")),
        str(told.get("message", error))[:SHOWN_CHARACTERS],
        asked.before,
    )
