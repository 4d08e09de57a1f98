"""The binary tensor extension of V2: values as bytes behind the JSON, little-endian.

The header `Inference-Header-Content-Length` says where the JSON ends. Behind it stand the values
of each tensor that says `binary_data_size`, in the order of the tensors.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from tondo.core.errors import CallerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.faces.scorer.protocols.v2 import Tensor

HEADER: Final = "inference-header-content-length"

FORMATS: Final = {
    "FP64": (8, "d"),
    "FP32": (4, "f"),
    "INT8": (1, "b"),
    "INT16": (2, "h"),
    "INT32": (4, "i"),
    "INT64": (8, "q"),
    "UINT8": (1, "B"),
    "UINT16": (2, "H"),
    "UINT32": (4, "I"),
    "UINT64": (8, "Q"),
}
"""Datatype to the bytes of a value and its sign for `struct`, which is quicker for a few values
than an array, and as quick for a thousand."""


def split(body: bytes, length: str) -> tuple[bytes, bytes]:
    """Return the JSON and what stands behind it; `length` as the header gives it."""
    if not (length.isascii() and length.isdigit()) or int(length) > len(body):
        raise refused(
            f"the header {HEADER} is {length[:40]!r} for a body of {len(body)} bytes",
            expected="the number of bytes of the JSON",
        )
    end = int(length)
    return bytes(body[:end]), bytes(body[end:])


def take(tensors: Sequence[Tensor], data: bytes) -> None:
    """Give every tensor that has binary data its values out of `data`, all of it."""
    start = 0
    for tensor in tensors:
        size = (tensor.parameters or {}).get("binary_data_size")
        if size is None:
            continue
        if type(size) is not int or not 0 <= size <= len(data) - start:
            raise refused(
                f"input '{tensor.name}' has the binary_data_size {size!r}, and "
                f"{len(data) - start} bytes are left",
                expected="the number of bytes of its values",
            )
        if tensor.data is not None:
            raise refused(f"input '{tensor.name}' has data and binary_data_size", expected="one")
        tensor.data = values(tensor.name, tensor.datatype, data[start : start + size])
        start += size
    if start != len(data):
        raise refused(
            f"{len(data) - start} bytes stand behind the last tensor",
            expected="exactly the bytes that the tensors' binary_data_size announce",
        )


def values(name: str, datatype: str, data: bytes) -> list[Any]:
    """Return the values in a tensor's bytes; NaN, which stands for null here, as None."""
    if datatype == "BYTES":
        return _texts(name, data)
    if datatype == "BOOL":
        return _bools(name, data)
    size, sign = FORMATS.get(datatype, (0, ""))
    if not size:
        raise refused(
            f"input '{name}' has the datatype {datatype}",
            expected="one of BOOL, BYTES, " + ", ".join(FORMATS),
        )
    if len(data) % size:
        raise refused(
            f"input '{name}' has {len(data)} bytes of {datatype}",
            expected=f"{size} bytes a value",
        )
    found = list(struct.unpack(f"<{len(data) // size}{sign}", data))
    # A sum that is a number has no summand that is none.
    return found if sum(found) - sum(found) == 0 else without_nan(found)


def without_nan(values: Sequence[Any]) -> list[Any]:
    """Return values, None in place of NaN.

    >>> without_nan([1.0, float("nan")])
    [1.0, None]
    """
    return [None if each != each else each for each in values]  # noqa: PLR0124 - NaN


def _bools(name: str, data: bytes) -> list[Any]:
    if data.strip(b"\0\1"):
        raise refused(f"input '{name}' has other bytes than 0 and 1", expected="0 or 1 a value")
    return [each == 1 for each in data]


def _texts(name: str, data: bytes) -> list[Any]:
    """Read texts: each is its length in four bytes, then UTF-8."""
    found: list[Any] = []
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at) if at + 4 <= len(data) else (-1,)
        end = at + 4 + size
        if size < 0 or end > len(data):
            raise refused(
                f"text {len(found)} of input '{name}' is cut off",
                expected="four bytes of length, then so many bytes",
            )
        found.append(text_of(name, data[at + 4 : end]))
        at = end
    return found


def text_of(name: str, data: bytes) -> str:
    """Return a text's characters; only UTF-8 is a text here."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise refused(f"input '{name}' has a text that is not UTF-8", expected="UTF-8") from None


def pack_scores(scores: Sequence[float]) -> bytes:
    """Return scores as FP64.

    >>> pack_scores([1.0]).hex()
    '000000000000f03f'
    """
    return struct.pack(f"<{len(scores)}d", *scores)


def refused(what: str, *, expected: str = "") -> CallerError:
    """Build the error for bytes that are no tensors."""
    return CallerError("TD-SCORE-011", what, expected=expected)
