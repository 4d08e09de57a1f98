"""Answers: a verb's value as JSON, an error in the one shape that every face shows."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec
from litestar.response import Response

from tondo.core.errors import CallerError, PlatformError, TondoError
from tondo.faces.web.status import error_body, status_of

if TYPE_CHECKING:
    from litestar import Request

_LOG = logging.getLogger("tondo.api")
_encoder = msgspec.json.Encoder(enc_hook=str, decimal_format="number")


def answer_of(value: Any) -> Response[bytes]:
    """Return what a verb answers: bytes as they are, anything else as JSON."""
    if not isinstance(value, bytes):
        return json_answer(value)
    headers = {"Cache-Control": "no-store"}
    return Response(value, media_type="application/octet-stream", headers=headers)


def json_answer(value: Any, *, status: int = 200) -> Response[bytes]:
    """Return `value` as a JSON response."""
    return Response(
        _encoder.encode(value),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def error_answer(error: TondoError, *, status: int | None = None) -> Response[bytes]:
    """Return an error as `{"error": {...}}` with the status of its code."""
    answer = json_answer(error_body(error), status=status or status_of(error))
    if answer.status_code == 401:
        # A browser asks the person for it: any name, the token as password.
        answer.headers["WWW-Authenticate"] = 'Basic realm="tondo", charset="UTF-8"'
    return answer


def coded(request: Request[Any, Any, Any], error: Exception) -> TondoError:
    """Return the coded error for one that the framework, or a fault of ours, raised."""
    status = getattr(error, "status_code", 500)
    where = f"{request.method} {request.url.path}"
    if status == 404:
        return CallerError(
            "TD-WEB-004", f"nothing answers at {where}", fix="GET /schema lists every address."
        )
    if status == 405:
        return CallerError(
            "TD-WEB-005",
            f"{where} is not offered: the address has other methods",
            fix="GET /schema lists every address with its methods.",
        )
    if status < 500:
        return CallerError("TD-API-003", f"{where} was refused: {error}")
    _LOG.error("%s failed", where, exc_info=error)
    return PlatformError(
        "TD-API-009",
        f"{where} failed inside ({type(error).__name__})",
        expected="an answer",
        fix="The server's log has the details; please report them.",
    )
