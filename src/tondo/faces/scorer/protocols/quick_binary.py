"""One row of doubles as bytes behind their tensors: what was compiled for a model reads them.

The JSON before the bytes says names, shapes and sizes, and is the same with every request of a
caller: one that was read and found to say the model's columns in their order is known again.
"""

from __future__ import annotations

import struct
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tondo.faces.scorer.protocols import binary
from tondo.faces.scorer.protocols.carried import sent_headers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.scoring.inputs import RowInputs

_MOST_KNOWN = 256
"""Beginnings that are remembered; callers of one client library share theirs."""

_ONLY_HEADER = {binary.HEADER}


class _Size(msgspec.Struct, forbid_unknown_fields=True):
    binary_data_size: Literal[8]


def binary_reader(inputs: RowInputs) -> Callable[[bytes], tuple[float, ...]] | None:
    """Return the reader of one row's values, which raises ValueError on anything unusual.

    None where a column is no double: other values are read one by one anyway.
    """
    if set(inputs.types.values()) != {"double"}:
        return None
    decode = _decoder(inputs)
    values_of = struct.Struct(f"<{len(inputs.types)}d")
    known: set[bytes] = set()

    def read(body: bytes) -> tuple[float, ...]:
        headers = sent_headers(body)
        size = len(body) - values_of.size
        if headers.keys() != _ONLY_HEADER or headers[binary.HEADER] != str(size):
            raise ValueError(headers)
        head = bytes(body[:size])
        if head not in known:
            decode(head)
            if len(known) >= _MOST_KNOWN:
                known.clear()
            known.add(head)
        values = values_of.unpack_from(body, size)
        if not all(map(isfinite, values)):
            raise ValueError(values)
        return values

    return read


def _decoder(inputs: RowInputs) -> Callable[[bytes], Any]:
    """Return the decoder of a beginning: a tensor of one FP64 in bytes for each column."""
    tensors = tuple(
        msgspec.defstruct(
            "Tensor",
            [
                ("name", Literal[name]),
                ("shape", tuple[Literal[1]]),
                ("datatype", Literal["FP64"]),
                ("parameters", _Size),
            ],
            forbid_unknown_fields=True,
        )
        for name in inputs.types
    )
    request = msgspec.defstruct(
        "OneRow", [("inputs", tuple.__class_getitem__(tensors))], forbid_unknown_fields=True
    )
    return msgspec.json.Decoder(request).decode
