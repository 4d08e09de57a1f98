"""Values of one Arrow array, by the letters of its format (Arrow C data interface)."""

from __future__ import annotations

import ctypes
import itertools
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tondo.scoring.table_column import lost_time, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.scoring.table_column import Kind

_NUMBERS = {
    "c": "i1",
    "C": "u1",
    "s": "<i2",
    "S": "<u2",
    "i": "<i4",
    "I": "<u4",
    "l": "<i8",
    "L": "<u8",
    "e": "<f2",
    "f": "<f4",
    "g": "<f8",
}
"""Format of a number to NumPy's word for it."""

_MICROS = {"s": 1_000_000, "m": 1_000, "u": 1}
"""Unit of a timestamp to the microseconds in it; nanoseconds are the other way round."""
_DAY_MS = 86_400_000
_INLINE = 12
"""Bytes of text that a view holds itself."""


class FieldView(msgspec.Struct, frozen=True, kw_only=True):
    """Name and type of a column."""

    name: str
    format: str
    children: list[FieldView]
    dictionary: FieldView | None

    @property
    def kind(self) -> Kind:
        """What its values are, times told from numbers."""
        shown = self if self.dictionary is None else self.dictionary
        if shown.format.startswith("+") and shown.children:
            return shown.children[0].kind
        if shown.format.startswith("ts"):
            return "instant"
        return "day" if shown.format.startswith("td") else "plain"


class ArrayView(msgspec.Struct, frozen=True, kw_only=True):
    """Where the values of an array lie in memory."""

    length: int
    offset: int
    buffers: list[int]
    """Addresses; 0 where there is none."""
    children: list[ArrayView]
    dictionary: ArrayView | None

    def within(self, start: int, length: int) -> ArrayView:
        """Return a part, as a table's or a list's own offset asks."""
        return msgspec.structs.replace(self, offset=self.offset + start, length=length)


def read_column(field: FieldView, array: ArrayView) -> list[Any]:
    """Return the values, None where null or NaN; TD-SCORE-041 names a column of another type."""
    if array.length == 0:
        return []
    if field.dictionary is not None:
        assert array.dictionary is not None
        known = read_column(field.dictionary, array.dictionary)
        places = _with_nulls(array, _numbers(field, array))
        return [None if place is None else known[place] for place in places]
    if field.format == "n":
        return [None] * array.length
    read = _READERS.get(field.format) or _by_beginning(field)
    return _with_nulls(array, read(field, array))


def _by_beginning(field: FieldView) -> Callable[[FieldView, ArrayView], list[Any]]:
    for beginning, read in _BEGINNINGS.items():
        if field.format.startswith(beginning):
            return read
    raise unreadable(field.name, f"'{field.format}' in Arrow's letters")


def _with_nulls(array: ArrayView, values: list[Any]) -> list[Any]:
    if not array.buffers[0]:
        return values
    valid = _bits(array.buffers[0], array)
    return [each if here else None for each, here in zip(values, valid.tolist(), strict=True)]


def _bits(address: int, array: ArrayView) -> np.ndarray:
    size = (array.offset + array.length + 7) // 8
    unpacked = np.unpackbits(_memory(address, "u1", size), bitorder="little")
    return unpacked[array.offset : array.offset + array.length].astype(np.bool_)


def _memory(address: int, kind: str, count: int) -> np.ndarray:
    """Return `count` numbers that lie at an address; nothing is copied."""
    size = count * np.dtype(kind).itemsize
    if size == 0 or not address:
        return np.empty(0, dtype=kind)
    lent = memoryview((ctypes.c_char * size).from_address(address))
    numbers: np.ndarray = np.frombuffer(lent, dtype=kind)
    return numbers


def _raw(array: ArrayView, kind: str, *, more: int = 0) -> np.ndarray:
    """Return the numbers of the second buffer, with `more` after the last."""
    stop = array.offset + array.length + more
    return _memory(array.buffers[1], kind, stop)[array.offset : stop]


def _numbers(field: FieldView, array: ArrayView) -> list[Any]:
    numbers = _raw(array, _NUMBERS[field.format])
    values: list[Any] = numbers.tolist()
    if numbers.dtype.kind == "f" and np.isnan(numbers).any():
        return [None if each != each else each for each in values]  # noqa: PLR0124 - NaN
    return values


