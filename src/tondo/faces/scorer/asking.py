"""From a request in Starlette to a route's answer: the body up to its limit, with its headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from tondo.core.errors import CallerError
from tondo.faces.scorer.protocols import binary, invocations, rows, sagemaker, tensorflow, v2
from tondo.faces.scorer.protocols.bodies import MAX_BODY_BYTES, too_large
from tondo.faces.scorer.protocols.carried import Sent, reply_headers
from tondo.faces.scorer.waiting import answer
from tondo.faces.web.status import status_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from tondo.core.errors import TondoError
    from tondo.faces.scorer.service import Service

_CARRIED: Final = frozenset({binary.HEADER, "x-request-id", "traceparent"})
"""Headers that every shape may read."""

_SHAPES: Final[tuple[tuple[str, Callable[[TondoError], bytes]], ...]] = (
    ("/v2", v2.encode_error),
    ("/v1/models", tensorflow.encode_error),
    ("/endpoints", sagemaker.encode_error),
    ("/invocations", invocations.encode_error),
    ("", rows.encode_error),
)
"""Beginnings of paths and the shape of their errors; the first that fits."""

encode = msgspec.json.Encoder().encode


async def ask(service: Service, request: Request, pattern: str, version: str | None) -> Response:
    """Return the answer of the route that a shape has for a deployment or one of its versions."""
    name = name_of(request)
    service.require_table().unit_of(name, version)
    body = await body_of(request)
    further = "" if version is None else f"/versions/{version}"
    url = pattern.format(name=name, version=further).encode()
    route = await service.route_of(name, version, url)
    status, payload = await answer(
        service, route, _with_headers(request, body, route.reads_headers)
    )
    return Response(payload, status, reply_headers(payload))


def name_of(request: Request) -> str:
    """Return the deployment that a path names."""
    return str(request.path_params["name"])


async def body_of(request: Request) -> bytes:
    """Read the body up to the limit; the rest is never kept, one that says so is not begun."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise CallerError(
            "TD-SCORE-021",
            f"bodies in the content encoding {encoding[:60]!r} are not read here",
            expected="a body as it is",
            fix="Leave Content-Encoding out.",
        )
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > MAX_BODY_BYTES:
        raise too_large(int(declared))
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > MAX_BODY_BYTES:
                raise too_large(size)
            parts.append(part)
    except ClientDisconnect:
        raise rows.unreachable("the caller went away before the body was whole") from None
    return b"".join(parts)


def _with_headers(request: Request, body: bytes, every: bool) -> bytes:  # noqa: FBT001 - of a route
    """Return a body with the headers that its shape reads, plain where there are none."""
    told = {name: value for name, value in request.headers.items() if every or name in _CARRIED}
    return Sent.of(body, told) if told else body


def json_response(value: Any, status: int = 200) -> Response:
    """Return a value as JSON."""
    return Response(encode(value), status, media_type="application/json")


def error_shape(path: str) -> Callable[[TondoError], bytes]:
    """Return what writes the errors of a path."""
    return next(shape for start, shape in _SHAPES if path.startswith(start))


def error_response(error: TondoError, path: str) -> Response:
    """Return an error in the shape of its path."""
    payload = error_shape(path)(error)
    status = status_of(error)
    # What is left of an unread body must not be taken for the next request.
    closing = {"connection": "close"} if status in {413, 415} else {}
    if path.startswith("/endpoints"):
        status = sagemaker.status_in_aws(status)
    return Response(payload, status, {**reply_headers(payload), **closing})
