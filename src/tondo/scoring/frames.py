"""What is logged of a scoring request: one frame, MessagePack arrays, decoded without the model."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Row(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    prediction_id: str
    score: float | None
    """None when the model failed; the request then carries the error."""
    vector: bytes
    """Feature values in model order, float64 little-endian, NaN where missing."""


class LoggedRow(_Row, frozen=True, kw_only=True, array_like=True):
    """One prediction as it was made."""

    inputs: dict[str, Any]
    """Request columns and fetched `@view.feature[key]` values; timestamps in microseconds."""


class UnreadRow(_Row, frozen=True, kw_only=True, array_like=True, gc=False):
    """One prediction as it was made, its inputs left as they were encoded."""

    inputs: msgspec.Raw
    """The MessagePack of `LoggedRow.inputs`; `read_inputs` reads it."""


class LoggedHead(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """All of a logged request but its rows, which are most of it."""

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


class LoggedRequest(LoggedHead, frozen=True, kw_only=True, array_like=True):
    """The rows of one request that one variant answered."""

    rows: list[LoggedRow]


class UnreadRequest(LoggedHead, frozen=True, kw_only=True, array_like=True):
    """A logged request whose rows' inputs are still encoded."""

    rows: list[UnreadRow]


encode = msgspec.msgpack.Encoder().encode
"""LoggedRequest to the payload of a frame."""

_decode = msgspec.msgpack.Decoder(LoggedRequest).decode
_decode_unread = msgspec.msgpack.Decoder(UnreadRequest).decode
_decode_head = msgspec.msgpack.Decoder(LoggedHead).decode
_decode_inputs = msgspec.msgpack.Decoder(dict[str, Any]).decode


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
        raise _unreadable(error) from None


def decode_unread(payload: bytes) -> UnreadRequest:
    """Read a frame's payload without the inputs of its rows; TD-LOG-004 as `decode`.

    Inputs are most of a frame, and few who read the log ask for them.
    """
    try:
        return _decode_unread(payload)
    except msgspec.DecodeError as error:
        raise _unreadable(error) from None


def decode_head(payload: bytes | msgspec.Raw) -> LoggedHead:
    """Read a frame's payload without its rows; TD-LOG-004 as `decode`."""
    try:
        return _decode_head(payload)
    except msgspec.DecodeError as error:
        raise _unreadable(error) from None


def read_inputs(encoded: bytes) -> dict[str, Any]:
    """Return the inputs that `decode_unread` left encoded; TD-LOG-004 when they are none.

    >>> read_inputs(encode({"distance": 1089.0}))
    {'distance': 1089.0}
    """
    try:
        return _decode_inputs(encoded)
    except msgspec.DecodeError as error:
        raise _unreadable(error) from None


def _unreadable(error: msgspec.DecodeError) -> DataError:
    return DataError(
        "TD-LOG-004",
        f"a frame of the prediction log cannot be read: {error}",
        expected="a logged request as the scorer writes it",
        fix="Read the stream with the tondo that wrote it.",
    )


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
