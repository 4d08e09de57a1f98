"""The Open Inference Protocol V2: a request's tensors are the columns of its rows.

In JSON, or with the values as bytes behind it (`binary`).
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tondo.core.columns import item_type
from tondo.core.errors import CallerError, near
from tondo.faces.scorer.protocols import binary
from tondo.faces.scorer.protocols.bodies import (
    UNREADABLE,
    check_purpose,
    check_type,
    decode_any,
    explain_instant,
)
from tondo.faces.scorer.protocols.carried import Reply, sent_headers
from tondo.scoring.request import ScoreRequest

if TYPE_CHECKING:
    from tondo.core.errors import TondoError
    from tondo.scoring.answer import Answer
    from tondo.scoring.path import ScoringPath
    from tondo.scoring.serving import Serving

_WHOLE = frozenset(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))
ACCEPTED: Final[dict[str, frozenset[str]]] = {
    "double": frozenset({"FP64", "FP32"}) | _WHOLE,
    "id": _WHOLE,
    "bool": frozenset({"BOOL"}),
    "string": frozenset({"BYTES"}),
    "timestamp": frozenset({"BYTES", "INT64"}),
    "date": frozenset({"BYTES"}) | _WHOLE,
}
_NATURAL: Final = {
    "double": "FP64",
    "id": "INT64",
    "bool": "BOOL",
    "string": "BYTES",
    "timestamp": "BYTES",
    "date": "BYTES",
}

ROUTE: Final = "/v2/models/{name}{version}/infer"
"""Its routes in the table; `version` is empty or `/versions/{reference}`."""

SERVER: Final = {"name": "tondo", "version": "1", "extensions": ["binary_tensor_data"]}
"""The answer of GET /v2."""

_encode = msgspec.json.Encoder().encode


class Tensor(msgspec.Struct, gc=False):
    """One input as it is sent."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | None = None
    """None while its values stand behind the JSON."""
    parameters: dict[str, Any] | None = None


class Output(msgspec.Struct):
    """One output as it is asked for."""

    name: str
    parameters: dict[str, Any] | None = None


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    inputs: list[Tensor]
    id: str | None = None
    parameters: dict[str, Any] | None = None
    outputs: list[Output] | None = None


_decode = msgspec.json.Decoder(_Request).decode

_EXACT = 2**53
"""Whole numbers up to here are float64 without rounding."""

_ONE_ROW = [1]

_PARAMETERS = ("as_of", "binary_data_output", "prediction_ids", "purpose")


