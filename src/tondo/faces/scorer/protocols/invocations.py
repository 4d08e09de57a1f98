"""`POST /invocations`: MLflow's scoring server and SageMaker's containers share this address.

Read are MLflow's four JSON bodies, native rows, CSV and JSON lines; answered is MLflow's JSON, or
CSV or JSON lines where `Accept` asks for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from tondo.core.errors import CallerError
from tondo.faces.scorer.protocols.bodies import decode_any, malformed
from tondo.faces.scorer.protocols.carried import Reply, sent_headers
from tondo.faces.scorer.protocols.producers import produced_by, variants_of
from tondo.faces.scorer.protocols.tables import (
    decode_object,
    rows_of,
    rows_of_columns,
    rows_of_csv,
    rows_of_split,
)
from tondo.scoring.request import ScoreRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tondo.core.errors import TondoError
    from tondo.scoring.answer import Answer
    from tondo.scoring.inputs import RowInputs
    from tondo.scoring.path import ScoringPath
    from tondo.scoring.request import Row

ROUTE: Final = "/invocations/{name}{version}"
"""Its routes in the table: an address alone names no deployment."""

JSON: Final = "application/json"
CSV: Final = "text/csv"
LINES: Final = "application/jsonlines"

_encode = msgspec.json.Encoder().encode


def _inputs(inputs: RowInputs, given: Any, where: str) -> list[Row]:
    return (rows_of_columns if isinstance(given, dict) else rows_of)(inputs, given, where)


_BODIES: Final[dict[str, Callable[[RowInputs, Any, str], list[Row]]]] = {
    "dataframe_split": rows_of_split,
    "dataframe_records": rows_of,
    "instances": _inputs,
    "inputs": _inputs,
    "rows": rows_of,
}


def media_type(headers: Mapping[str, str]) -> str:
    """Return a body's media type without its parameters; JSON where none is told."""
    return headers.get("content-type", JSON).partition(";")[0].strip().lower() or JSON


def read_rows(inputs: RowInputs, body: bytes, headers: Mapping[str, str]) -> list[Row]:
    """Return the rows of a body of any of the shapes; TD-SCORE-021 for another media type."""
    kind = media_type(headers)
    if kind == CSV:
        return rows_of_csv(inputs, body, _csv_header(headers["content-type"]))
    if kind in {LINES, "application/jsonl", "application/x-ndjson"}:
        lines = [decode_any(line) for line in body.splitlines() if line.strip()]
        return rows_of(inputs, lines, "line")
    # What `curl -d` says of a body that is JSON all the same.
    if kind in {JSON, "application/x-www-form-urlencoded"}:
        return _json_rows(inputs, body)
    raise CallerError(
        "TD-SCORE-021",
        f"bodies of {kind[:60]!r} are not read here",
        expected=f"{JSON}, {CSV} or {LINES}",
        fix="Say so in Content-Type.",
    )


def _json_rows(inputs: RowInputs, body: bytes) -> list[Row]:
    given = decode_object(body)
    if given.pop("params", None):
        raise malformed("the model takes no params", expected="a body without params")
    if len(given) != 1 or next(iter(given)) not in _BODIES:
        raise malformed(
            f"the body has the fields {sorted(given)}"[:200],
            expected="exactly one of " + ", ".join(_BODIES),
        )
    ((name, value),) = given.items()
    return _BODIES[name](inputs, value, name)


def _csv_header(content_type: str) -> str | None:
    """Return RFC 4180's parameter `header`."""
    for each in content_type.split(";")[1:]:
        name, _, value = each.partition("=")
        if name.strip().lower() == "header":
            return value.strip().strip('"').lower()
    return None


def accepted(headers: Mapping[str, str], otherwise: str) -> str:
    """Return the media type to answer in; TD-SCORE-021 where none of ours is accepted."""
    asked = [
        each.partition(";")[0].strip().lower() for each in headers.get("accept", "").split(",")
    ]
    for each in asked:
        if each in {JSON, CSV, LINES}:
            return each
        if each in {"", "*/*", "application/*"}:
            return otherwise
    raise CallerError(
        "TD-SCORE-021",
        f"answers in {headers['accept'][:60]!r} are not given here",
        expected=f"{JSON}, {CSV} or {LINES}",
        fix="Say so in Accept, or leave it out.",
    )


def encode_scores(answer: Answer, kind: str) -> bytes:
    """Return the payload of an answer in a media type, with its type and who answered."""
    scores = [each.score for each in answer.predictions]
    if kind == CSV:
        payload = "".join(f"{each!r}\n" for each in scores).encode()
    elif kind == LINES:
        payload = b"".join(_encode({"predictions": each}) + b"\n" for each in scores)
    else:
        payload = _encode({"predictions": scores, "metadata": produced_by(answer)})
    told = {
        "content-type": kind,
        "x-tondo-variant": variants_of(answer),
        "x-tondo-model-version-id": ",".join(
            quote(each.model_version_id) for each in answer.variants
        ),
    }
    return Reply.of(payload, told)


class Invocations:
    """Answers `/invocations` for one scoring path."""

    protocol = "mlflow"
    reads_headers = True

    def __init__(self, path: ScoringPath) -> None:
        self.path = path

    def read(self, body: bytes, started_ns: int) -> ScoreRequest:
        """Return the request of a body; `told` is the media type of the answer."""
        headers = sent_headers(body)
        kind = accepted(headers, JSON)
        request = ScoreRequest(read_rows(self.path.inputs, body, headers), started_ns=started_ns)
        request.told = kind
        return request

    def reply(self, answer: Answer, request: ScoreRequest) -> bytes:
        """Return an answer's payload."""
        return encode_scores(answer, request.told)

    def encode_error(self, error: TondoError) -> bytes:
        """Return an error's JSON."""
        return encode_error(error)


def encode_error(error: TondoError) -> bytes:
    """Return MLflow's shape of an error."""
    whose = "INTERNAL_ERROR" if error.fault in {"platform", "outside"} else "BAD_REQUEST"
    return _encode({"error_code": whose, "message": str(error)})
