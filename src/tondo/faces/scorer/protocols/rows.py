"""Native rows: `{"rows": [{...}], "as_of"?, "ids"?, "purpose"?}`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import CallerError
from tondo.core.instants import from_micros
from tondo.faces.scorer.protocols.bodies import (
    UNREADABLE,
    check_fields,
    check_purpose,
    check_type,
    decode_any,
    explain_instant,
    malformed,
    read_instant,
)
from tondo.scoring.answer import Answer
from tondo.scoring.request import ScoreRequest

if TYPE_CHECKING:
    from tondo.core.errors import TondoError
    from tondo.scoring.path import ScoringPath

ROUTE = "/v1/deployments/{name}{version}/score"
"""Its routes in the table; `version` is empty or `/versions/{reference}`."""

_FIELDS = ("rows", "as_of", "ids", "purpose")

_encode = msgspec.json.Encoder().encode


class RowsHandler:
    """Answers native requests for one scoring path."""

    protocol = "rows"
    reads_headers = False

    def __init__(self, path: ScoringPath) -> None:
        self.path = path
        request = msgspec.defstruct(
            "Request",
            [
                ("rows", list[path.inputs.struct]),  # type: ignore[name-defined]
                ("as_of", int | datetime | None, None),
                ("ids", list[str] | None, None),
                ("purpose", str, "live"),
            ],
            forbid_unknown_fields=True,
        )
        self._decode = msgspec.json.Decoder(request).decode
        self._from_struct = path.inputs.from_struct
        self._fixed = _fixed_part(path)
        self._second = -1
        self._second_text = ""

    def read(self, body: bytes, started_ns: int) -> ScoreRequest:
        """Return the request of a body; coded errors name the field that is wrong."""
        try:
            request: Any = self._decode(body)
        except UNREADABLE as error:
            raise self._explained(body, str(error)) from None
        from_struct, as_of, purpose = self._from_struct, request.as_of, request.purpose
        return ScoreRequest(
            [from_struct(each) for each in request.rows],
            as_of_us=None if as_of is None else read_instant(as_of),
            ids=request.ids,
            purpose=purpose if purpose == "live" else check_purpose(purpose),
            started_ns=started_ns,
        )

    def reply(self, answer: Answer, request: ScoreRequest | None = None) -> bytes:
        """Return what `encode_answer` does; what never changes is encoded once."""
        del request  # each prediction has its id
        if self._fixed is None:
            return encode_answer(answer)
        return b'{"predictions":%b,%b,"as_of":%b,"freshness":%b%b}' % (
            _encode(answer.predictions),
            self._fixed,
            self.instant(answer.as_of_us).encode(),
            _encode(answer.freshness) if answer.ages_us else b"{}",
            b',"defaulted":%b' % _encode(answer.defaulted) if answer.defaulted else b"",
        )

    def encode_error(self, error: TondoError) -> bytes:
        """Return an error's JSON."""
        return encode_error(error)

    def instant(self, micros: int) -> str:
        """Return the JSON text of an instant; the text up to the second is kept."""
        second, fraction = divmod(micros, 1_000_000)
        if second != self._second:
            self._second = second
            self._second_text = _encode(from_micros(second * 1_000_000))[:-2].decode()
        return f'{self._second_text}.{fraction:06d}Z"' if fraction else f'{self._second_text}Z"'

    def _explained(self, body: bytes, why: str) -> CallerError:
        """Read the slow way, which raises the error that names the field."""
        request = check_fields(decode_any(body), _FIELDS)
        rows = request.get("rows")
        if not isinstance(rows, list):
            return malformed("rows is missing or not a list", expected='{"rows": [{...}]}')
        for position, row in enumerate(rows):
            self.path.inputs.read_mapping(row, where=f"rows[{position}].")
        explain_instant(request.get("as_of"))
        check_type(request.get("ids"), list[str] | None, "ids", "a list of texts, one per row")
        check_type(request.get("purpose", "live"), str, "purpose", "text")
        return malformed(f"the body cannot be read: {why}")


def _fixed_part(path: ScoringPath) -> bytes | None:
    """Return the fields between predictions and as_of, where one variant answers always."""
    if len(path.servings) != 1:
        return None
    (serving,) = path.servings.values()
    answer = Answer([], path.deployment.name, [serving.answered], path.log_mode, 0, {})
    text = encode_answer(answer)
    return text[text.index(b'"deployment"') : text.index(b',"as_of"')]


def encode_answer(answer: Answer) -> bytes:
    """Return an answer's JSON.

    Where several variants answered, the fields that name one are null and `variants` has all.
    """
    head = {"predictions": answer.predictions, "deployment": answer.deployment}
    tail = {
        "log_mode": answer.log_mode,
        "as_of": from_micros(answer.as_of_us),
        "freshness": answer.freshness,
        **({"defaulted": answer.defaulted} if answer.defaulted else {}),
    }
    if len(answer.variants) == 1:
        one = answer.variants[0]
        return _encode(
            {
                **head,
                "model": one.model,
                "version": one.version,
                "model_version_id": one.model_version_id,
                "variant": one.variant,
                "tags": one.tags,
                **tail,
            }
        )
    nobody = dict.fromkeys(("model", "version", "model_version_id", "variant"))
    return _encode({**head, **nobody, "tags": [], "variants": answer.variants, **tail})


def encode_error(error: TondoError) -> bytes:
    """Return the native shape of an error."""
    return _encode({"error": error.to_json()})


def unreachable(what: str) -> CallerError:
    """Build the error for an address that is not served."""
    return CallerError(
        "TD-WEB-004",
        what,
        expected="one of the addresses of docs/reference/serving-protocols.md, "
        "for example POST /v1/deployments/{name}/score",
    )
