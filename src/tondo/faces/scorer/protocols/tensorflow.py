"""TensorFlow Serving's REST: predict by rows or columns, classify, regress; status and metadata.

https://www.tensorflow.org/tfx/serving/api_rest
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from tondo.core.columns import item_type
from tondo.core.errors import CallerError, near
from tondo.faces.scorer.protocols.bodies import check_fields, malformed
from tondo.faces.scorer.protocols.producers import produced_by
from tondo.faces.scorer.protocols.tables import decode_object, rows_of, rows_of_columns
from tondo.scoring.request import ScoreRequest

if TYPE_CHECKING:
    from tondo.core.errors import TondoError
    from tondo.scoring.answer import Answer
    from tondo.scoring.path import ScoringPath
    from tondo.scoring.serving import Serving

SIGNATURE: Final = "serving_default"

_DTYPES: Final = {
    "double": "DT_DOUBLE",
    "id": "DT_INT64",
    "bool": "DT_BOOL",
    "string": "DT_STRING",
    "timestamp": "DT_STRING",
    "date": "DT_STRING",
}

_encode = msgspec.json.Encoder().encode


class Predict:
    """Answers `:predict`: `instances` by `predictions`, `inputs` by `outputs`."""

    protocol = "tensorflow"
    reads_headers = False

    def __init__(self, path: ScoringPath) -> None:
        self.path = path

    def read(self, body: bytes, started_ns: int) -> ScoreRequest:
        """Return the request of a body; `told` is the name of what is answered."""
        given = check_fields(decode_object(body), ("instances", "inputs", "signature_name"))
        _check_signature(given)
        if ("instances" in given) == ("inputs" in given):
            raise malformed(
                "the request has not one of instances and inputs",
                expected='{"instances": [row, ...]} or {"inputs": {"column": [value, ...]}}',
            )
        inputs = self.path.inputs
        by_rows = "instances" in given
        rows = (
            rows_of(inputs, given["instances"], "instances")
            if by_rows
            else rows_of_columns(inputs, given["inputs"], "inputs")
        )
        request = ScoreRequest(rows, started_ns=started_ns)
        request.told = "predictions" if by_rows else "outputs"
        return request

    def reply(self, answer: Answer, request: ScoreRequest) -> bytes:
        """Return an answer's JSON."""
        scores = [each.score for each in answer.predictions]
        return _encode({request.told: scores, "metadata": produced_by(answer)})

    def encode_error(self, error: TondoError) -> bytes:
        """Return an error's JSON."""
        return encode_error(error)


class _Examples:
    """Answers examples by `result`, from models of one task."""

    protocol = "tensorflow"
    reads_headers = False
    verb: str
    task: str

    def __init__(self, path: ScoringPath) -> None:
        self.path = path

    def read(self, body: bytes, started_ns: int) -> ScoreRequest:
        """Return the request of a body; what stands in `context` stands in each example."""
        found = next(iter(self.path.servings.values())).model.contents.task
        if found != self.task:
            raise CallerError(
                "TD-SCORE-020",
                f"'{self.path.deployment.name}' is a model of the task {found}",
                expected=f"a model of the task {self.task} for :{self.verb}",
                fix="Use :predict, which every model answers.",
            )
        given = check_fields(decode_object(body), ("examples", "context", "signature_name"))
        _check_signature(given)
        context, examples = given.get("context", {}), given.get("examples")
        if not isinstance(context, dict) or not isinstance(examples, list):
            raise malformed("examples is not a list", expected='{"examples": [{...}]}')
        if not all(isinstance(each, dict) for each in examples):
            raise malformed("an example is not an object", expected='{"column": value, ...}')
        inputs = self.path.inputs
        rows = [
            {
                name: value if item_type(inputs.types.get(name, "")) else _single(value)
                for name, value in {**context, **each}.items()
            }
            for each in examples
        ]
        return ScoreRequest(rows_of(inputs, rows, "examples"), started_ns=started_ns)

    def reply(self, answer: Answer, request: ScoreRequest) -> bytes:
        """Return an answer's JSON."""
        del request
        result = [self._result(each.score) for each in answer.predictions]
        return _encode({"result": result, "metadata": produced_by(answer)})

    def _result(self, score: float) -> Any:
        raise NotImplementedError

    def encode_error(self, error: TondoError) -> bytes:
        """Return an error's JSON."""
        return encode_error(error)


class Classify(_Examples):
    """Answers `:classify`: both labels with their probabilities."""

    verb = "classify"
    task = "binary"

    def _result(self, score: float) -> list[tuple[str, float]]:
        return [("0", 1 - score), ("1", score)]


class Regress(_Examples):
    """Answers `:regress`."""

    verb = "regress"
    task = "regression"

    def _result(self, score: float) -> float:
        return score


ROUTE: Final = "/v1/models/{{name}}{{version}}:{verb}"

SHAPES: Final = tuple(
    (ROUTE.format(verb=verb), handler)
    for verb, handler in (("predict", Predict), ("classify", Classify), ("regress", Regress))
)
"""Their routes in the table; `version` is empty or `/versions/{reference}`."""


def _single(value: Any) -> Any:
    """Return a value; in an example, every feature may be a list, as in tf.Example."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _check_signature(given: dict[str, Any]) -> None:
    name = given.get("signature_name", SIGNATURE)
    if name not in (SIGNATURE, ""):  # it may be unhashable
        raise malformed(
            f"there is no signature {name!r}"[:200],
            expected=SIGNATURE,
            fix=near(str(name), [SIGNATURE]),
        )


def status(versions: list[str]) -> dict[str, Any]:
    """Return the answer of GET /v1/models/{name}: what answers here is available."""
    return {
        "model_version_status": [
            {
                "version": each,
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
            for each in versions
        ]
    }


def metadata(path: ScoringPath, serving: Serving) -> dict[str, Any]:
    """Return the answer of GET /v1/models/{name}/metadata."""
    inputs = {
        name: _tensor_info(name, _DTYPES.get(type_, "DT_STRING"))
        for name, type_ in path.inputs.types.items()
    }
    signature = {
        "inputs": inputs,
        "outputs": {"score": _tensor_info("score", "DT_DOUBLE")},
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {
            "name": path.deployment.name,
            "signature_name": "",
            "version": str(serving.variant.version),
        },
        "metadata": {"signature_def": {"signature_def": {SIGNATURE: signature}}},
    }


def _tensor_info(name: str, dtype: str) -> dict[str, Any]:
    dim = [{"size": "-1", "name": ""}]
    return {
        "dtype": dtype,
        "tensor_shape": {"dim": dim, "unknown_rank": False},
        "name": f"{name}:0",
    }


def encode_error(error: TondoError) -> bytes:
    """Return the protocol's shape of an error."""
    return _encode({"error": str(error)})
