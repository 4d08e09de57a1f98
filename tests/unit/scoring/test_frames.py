import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tondo.core.errors import DataError
from tondo.scoring.frames import (
    LoggedRequest,
    LoggedRow,
    decode,
    encode,
    pack_vector,
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


@given(st.lists(ROW, max_size=3), st.none() | st.text())
def test_a_frame_gives_back_what_was_logged(rows, error):
    request = LoggedRequest(
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
        error=error,
        rows=rows,
    )
    assert decode(encode(request)) == request


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