class V2Handler:
    """Answers V2 requests for one scoring path."""

    protocol = "v2"
    reads_headers = False

    def __init__(self, path: ScoringPath) -> None:
        self.path = path
        self._types = path.inputs.types
        self._optional = path.inputs.optional
        self._read_value = path.inputs.read_value
        self._required = frozenset(self._types) - self._optional
        # Values of these exact classes need no further reading.
        classes = {"double": float, "bool": bool, "string": str}
        self._plain = {name: classes.get(type_) for name, type_ in self._types.items()}
        self._accepted = {
            name: ACCEPTED.get(type_, frozenset()) for name, type_ in self._types.items()
        }

    def read(self, body: bytes, started_ns: int) -> ScoreRequest:
        """Return the request of a body; coded errors name the input that is wrong."""
        length = sent_headers(body).get(binary.HEADER)
        body, behind = (body, b"") if length is None else binary.split(body, length)
        try:
            request = _decode(body)
        except UNREADABLE as error:
            decode_any(body)
            raise _tensors(f"the request is not of the protocol: {error}") from None
        binary.take(request.inputs, behind)
        return self.request_of(
            request.inputs, request.outputs, request.parameters, request.id, started_ns
        )

    def request_of(
        self,
        inputs: list[Tensor],
        outputs: list[Output] | None,
        parameters: dict[str, Any] | None,
        request_id: str | None,
        started_ns: int,
    ) -> ScoreRequest:
        """Return the request of tensors, however they came; `told` is whether bytes go back."""
        as_of_us, ids, purpose, as_bytes = read_parameters(parameters)
        for output in outputs or ():
            as_bytes = wants_bytes(output, as_bytes)
        request = ScoreRequest(
            self._rows(inputs),
            as_of_us=as_of_us,
            ids=ids,
            purpose=purpose,
            request_id=request_id,
            started_ns=started_ns,
        )
        request.told = as_bytes
        return request

    def reply(self, answer: Answer, request: ScoreRequest) -> bytes:
        """Return an answer's JSON, its scores behind it where bytes were asked for."""
        if not request.told:
            return encode_answer(answer, request.request_id)
        data = binary.pack_scores([each.score for each in answer.predictions])
        return with_bytes(encode_beginning(answer, request.request_id, len(data)), data)

    def encode_error(self, error: TondoError) -> bytes:
        """Return an error's JSON."""
        return encode_error(error)

    def _rows(self, tensors: list[Tensor]) -> list[dict[str, Any]]:
        if not tensors:
            raise _tensors("the request has no inputs")
        size = tensors[0].shape[0] if tensors[0].shape else 0
        if size == 1:
            row = self._one_row(tensors)
            rows = [row]
        else:
            row = {tensor.name: self._column(tensor, size) for tensor in tensors}
            names = tuple(row)
            rows = [dict(zip(names, each, strict=True)) for each in zip(*row.values(), strict=True)]
        if len(row) != len(tensors):
            raise _tensors("an input stands in the request twice")
        if not self._required <= row.keys():
            self.path.inputs.read_mapping(dict.fromkeys(row), where="inputs.")
        return rows

    def _one_row(self, tensors: list[Tensor]) -> dict[str, Any]:
        """Read a request of one row; what is plain is taken as it is."""
        row: dict[str, Any] = {}
        plain, accepted = self._plain, self._accepted
        for tensor in tensors:
            name, data = tensor.name, tensor.data
            if (
                data is not None
                and len(data) == 1
                and name in plain
                and data[0].__class__ is plain[name]
                and tensor.datatype in accepted[name]
                and tensor.shape == _ONE_ROW
            ):
                row[name] = data[0]
            else:
                row[name] = self._column(tensor, 1)[0]
        return row

    def _column(self, tensor: Tensor, size: int) -> list[Any]:
        """Return a tensor's values in the language's own form."""
        name, data = tensor.name, tensor.data
        if data is None:
            raise _tensors(f"input '{name}' has no data", expected="data, or bytes behind the JSON")
        type_ = self._types.get(name)
        if type_ is None:
            self._read_value(name, None, where="inputs.")
        if tensor.datatype not in ACCEPTED.get(type_ or "", ()):
            raise self._datatype(tensor, str(type_))
        if tensor.shape not in ([size], [size, 1]) or size < 1:
            raise _tensors(
                f"input '{name}' has the shape {tensor.shape}",
                expected=f"[{size}] or [{size}, 1], the same number of rows in all inputs",
            )
        if len(data) == size and size > 0 and type(data[0]) is list:
            data = [each[0] if type(each) is list and len(each) == 1 else each for each in data]
        if len(data) != size:
            raise _tensors(
                f"input '{name}' has {len(data)} values", expected=f"{size}, as its shape says"
            )
        plain = self._plain[name]
        if plain is not None and all(type(each) is plain for each in data):
            return (
                data if plain is not float or all(map(isfinite, data)) else self._read(name, data)
            )
        return self._read(name, data)

    def _read(self, name: str, data: list[Any]) -> list[Any]:
        plain = self._plain[name]
        return [self._value(name, plain, each) for each in data]

    def _value(self, name: str, plain: type | None, value: Any) -> Any:
        if plain is float and type(value) is int and -_EXACT <= value <= _EXACT:
            return float(value)
        return self._read_value(name, value, where="inputs.")

    def _datatype(self, tensor: Tensor, type_: str) -> CallerError:
        if item_type(type_):
            return _tensors(
                f"input '{tensor.name}' is a list",
                expected="scalar columns in this protocol",
                fix="Use the native rows call for lists.",
            )
        return _tensors(
            f"input '{tensor.name}' has the datatype {tensor.datatype}",
            expected="one of " + ", ".join(sorted(ACCEPTED[type_])),
            fix=near(tensor.datatype, ACCEPTED[type_]),
        )


