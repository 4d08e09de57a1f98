"""Reads and writes V2's messages for one scoring path; the meaning is that of V2 over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from google.protobuf.message import DecodeError

from tondo.faces.scorer.grpc.messages import MESSAGES
from tondo.faces.scorer.protocols import binary, v2
from tondo.faces.scorer.protocols.carried import Sent

if TYPE_CHECKING:
    from tondo.core.errors import TondoError
    from tondo.scoring.answer import Answer
    from tondo.scoring.path import ScoringPath
    from tondo.scoring.request import ScoreRequest

ROUTE: Final = "grpc:/{name}{version}"
"""Its routes in the table; no URL begins so."""

_CONTENTS: Final = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}

_ModelInferRequest = MESSAGES["ModelInferRequest"]
_ModelInferResponse = MESSAGES["ModelInferResponse"]


class Call(Sent):
    """A request's bytes with the message that they are."""

    message: Any


def call_of(data: bytes, headers: dict[str, str]) -> Call:
    """Return a request's bytes, parsed; ValueError where they are none."""
    call = Call(data)
    call.headers = headers
    try:
        call.message = _ModelInferRequest.FromString(data)
    except DecodeError as error:
        raise ValueError(str(error)) from None
    return call


class GrpcHandler:
    """Answers `ModelInfer` for one scoring path."""

    protocol = "grpc"
    reads_headers = True

    def __init__(self, path: ScoringPath) -> None:
        self.path = path
        self._v2 = v2.V2Handler(path)

    def read(self, body: bytes, started_ns: int) -> ScoreRequest:
        """Return the request of a `Call`; `told` is whether raw contents go back."""
        assert isinstance(body, Call)
        message = body.message
        raw = list(message.raw_input_contents)
        if raw and len(raw) != len(message.inputs):
            raise binary.refused(
                f"{len(raw)} raw contents for {len(message.inputs)} inputs",
                expected="raw contents for every input, or for none",
            )
        inputs = [_tensor(each, raw[at] if raw else None) for at, each in enumerate(message.inputs)]
        outputs = [v2.Output(each.name, _parameters(each.parameters)) for each in message.outputs]
        parameters = _parameters(message.parameters)
        if "prediction_ids" in parameters:
            parameters["prediction_ids"] = str(parameters["prediction_ids"]).split(",")
        request = self._v2.request_of(inputs, outputs, parameters, message.id or None, started_ns)
        request.told = bool(raw) or request.told
        return request

    def reply(self, answer: Answer, request: ScoreRequest) -> bytes:
        """Return a `ModelInferResponse`: scores as raw contents where the request had such."""
        told = v2.describe(answer, request.request_id, {})
        response = _ModelInferResponse(
            model_name=told["model_name"], model_version=told["model_version"], id=told["id"]
        )
        for name, value in told["parameters"].items():
            if value is not None:
                _set(response.parameters[name], value)
        scores = [each.score for each in answer.predictions]
        output = response.outputs.add(name="score", datatype="FP64", shape=[len(scores)])
        if request.told:
            response.raw_output_contents.append(binary.pack_scores(scores))
        else:
            output.contents.fp64_contents.extend(scores)
        data: bytes = response.SerializeToString()
        return data

    def encode_error(self, error: TondoError) -> bytes:
        """Return the text that stands beside a status."""
        return str(error).encode()


def _tensor(given: Any, raw: bytes | None) -> v2.Tensor:
    tensor = v2.Tensor(given.name, list(given.shape), given.datatype)
    if raw is not None:
        if given.HasField("contents"):
            raise binary.refused(f"input '{given.name}' has contents and raw contents")
        tensor.data = binary.values(given.name, given.datatype, raw)
        return tensor
    field = _CONTENTS.get(given.datatype)
    if field is None:
        raise binary.refused(
            f"input '{given.name}' has the datatype {given.datatype}",
            expected="one of " + ", ".join(_CONTENTS),
        )
    values = list(getattr(given.contents, field))
    if given.datatype == "BYTES":
        values = [binary.text_of(given.name, each) for each in values]
    elif given.datatype in {"FP32", "FP64"}:
        values = binary.without_nan(values)
    tensor.data = values
    return tensor


def _parameters(given: Any) -> dict[str, Any]:
    """Return parameters by name; one without a value is None, which no parameter may be."""
    return {
        name: None if (kind := each.WhichOneof("parameter_choice")) is None else getattr(each, kind)
        for name, each in given.items()
    }


def _set(parameter: Any, value: Any) -> None:
    """Write one value: texts as they are, lists with commas between, all else as JSON."""
    if isinstance(value, bool):
        parameter.bool_param = value
    elif isinstance(value, int):
        parameter.int64_param = value
    elif isinstance(value, str):
        parameter.string_param = value
    elif isinstance(value, list) and all(isinstance(each, str) for each in value):
        parameter.string_param = ",".join(value)
    else:
        parameter.string_param = msgspec.json.encode(value).decode()
