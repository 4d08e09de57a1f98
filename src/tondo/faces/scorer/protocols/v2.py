"""The Open Inference Protocol V2 in JSON: a request's tensors are the columns of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from tondo.core.columns import item_type
from tondo.core.errors import CallerError, near
from tondo.faces.scorer.protocols.bodies import (
    check_purpose,
    check_type,
    decode_any,
    explain_instant,
)
from tondo.scoring.request import ScoreRequest

if TYPE_CHECKING:
    from tondo.scoring.answer import Answer
    from tondo.scoring.path import ScoringPath
    from tondo.scoring.serving import Serving

_WHOLE = frozenset(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))
ACCEPTED: Final[dict[str, frozenset[str]]] = {
    "double": frozenset({"FP64", "FP32", "FP16"}) | _WHOLE,
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

SERVER = {"name": "tondo", "version": "1", "extensions": []}
"""The answer of GET /v2; the binary tensor extension is not offered yet."""

_encode = msgspec.json.Encoder().encode


class _Tensor(msgspec.Struct, gc=False):
    name: str
    shape: list[int]
    datatype: str
    data: list[Any]
    parameters: dict[str, Any] | None = None


class _Output(msgspec.Struct):
    name: str
    parameters: dict[str, Any] | None = None


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    inputs: list[_Tensor]
    id: str | None = None
    parameters: dict[str, Any] | None = None
    outputs: list[_Output] | None = None


_decode = msgspec.json.Decoder(_Request).decode

_EXACT = 2**53
"""Whole numbers up to here are float64 without rounding."""

_ONE_ROW = [1]

_PARAMETERS = ("as_of", "prediction_ids", "purpose")


class V2Handler:
    """Answers V2 requests for one scoring path."""

    protocol = "v2"

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
        try:
            request = _decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            decode_any(body)
            raise _tensors(f"the request is not of the protocol: {error}") from None
        for output in request.outputs or ():
            if output.name != "score":
                raise _tensors(
                    f"there is no output '{output.name}'. {near(output.name, ['score'])}"
                )
        rows = self._rows(request.inputs)
        as_of_us, ids, purpose = _parameters(request.parameters)
        return ScoreRequest(
            rows,
            as_of_us=as_of_us,
            ids=ids,
            purpose=purpose,
            request_id=request.id,
            started_ns=started_ns,
        )

    def reply(self, answer: Answer, request_id: str | None = None) -> bytes:
        """Return an answer's JSON."""
        return encode_answer(answer, request_id)

    def _rows(self, tensors: list[_Tensor]) -> list[dict[str, Any]]:
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

    def _one_row(self, tensors: list[_Tensor]) -> dict[str, Any]:
        """Read a request of one row; what is plain is taken as it is."""
        row: dict[str, Any] = {}
        plain, accepted = self._plain, self._accepted
        for tensor in tensors:
            name, data = tensor.name, tensor.data
            if (
                len(data) == 1
                and name in plain
                and data[0].__class__ is plain[name]
                and tensor.datatype in accepted[name]
                and tensor.shape == _ONE_ROW
            ):
                row[name] = data[0]
            else:
                row[name] = self._column(tensor, 1)[0]
        return row

    def _column(self, tensor: _Tensor, size: int) -> list[Any]:
        """Return a tensor's values in the language's own form."""
        name, data = tensor.name, tensor.data
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
            return data
        return [self._value(name, plain, each) for each in data]

    def _value(self, name: str, plain: type | None, value: Any) -> Any:
        if plain is float and type(value) is int and -_EXACT <= value <= _EXACT:
            return float(value)
        return self._read_value(name, value, where="inputs.")

    def _datatype(self, tensor: _Tensor, type_: str) -> CallerError:
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


def encode_answer(answer: Answer, request_id: str | None) -> bytes:
    """Return an answer's JSON; rows dealt to several variants list the variant of each."""
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
    reply = {
        "model_name": answer.deployment,
        "model_version": "" if several else str(one.version),
        "id": request_id or predictions[0].id,
        "parameters": parameters,
        "outputs": [
            {
                "name": "score",
                "datatype": "FP64",
                "shape": [len(predictions)],
                "data": [each.score for each in predictions],
            }
        ],
    }
    return _encode(reply)


def encode_error(error: Any) -> bytes:
    """Return the protocol's shape of an error."""
    return _encode({"error": str(error)})


def _parameters(given: dict[str, Any] | None) -> tuple[int | None, list[str] | None, str]:
    if not given:
        return None, None, "live"
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
    return explain_instant(given.get("as_of")), ids, check_purpose(purpose)


def _tensors(what: str, *, expected: str = "", fix: str = "") -> CallerError:
    return CallerError("TD-SCORE-011", what, expected=expected, fix=fix)