def metadata(path: ScoringPath, serving: Serving, versions: list[str]) -> dict[str, Any]:
    """Return the answer of GET /v2/models/{name}[/versions/{v}]."""
    contents = serving.model.contents
    return {
        "name": path.deployment.name,
        "versions": versions,
        "platform": f"tondo_{contents.runtime}",
        "inputs": [
            {"name": name, "datatype": _NATURAL.get(type_, "BYTES"), "shape": [-1]}
            for name, type_ in path.inputs.types.items()
        ],
        "outputs": [{"name": "score", "datatype": "FP64", "shape": [-1]}],
        "parameters": {
            "model": serving.variant.model,
            "model_version_id": serving.variant.model_version_id,
            "task": contents.task,
            "algorithm": contents.algorithm,
        },
    }


def encode_beginning(answer: Answer, request_id: str | None, size: int) -> bytes:
    """Return an answer's JSON whose scores stand behind it, in `size` bytes."""
    return _encode(describe(answer, request_id, {"parameters": {"binary_data_size": size}}))


def with_bytes(head: bytes, data: bytes) -> Reply:
    """Return the payload of a JSON and the bytes behind it."""
    return Reply.of(
        head + data, {"content-type": "application/octet-stream", binary.HEADER: str(len(head))}
    )


def encode_answer(answer: Answer, request_id: str | None) -> bytes:
    """Return an answer's JSON."""
    scores = [each.score for each in answer.predictions]
    return _encode(describe(answer, request_id, {"data": scores}))


def describe(answer: Answer, request_id: str | None, values: dict[str, Any]) -> dict[str, Any]:
    """Return an answer, `values` in its output; rows dealt to several variants list each one's."""
    predictions = answer.predictions
    one = answer.variants[0]
    several = len(answer.variants) > 1
    parameters: dict[str, Any] = {
        "prediction_ids": [each.id for each in predictions],
        "model_version_id": None if several else one.model_version_id,
        "variant": None if several else one.variant,
        "tags": [] if several else one.tags,
        "log_mode": answer.log_mode,
        "as_of_us": answer.as_of_us,
        "freshness": answer.freshness,
    }
    if answer.defaulted:
        parameters["defaulted"] = answer.defaulted
    if several:
        parameters["variants"] = [each.variant for each in predictions]
    if predictions[0].decision is not None:
        parameters["decisions"] = [each.decision for each in predictions]
    return {
        "model_name": answer.deployment,
        "model_version": "" if several else str(one.version),
        "id": request_id or predictions[0].id,
        "parameters": parameters,
        "outputs": [
            {
                "name": "score",
                "datatype": "FP64",
                "shape": [len(predictions)],
                **values,
            }
        ],
    }


def encode_error(error: TondoError) -> bytes:
    """Return the protocol's shape of an error."""
    return _encode({"error": str(error)})


def wants_bytes(output: Output, as_bytes: bool) -> bool:  # noqa: FBT001 - what held so far
    """Return whether an output goes back as bytes; there is one output, `score`."""
    if output.name != "score":
        raise _tensors(f"there is no output '{output.name}'. {near(output.name, ['score'])}")
    for name, value in (output.parameters or {}).items():
        if name != "binary_data":
            raise _tensors(f"an output has no parameter '{name}'", expected="only binary_data")
        as_bytes = check_type(value, bool, "binary_data", "true or false")
    return as_bytes


def read_parameters(
    given: dict[str, Any] | None,
) -> tuple[int | None, list[str] | None, str, bool]:
    """Return as-of time, prediction ids, purpose, and whether outputs go back as bytes."""
    if not given:
        return None, None, "live", False
    for name in given:
        if name not in _PARAMETERS:
            raise _tensors(
                f"the request has no parameter '{name}'",
                expected="only " + ", ".join(_PARAMETERS),
                fix=near(name, _PARAMETERS),
            )
    ids = check_type(
        given.get("prediction_ids"), list[str] | None, "prediction_ids", "a list of texts"
    )
    purpose = check_type(given.get("purpose", "live"), str, "purpose", "text")
    as_bytes = check_type(
        given.get("binary_data_output", False), bool, "binary_data_output", "a bool"
    )
    return explain_instant(given.get("as_of")), ids, check_purpose(purpose), as_bytes


def _tensors(what: str, *, expected: str = "", fix: str = "") -> CallerError:
    return CallerError("TD-SCORE-011", what, expected=expected, fix=fix)
