"""Keys sort as what they stand for, and no entity's range holds another's keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tondo.core.errors import CallerError, DataError
from tondo.scoring.keys import (
    ViewKeys,
    event_digest,
    event_key,
    event_range,
    event_time_of,
    lookup_key,
    lookup_range,
)
from tondo.scoring.layout import ViewLayout

INSTANTS = st.integers(-(2**62), 2**62)


def layout(key_type="string", **changes):
    fields = {
        "view": "v",
        "version": "0badcafe",
        "kind": "lookup",
        "entity": "e",
        "key": "k",
        "key_type": key_type,
        "features": {"x": "double"},
        "freshness_us": 1,
    }
    return ViewLayout(**{**fields, **changes})


@given(st.text(), st.text(), INSTANTS)
def test_a_text_s_range_holds_its_own_events_only(first, second, instant):
    start, stop = event_range(layout(), first, -(2**62), 2**62 + 1)
    inside = start <= event_key(layout(), second, instant, "id") < stop
    assert inside == (first == second)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_ids_sort_as_numbers(first, second):
    keys = ViewKeys(layout("id"))
    assert (keys.stem(first) < keys.stem(second)) == (first < second)


@given(INSTANTS, INSTANTS)
def test_events_sort_by_time_and_carry_it(first, second):
    one, two = event_key(layout(), "a", first, "x"), event_key(layout(), "a", second, "x")
    assert ((one < two), event_time_of(one)) == ((first < second), first)


@given(INSTANTS, INSTANTS)
def test_the_newest_row_in_sight_is_the_first_of_its_range(stored, asked):
    start, stop = lookup_range(layout(), "a", asked)
    assert (start <= lookup_key(layout(), "a", stored) < stop) == (stored <= asked)


def test_recorded_times_break_ties_newest_first():
    twice = layout(has_recorded=True)
    assert lookup_key(twice, "a", 5, 9) < lookup_key(twice, "a", 5, 8)


def test_a_row_without_time_has_one_key():
    timeless = layout(has_time=False)
    start, stop = lookup_range(timeless, "a", 7)
    assert start <= lookup_key(timeless, "a") < stop
    assert not start <= lookup_key(timeless, "ab") < stop


def test_marks_lie_apart_from_rows():
    keys = ViewKeys(layout())
    assert not keys.mark(event_digest("a")).startswith(keys.prefix)


@pytest.mark.parametrize(
    ("key_type", "key"), [("string", 7), ("id", "7"), ("id", 7.0), ("id", True), ("id", 2**63)]
)
def test_a_key_of_the_wrong_type_is_refused(key_type, key):
    with pytest.raises(CallerError, match="TD-ONLINE-001"):
        ViewKeys(layout(key_type)).stem(key)


def test_a_row_that_needs_a_time_is_refused_without():
    with pytest.raises(DataError, match="TD-ONLINE-002"):
        lookup_key(layout(), "a")
