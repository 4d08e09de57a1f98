"""What is logged of a scoring request: one frame, MessagePack arrays, decoded without the model."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence


class LoggedRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One prediction as it was made."""

    prediction_id: str
    score: float | None
    """None when the model failed; the request then carries the error."""
    vector: bytes
    """Feature values in model order, float64 little-endian, NaN where missing."""
    inputs: dict[str, Any]
    """Request columns and fetched `@view.feature[key]` values; timestamps in microseconds."""


class LoggedRequest(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The rows of one request that one variant answered."""

    request_id: str
    at_us: int
    """When it was answered, by the scorer's clock."""
    as_of_us: int
    """The instant the features were read for."""
    deployment: str
    variant: str
    model: str
    version: int
    model_version_id: str
    purpose: str
    """`live`, or what the caller named."""
    latency_us: int
    error: str | None
    """Code of the error, when the rows have no scores."""
    rows: list[LoggedRow]


encode = msgspec.msgpack.Encoder().encode
"""LoggedRequest to the payload of a frame."""

_decode = msgspec.msgpack.Decoder(LoggedRequest).decode


def decode(payload: bytes) -> LoggedRequest:
    """Read a frame's payload; TD-LOG-004 when it is not a logged request.

    >>> row = LoggedRow(prediction_id="p", score=0.5, vector=pack_vector([1.0]), inputs={})
    >>> request = LoggedRequest(request_id="r", at_us=2, as_of_us=1, deployment="late",
    ...     variant="live", model="late", version=1, model_version_id="v", purpose="live",
    ...     latency_us=90, error=None, rows=[row])
    >>> decode(encode(request)) == request
    True
    """
    try:
        return _decode(payload)
    except msgspec.DecodeError as error:
        raise DataError(
            "TD-LOG-004",
            f"a frame of the prediction log cannot be read: {error}",
            expected="a logged request as the scorer writes it",
            fix="Read the stream with the tondo that wrote it.",
        ) from None


def stream_of(deployment: str) -> str:
    """Return the event-log stream of a deployment's predictions.

    >>> stream_of("late_arrival")
    'predictions/late_arrival'
    """
    return f"predictions/{deployment}"


def pack_vector(values: Sequence[float]) -> bytes:
    """Return float64 little-endian bytes.

    >>> unpack_vector(pack_vector([1.5, -0.0]))
    (1.5, -0.0)
    """
    return struct.pack(f"<{len(values)}d", *values)


def unpack_vector(data: bytes) -> tuple[float, ...]:
    """Return the values of `pack_vector`; NaN where missing."""
    return struct.unpack(f"<{len(data) // 8}d", data)
