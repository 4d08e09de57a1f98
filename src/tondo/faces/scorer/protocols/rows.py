"""Native rows: `{"rows": [{...}], "as_of"?, "ids"?, "purpose"?}`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import CallerError
from tondo.core.instants import from_micros
from tondo.faces.scorer.protocols.bodies import (
    check_fields,
    check_purpose,
    check_type,
    decode_any,
    explain_instant,
    malformed,
    read_instant,
)
from tondo.scoring.answer import AnsweredVariant, Prediction  # noqa: TC001 - read by msgspec

if TYPE_CHECKING:
    from tondo.scoring.answer import Answer
    from tondo.scoring.path import ScoringPath

_FIELDS = ("rows", "as_of", "ids", "purpose")

_encode = msgspec.json.Encoder().encode


class _Reply(msgspec.Struct, kw_only=True, gc=False):
    predictions: list[Prediction]
    deployment: str
    model: str | None
    version: int | None
    model_version_id: str | None
    variant: str | None
    tags: list[str]
    variants: list[AnsweredVariant] | msgspec.UnsetType = msgspec.UNSET
    """Only when the rows were dealt to several variants; the fields above are then null."""
    log_mode: str
    as_of: datetime
    freshness: dict[str, float | None]


class RowsHandler:
    """Answers native requests for one scoring path."""

    protocol = "rows"

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

    def __call__(self, body: bytes, started_ns: int) -> tuple[bytes, int]:
        """Return the reply's JSON and how many predictions it holds."""
        try:
            request: Any = self._decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            return self._explained(body, started_ns, str(error))
        rows = [self._from_struct(each) for each in request.rows]
        purpose = request.purpose
        answer = self.path.score(
            rows,
            as_of_us=read_instant(request.as_of),
            ids=request.ids,
            purpose=purpose if purpose == "live" else check_purpose(purpose),
            started_ns=started_ns,
        )
        return encode_answer(answer), len(rows)

    def _explained(self, body: bytes, started_ns: int, why: str) -> tuple[bytes, int]:
        """Read the slow way, which names the field that is wrong."""
        request = check_fields(decode_any(body), _FIELDS)
        rows = request.get("rows")
        if not isinstance(rows, list):
            raise malformed("rows is missing or not a list", expected='{"rows": [{...}]}')
        inputs = self.path.inputs
        for position, row in enumerate(rows):
            inputs.read_mapping(row, where=f"rows[{position}].")
        explain_instant(request.get("as_of"))
        check_type(request.get("ids"), list[str] | None, "ids", "a list of texts, one per row")
        check_type(request.get("purpose", "live"), str, "purpose", "text")
        del started_ns
        raise malformed(f"the body cannot be read: {why}")


def encode_answer(answer: Answer) -> bytes:
    """Return an answer's JSON."""
    variants = answer.variants
    one = variants[0] if len(variants) == 1 else None
    return _encode(
        _Reply(
            predictions=answer.predictions,
            deployment=answer.deployment,
            model=one.model if one else None,
            version=one.version if one else None,
            model_version_id=one.model_version_id if one else None,
            variant=one.variant if one else None,
            tags=one.tags if one else [],
            variants=msgspec.UNSET if one else variants,
            log_mode=answer.log_mode,
            as_of=from_micros(answer.as_of_us),
            freshness=answer.freshness,
        )
    )


def encode_error(error: Any) -> bytes:
    """Return the native shape of an error."""
    return _encode({"error": error.to_json()})


def unreachable(what: str) -> CallerError:
    """Build the error for an address that is not served."""
    return CallerError(
        "TD-WEB-004",
        what,
        expected="POST /v1/deployments/{name}/score or the paths of GET /v2",
    )
