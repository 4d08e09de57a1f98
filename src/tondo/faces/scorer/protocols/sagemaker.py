"""SageMaker's runtime: `POST /endpoints/{name}/invocations`, as boto3's InvokeEndpoint sends it.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from tondo.core.errors import CallerError
from tondo.faces.scorer.protocols.carried import Reply, sent_headers
from tondo.faces.scorer.protocols.invocations import (
    JSON,
    accepted,
    encode_scores,
    media_type,
    read_rows,
)
from tondo.faces.scorer.protocols.producers import variants_of
from tondo.faces.web.status import status_of
from tondo.scoring.request import ScoreRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.core.errors import TondoError
    from tondo.scoring.answer import Answer
    from tondo.scoring.path import ScoringPath

_SAID: Final = "x-amzn-sagemaker-"
ROUTE: Final = "/endpoints/{name}{version}/invocations"
"""Its routes in the table; the version is the target variant, which a header names."""

TARGET_VARIANT: Final = _SAID + "target-variant"
TARGET_MODEL: Final = _SAID + "target-model"
_INFERENCE_ID: Final = _SAID + "inference-id"
_ATTRIBUTES: Final = _SAID + "custom-attributes"
_OF_ANOTHER: Final = tuple(
    _SAID + each for each in ("target-model", "target-container-hostname", "inference-component")
)
"""Headers that ask for something else than an endpoint's variants: never answered by another."""

_encode = msgspec.json.Encoder().encode


class InvokeEndpoint:
    """Answers invocations of an endpoint, which is a deployment, or of one of its variants."""

    protocol = "sagemaker"
    reads_headers = True

    def __init__(self, path: ScoringPath) -> None:
        self.path = path

    def read(self, body: bytes, started_ns: int) -> ScoreRequest:
        """Return the request of a body.

        An inference id is the prediction id; of several rows each has it with `-` and its place.
        """
        headers = sent_headers(body)
        for name in _OF_ANOTHER:
            if name in headers:
                raise CallerError(
                    "TD-SCORER-022",
                    f"the header {name} asks for what an endpoint here does not have",
                    expected=f"{TARGET_VARIANT}, or no target",
                    fix="Each model is an endpoint of its own here: name it in the address.",
                )
        kind = media_type(headers)
        kind = accepted(headers, kind if kind in {"text/csv", "application/jsonlines"} else JSON)
        rows = read_rows(self.path.inputs, body, headers)
        own = headers.get(_INFERENCE_ID)
        request = ScoreRequest(
            rows,
            ids=None if own is None else ids_from(own, len(rows)),
            request_id=own,
            started_ns=started_ns,
        )
        request.told = (kind, headers.get(_ATTRIBUTES))
        return request

    def reply(self, answer: Answer, request: ScoreRequest) -> bytes:
        """Return an answer's payload; its headers say which variant was invoked."""
        kind, attributes = request.told
        payload = encode_scores(answer, kind)
        assert isinstance(payload, Reply)
        told = {
            **payload.headers,
            "x-amzn-invoked-production-variant": variants_of(answer),
            "x-amzn-requestid": answer.predictions[0].id,
        }
        if attributes is not None:
            told[_ATTRIBUTES] = attributes
        return Reply.of(payload, told)

    def encode_error(self, error: TondoError) -> bytes:
        """Return an error's payload."""
        return encode_error(error)


def ids_from(inference_id: str, rows: int) -> list[str]:
    """Return the prediction ids of a request.

    >>> ids_from("a", 1), ids_from("a", 2)
    (['a'], ['a-0', 'a-1'])
    """
    return [inference_id] if rows == 1 else [f"{inference_id}-{at}" for at in range(rows)]


def status_in_aws(status: int) -> int:
    """Return the status that the runtime has for one of ours: a model that failed is 424."""
    return 424 if status == 500 else status


def error_type(error: TondoError, status: int) -> str:
    """Return the error's type in the runtime's model."""
    if status == 503:
        return "ServiceUnavailable"
    if status >= 500:
        return "ModelError"
    return "AccessDeniedException" if error.code == "TD-WEB-003" else "ValidationError"


def encode_error(error: TondoError) -> bytes:
    """Return the runtime's shape of an error."""
    status = status_of(error)
    told: Mapping[str, str] = {"content-type": JSON, "x-amzn-errortype": error_type(error, status)}
    body: dict[str, Any] = {"message": str(error), "Message": str(error)}
    if status == 500:
        body |= {"OriginalStatusCode": status, "OriginalMessage": str(error)}
    return Reply.of(_encode(body), told)
