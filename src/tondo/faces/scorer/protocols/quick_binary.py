"""One row of numbers as bytes behind their tensors: what was compiled for a model reads them.

The JSON before the bytes says names, shapes, sizes and what is to go back, and is the same with
every request of a caller: one that was read and found to say the model's columns in their order
is known again. Goes out too: replies with the score as bytes.
"""

from __future__ import annotations

import struct
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from tondo.faces.scorer.protocols import binary, v2
from tondo.faces.scorer.protocols.carried import sent_headers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.scoring.inputs import RowInputs

_MOST_KNOWN = 256
"""Beginnings that are remembered; callers of one client library share theirs."""

_ONLY_HEADER = {binary.HEADER}
_ONE_VALUE = ([1], [1, 1])

Values = tuple[float, ...]


class _Beginning(NamedTuple):
    """What the JSON before the bytes was found to say."""

    unpack: Callable[[bytes, int], tuple[Any, ...]]
    size: int
    """Of what stands behind it, in bytes."""
    is_floats: bool
    """Whether all values are floats as they stand."""
    told: bool
    """Whether the score goes back as bytes."""


def binary_reader(inputs: RowInputs) -> Callable[[bytes], tuple[Values, bool]] | None:
    """Return the reader of one row's values, and of whether the score goes back as bytes.

    It raises on anything unusual. None where a column is no double: other values are read one by
    one anyway.
    """
    if set(inputs.types.values()) != {"double"}:
        return None
    decode = _decoder(inputs)
    known: dict[bytes, _Beginning] = {}

    def learn(head: bytes) -> _Beginning:
        found = _beginning(decode(head))
        if len(known) >= _MOST_KNOWN:
            known.clear()
        known[head] = found
        return found

    def read(body: bytes) -> tuple[Values, bool]:
        headers = sent_headers(body)
        length = headers[binary.HEADER]
        if headers.keys() != _ONLY_HEADER or not (length.isascii() and length.isdigit()):
            raise ValueError(headers)
        size = int(length)
        head = body[:size]
        unpack, behind, is_floats, told = known.get(head) or learn(head)
        if len(body) - size != behind:
            raise ValueError(headers)
        values = unpack(body, size)
        if not is_floats:
            values = tuple(map(float, values))
        if not all(map(isfinite, values)):
            raise ValueError(values)
        return values, told

    return read


def _beginning(request: Any) -> _Beginning:
    """Return what a decoded beginning says; an error where it asks for more than scores."""
    *given, told = v2.read_parameters(request.parameters)
    if given != [None, None, "live"]:
        raise ValueError(given)
    for output in request.outputs or ():
        told = v2.wants_bytes(output, told)
    signs = "".join(map(_sign, request.inputs))
    values_of = struct.Struct(f"<{signs}")
    return _Beginning(values_of.unpack_from, values_of.size, not signs.strip("df"), told)


def _sign(tensor: Any) -> str:
    """Return the sign of a tensor's value for `struct`; an error where it is not one value."""
    size, sign = binary.FORMATS[tensor.datatype]
    if tensor.shape not in _ONE_VALUE or tensor.parameters.binary_data_size != size:
        raise ValueError(tensor)
    return sign


class _Size(msgspec.Struct, forbid_unknown_fields=True):
    binary_data_size: int


def _decoder(inputs: RowInputs) -> Callable[[bytes], Any]:
    """Return the decoder of a beginning: a tensor of one number in bytes for each column."""
    tensors = tuple(
        msgspec.defstruct(
            "Tensor",
            [
                ("name", Literal[name]),
                ("shape", list[int]),
                ("datatype", Literal[tuple(sorted(v2.ACCEPTED["double"]))]),
                ("parameters", _Size),
            ],
            forbid_unknown_fields=True,
        )
        for name in inputs.types
    )
    request = msgspec.defstruct(
        "OneRow",
        [
            ("inputs", tuple.__class_getitem__(tensors)),
            ("parameters", dict[str, Any] | None, None),
            ("outputs", list[v2.Output] | None, None),
        ],
        forbid_unknown_fields=True,
    )
    return msgspec.json.Decoder(request).decode
