import pytest
from hypothesis import given
from hypothesis import strategies as st

from tondo.adapters.eventlog.files.framing import MAGIC, framed, frames, whole_length
from tondo.core.errors import DataError


def segment(payloads):
    return MAGIC + framed(payloads)


def read(data):
    return [payload for _, payload in frames(data, start=0, segment="s")]


@given(st.lists(st.binary(max_size=50)))
def test_frames_give_back_what_was_framed(payloads):
    assert read(segment(payloads)) == payloads


@given(st.lists(st.binary(max_size=20), min_size=1), st.data())
def test_a_torn_tail_is_skipped_wherever_it_is_torn(payloads, data):
    whole = segment(payloads)
    cut = data.draw(st.integers(0, len(whole) - 1))
    found = read(whole[:cut])
    assert found == payloads[: len(found)]
    assert whole_length(whole[:cut], segment="s") <= cut


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=2, max_size=5), st.data())
def test_a_flipped_bit_never_passes(payloads, data):
    whole = bytearray(segment(payloads))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(DataError, match="TD-LOG-002"):
        read(bytes(whole))


def test_damage_names_segment_and_offset():
    whole = bytearray(segment([b"first", b"second"]))
    whole[-1] ^= 1
    with pytest.raises(DataError) as refusal:
        read(bytes(whole))
    assert refusal.value.fields == {"segment": "s", "offset": len(segment([b"first"]))}


def test_zeros_after_a_power_loss_are_a_torn_tail():
    assert read(segment([b"kept"]) + bytes(500)) == [b"kept"]
    assert read(bytes(500)) == []