def _bools(_: FieldView, array: ArrayView) -> list[Any]:
    values: list[Any] = _bits(array.buffers[1], array).tolist()
    return values


def _texts(field: FieldView, array: ArrayView) -> list[Any]:
    ends = _raw(array, "<i4" if field.format == "u" else "<i8", more=1).tolist()
    base = array.buffers[2]
    # One copy of the part that is read; a text is cut from it.
    data = ctypes.string_at(base + ends[0], ends[-1] - ends[0]) if base else b""
    return [
        data[start - ends[0] : stop - ends[0]].decode() for start, stop in itertools.pairwise(ends)
    ]


def _text_views(_: FieldView, array: ArrayView) -> list[Any]:
    size = 16
    views = ctypes.string_at(array.buffers[1] + array.offset * size, array.length * size)
    valid = _bits(array.buffers[0], array).tolist() if array.buffers[0] else [True] * array.length
    return [
        _viewed(views[place * size : (place + 1) * size], array.buffers) if here else None
        for place, here in enumerate(valid)
    ]


def _viewed(view: bytes, buffers: list[int]) -> str:
    """Return a text of 16 bytes: its length, then itself or where it lies."""
    length = int.from_bytes(view[:4], "little")
    if length <= _INLINE:
        return view[4 : 4 + length].decode()
    buffer, start = (int.from_bytes(view[at : at + 4], "little") for at in (8, 12))
    return ctypes.string_at(buffers[2 + buffer] + start, length).decode()


def _instants(field: FieldView, array: ArrayView) -> list[Any]:
    raw, unit = _raw(array, "<i8"), field.format[2]
    if unit != "n":
        return [each * _MICROS[unit] for each in raw.tolist()]
    valid = _bits(array.buffers[0], array) if array.buffers[0] else np.ones(len(raw), np.bool_)
    if (raw[valid] % 1000).any():
        raise lost_time(field.name)
    values: list[Any] = (raw // 1000).tolist()
    return values


def _days(_: FieldView, array: ArrayView) -> list[Any]:
    values: list[Any] = _raw(array, "<i4").tolist()
    return values


def _days_of_ms(_: FieldView, array: ArrayView) -> list[Any]:
    return [each // _DAY_MS for each in _raw(array, "<i8").tolist()]


def _decimals(field: FieldView, array: ArrayView) -> list[Any]:
    """Return the nearest double of each decimal; the division of whole numbers rounds once."""
    words = [int(each) for each in field.format[2:].split(",")]
    scale, size = words[1], (words[2] if len(words) > 2 else 128) // 8
    data = ctypes.string_at(array.buffers[1] + array.offset * size, array.length * size)
    whole = [
        int.from_bytes(data[at : at + size], "little", signed=True)
        for at in range(0, len(data), size)
    ]
    if scale < 0:
        return [float(each * 10**-scale) for each in whole]
    return [each / 10**scale for each in whole]


def _lists(field: FieldView, array: ArrayView) -> list[Any]:
    ends = _raw(array, "<i4" if field.format == "+l" else "<i8", more=1).tolist()
    items = _items(field, array, ends[0], ends[-1])
    return [items[start - ends[0] : stop - ends[0]] for start, stop in itertools.pairwise(ends)]


def _fixed_lists(field: FieldView, array: ArrayView) -> list[Any]:
    size = int(field.format[3:])
    items = _items(field, array, array.offset * size, (array.offset + array.length) * size)
    return [items[at * size : (at + 1) * size] for at in range(array.length)]


def _items(field: FieldView, array: ArrayView, start: int, stop: int) -> list[Any]:
    child = msgspec.structs.replace(field.children[0], name=field.name)
    return read_column(child, array.children[0].within(start, stop - start))


_READERS: dict[str, Callable[[FieldView, ArrayView], list[Any]]] = {
    **dict.fromkeys(_NUMBERS, _numbers),
    "b": _bools,
    "u": _texts,
    "U": _texts,
    "vu": _text_views,
    "tdD": _days,
    "tdm": _days_of_ms,
    "+l": _lists,
    "+L": _lists,
}
"""Format to what reads it."""

_BEGINNINGS: dict[str, Callable[[FieldView, ArrayView], list[Any]]] = {
    **{f"ts{unit}:": _instants for unit in "smun"},
    "d:": _decimals,
    "+w:": _fixed_lists,
}
"""Beginning of a format with parameters to what reads it."""
