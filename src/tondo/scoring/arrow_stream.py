"""Tables by Arrow's C stream interface, read from memory without any library of Arrow.

Apache Arrow: "The Arrow C data interface" and "The Arrow C stream interface".
"""

from __future__ import annotations

import ctypes
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from tondo.scoring.arrow_values import ArrayView, FieldView, read_column
from tondo.scoring.table_column import TableColumn, not_a_table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_Address = ctypes.c_void_p
_Count = ctypes.c_int64


class _Schema(ctypes.Structure):
    _fields_: ClassVar = [
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", _Address),
        ("flags", _Count),
        ("n_children", _Count),
        ("children", ctypes.POINTER(_Address)),
        ("dictionary", _Address),
        ("release", _Address),
        ("private_data", _Address),
    ]


class _Array(ctypes.Structure):
    _fields_: ClassVar = [
        ("length", _Count),
        ("null_count", _Count),
        ("offset", _Count),
        ("n_buffers", _Count),
        ("n_children", _Count),
        ("buffers", ctypes.POINTER(_Address)),
        ("children", ctypes.POINTER(_Address)),
        ("dictionary", _Address),
        ("release", _Address),
        ("private_data", _Address),
    ]


class _Stream(ctypes.Structure):
    _fields_: ClassVar = [
        ("get_schema", _Address),
        ("get_next", _Address),
        ("get_last_error", _Address),
        ("release", _Address),
        ("private_data", _Address),
    ]


_GET = ctypes.CFUNCTYPE(ctypes.c_int, _Address, _Address)
_SAY = ctypes.CFUNCTYPE(ctypes.c_char_p, _Address)
_RELEASE = ctypes.CFUNCTYPE(None, _Address)


def read_stream(capsule: Any, names: Collection[str]) -> dict[str, TableColumn]:
    """Return the named columns of the table that a capsule lends.

    `capsule` is what `__arrow_c_stream__` answers; it is read to its end. Columns of other names
    are passed over, whatever their type. TD-SCORE-040 for what is no table, -041 for a column
    that cannot be read.
    """
    point_to = ctypes.pythonapi.PyCapsule_GetPointer
    point_to.restype = _Address
    point_to.argtypes = [ctypes.py_object, ctypes.c_char_p]
    stream = _Stream.from_address(point_to(capsule, b"arrow_array_stream"))
    with _filled(stream, stream.get_schema, _Schema) as schema:
        field = _field(schema)
        if field.format != "+s":
            raise not_a_table("it is one column and no table")
        wanted = [(place, each) for place, each in enumerate(field.children) if each.name in names]
        columns = {each.name: TableColumn(each.kind, []) for _, each in wanted}
        for array in _arrays(stream):
            for place, each in wanted:
                part = array.children[place].within(array.offset, array.length)
                columns[each.name].values.extend(read_column(each, part))
    return columns


def _arrays(stream: _Stream) -> Iterator[ArrayView]:
    while True:
        with _filled(stream, stream.get_next, _Array) as array:
            if not array.release:
                return
            yield _array(array)


@contextmanager
def _filled(stream: _Stream, address: int, kind: type[Any]) -> Iterator[Any]:
    """Give a structure that the stream fills; release it at the end."""
    made = kind()
    if _GET(address)(ctypes.addressof(stream), ctypes.addressof(made)):
        said = (
            _SAY(stream.get_last_error)(ctypes.addressof(stream)) if stream.get_last_error else b""
        )
        raise not_a_table(f"its library says: {(said or b'no reason').decode(errors='replace')}")
    try:
        yield made
    finally:
        if made.release:
            _RELEASE(made.release)(ctypes.addressof(made))


def _field(schema: _Schema) -> FieldView:
    return FieldView(
        name=(schema.name or b"").decode(),
        format=schema.format.decode(),
        children=[
            _field(_Schema.from_address(schema.children[place]))
            for place in range(schema.n_children)
        ],
        dictionary=_field(_Schema.from_address(schema.dictionary)) if schema.dictionary else None,
    )


def _array(array: _Array) -> ArrayView:
    return ArrayView(
        length=array.length,
        offset=array.offset,
        buffers=[array.buffers[place] or 0 for place in range(array.n_buffers)],
        children=[
            _array(_Array.from_address(array.children[place])) for place in range(array.n_children)
        ],
        dictionary=_array(_Array.from_address(array.dictionary)) if array.dictionary else None,
    )
