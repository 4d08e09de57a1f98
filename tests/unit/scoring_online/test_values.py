"""Packed values come back in every bit, whichever of their forms they took."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tondo.core.errors import DataError
from tondo.scoring.layout import EventSlot, ViewLayout, visible_us
from tondo.scoring.online import (
    content_order,
    decode_lookup,
    pack_event,
    pack_lookup,
    prefer,
    unpack_event,
    unpack_lookup,
)

TYPES = {
    "d": "double",
    "i": "id",
    "b": "bool",
    "s": "string",
    "t": "timestamp",
    "l": "list<double>",
}
VALUES = {
    "d": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "i": st.none() | st.integers(-(2**63), 2**63 - 1),
    "b": st.none() | st.booleans(),
    "s": st.none() | st.text(),
    "t": st.none() | st.integers(-(2**62), 2**62),
    "l": st.none()
    | st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=3),
}
LAYOUT = ViewLayout(
    view="v",
    version="0badcafe",
    kind="lookup",
    entity="e",
    key="k",
    key_type="string",
    features=TYPES,
    freshness_us=1,
)
NARROW = {
    "sum": EventSlot(kind="sum", type="double"),
    "n": EventSlot(kind="present", type="string"),
    "d": EventSlot(kind="value", type="double"),
    "b": EventSlot(kind="value", type="bool"),
    "i": EventSlot(kind="value", type="id"),
}


def events(slots, *, recorded=True):
    return ViewLayout(
        view="w",
        version="0badcafe",
        kind="window",
        entity="e",
        key="k",
        key_type="string",
        features={},
        slots=slots,
        freshness_us=1,
        has_recorded=recorded,
    )


@given(st.fixed_dictionaries(VALUES), st.none() | st.integers(-(2**62), 2**62))
def test_looked_up_rows_come_back(values, event_time):
    assert unpack_lookup(LAYOUT, pack_lookup(LAYOUT, event_time, values)) == (event_time, values)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_kept_as_null(value):
    row = {"d": value, "l": [1.0, value]}
    found = unpack_lookup(LAYOUT, pack_lookup(LAYOUT, 1, row))[1]
    assert (found["d"], found["l"]) == (None, [1.0, None])


@given(
    st.fixed_dictionaries(
        {
            "sum": st.none() | st.integers(-(2**100), 2**100),
            "n": st.none() | st.just(1),
            "d": VALUES["d"],
            "b": VALUES["b"],
            "i": VALUES["i"],
        }
    ),
    st.integers(-(2**62), 2**62),
)
def test_events_come_back_however_large_their_sums(values, recorded):
    assert unpack_event(events(NARROW), pack_event(events(NARROW), values, recorded)) == (
        recorded,
        values,
    )


@given(st.fixed_dictionaries({"s": VALUES["s"], "sum": st.none() | st.integers(-(2**80), 2**80)}))
def test_events_with_text_come_back(values):
    layout = events(
        {"s": EventSlot(kind="value", type="string"), "sum": NARROW["sum"]}, recorded=False
    )
    assert unpack_event(layout, pack_event(layout, values)) == (None, values)


def test_the_longer_form_is_longer_than_the_fixed_one():
    narrow, wide = (pack_event(events(NARROW), {"sum": total}) for total in (1, 2**90))
    assert len(narrow) == 48 < len(wide)


@pytest.mark.parametrize("data", [b"", b"\x93\x01", b"\xff" * 5])
def test_damaged_values_are_a_coded_error(data):
    with pytest.raises(DataError, match="TD-ONLINE-003"):
        decode_lookup(data)
    with pytest.raises(DataError, match="TD-ONLINE-003"):
        unpack_event(events(NARROW), data)


def test_content_decides_between_rows_of_equal_times_whatever_the_order():
    rows = [
        pack_lookup(LAYOUT, 1, {"d": value, "s": text})
        for value, text in ((2.0, "a"), (2.0, "b"), (None, "z"))
    ]
    kept = {
        tuple(order): prefer(LAYOUT, prefer(LAYOUT, order[0], order[1]), order[2])
        for order in (
            [rows[0], rows[1], rows[2]],
            [rows[2], rows[1], rows[0]],
            [rows[1], rows[0], rows[2]],
        )
    }
    assert set(kept.values()) == {rows[1]}


def test_text_is_ordered_by_code_point_and_null_is_least():
    texts = [None, "", "Z", "a", "\U0001f600"]
    assert sorted(texts, key=lambda text: content_order([text])) == texts


@given(st.integers(0, 2**60), st.integers(1, 2**40))
def test_a_cadence_shows_its_last_boundary(instant, cadence):
    layout = ViewLayout(
        view="v",
        version="0badcafe",
        kind="lookup",
        entity="e",
        key="k",
        key_type="string",
        features={},
        freshness_us=1,
        cadence_us=cadence,
    )
    seen = visible_us(layout, instant)
    assert (seen % cadence, 0 <= instant - seen < cadence) == (0, True)
