import math
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tondo.core.errors import DataError
from tondo.scoring.frames import (
    LoggedRequest,
    LoggedRow,
    decode,
    decode_unread,
    encode,
    pack_vector,
    read_inputs,
    stream_of,
    unpack_vector,
)

SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(),
)
ROW = st.builds(
    LoggedRow,
    prediction_id=st.text(min_size=1),
    score=st.none() | st.floats(allow_nan=False),
    vector=st.binary(),
    inputs=st.dictionaries(st.text(), SCALAR | st.lists(SCALAR)),
)


EMPTY = LoggedRequest(
    request_id="r",
    at_us=1,
    as_of_us=2,
    deployment="late",
    variant="live",
    model="late",
    version=3,
    model_version_id="v",
    purpose="live",
    latency_us=4,
    error=None,
    rows=[],
)


@given(st.lists(ROW, max_size=3), st.none() | st.text())
def test_a_frame_gives_back_what_was_logged(rows, error):
    request = msgspec.structs.replace(EMPTY, error=error, rows=rows)
    assert decode(encode(request)) == request


@given(st.lists(ROW, max_size=3))
def test_a_frame_read_without_its_inputs_gives_them_when_asked(rows):
    request = msgspec.structs.replace(EMPTY, rows=rows)
    found = decode_unread(encode(request))
    assert [read_inputs(each.inputs) for each in found.rows] == [each.inputs for each in rows]
    for unread, row in zip(found.rows, rows, strict=True):
        assert (unread.prediction_id, unread.score) == (row.prediction_id, row.score)
        assert unread.vector == row.vector


def test_a_frame_of_something_else_is_refused_without_its_inputs_too():
    with pytest.raises(DataError, match="TD-LOG-004"):
        decode_unread(b"\x93\x01\x02\x03")


@given(st.lists(st.floats()))
def test_a_vector_keeps_every_bit(values):
    packed = struct.pack(f"<{len(values)}d", *unpack_vector(pack_vector(values)))
    assert packed == pack_vector(values)
    assert all(
        math.isnan(a) == math.isnan(b) for a, b in zip(unpack_vector(packed), values, strict=True)
    )


@pytest.mark.parametrize("payload", [b"", b"x", b"\x80", b"\x9a"])
def test_other_bytes_are_refused_with_a_code(payload):
    with pytest.raises(DataError, match="TD-LOG-004"):
        decode(payload)


def test_the_stream_is_named_after_the_deployment():
    assert stream_of("late") == "predictions/late"
