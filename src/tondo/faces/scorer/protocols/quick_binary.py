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
from tondo.scoring.dealing import taker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    take: Callable[[Sequence[Any]], tuple[Any, ...]] | None
    """Puts the values into the order of the columns; None where they are."""


def binary_reader(inputs: RowInputs) -> Callable[[bytes], tuple[Values, bool]] | None:
    """Return the reader of one row's values, and of whether the score goes back as bytes.

    It raises on anything unusual. None where a column is no double: other values are read one by
    one anyway.
    """
    if set(inputs.types.values()) != {"double"}:
        return None
    columns = list(inputs.types)
    known: dict[bytes, _Beginning] = {}

    def learn(head: bytes) -> _Beginning:
        found = _beginning(_decode(head), columns)
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
        unpack, behind, is_floats, told, take = known.get(head) or learn(head)
        if len(body) - size != behind:
            raise ValueError(headers)
        values = unpack(body, size)
        if not is_floats:
            values = tuple(map(float, values))
        if not all(map(isfinite, values)):
            raise ValueError(values)
        return values if take is None else take(values), told

    return read


def _beginning(request: _OneRow, columns: Sequence[str]) -> _Beginning:
    """Return what a decoded beginning says; an error where it asks for more than scores."""
    names = [tensor.name for tensor in request.inputs]
    if sorted(names) != sorted(columns):
        raise ValueError(names)
    *given, told = v2.read_parameters(request.parameters)
    if given != [None, None, "live"]:
        raise ValueError(given)
    for output in request.outputs or ():
        told = v2.wants_bytes(output, told)
    signs = "".join(map(_sign, request.inputs))
    values_of = struct.Struct(f"<{signs}")
    place_of = {name: place for place, name in enumerate(names)}
    take = None if names == columns else taker([place_of[column] for column in columns])
    return _Beginning(values_of.unpack_from, values_of.size, not signs.strip("df"), told, take)


def _sign(tensor: _Tensor) -> str:
    """Return the sign of a tensor's value for `struct`; an error where it is not one value."""
    size, sign = binary.FORMATS[tensor.datatype]
    if tensor.shape not in _ONE_VALUE or tensor.parameters.binary_data_size != size:
        raise ValueError(tensor)
    return sign


class _Size(msgspec.Struct, forbid_unknown_fields=True):
    binary_data_size: int


class _Tensor(msgspec.Struct, forbid_unknown_fields=True):
    """One number in bytes."""

    name: str
    shape: list[int]
    datatype: Literal[tuple(sorted(v2.ACCEPTED["double"]))]  # type: ignore[valid-type]
    parameters: _Size


class _OneRow(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON before the bytes."""

    inputs: list[_Tensor]
    parameters: dict[str, Any] | None = None
    outputs: list[v2.Output] | None = None


_decode = msgspec.json.Decoder(_OneRow).decode
