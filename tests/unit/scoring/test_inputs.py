from datetime import UTC, date, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tondo.core.errors import CallerError
from tondo.scoring.inputs import RowInputs

TYPES = {
    "d": "double",
    "i": "id",
    "b": "bool",
    "s": "string",
    "t": "timestamp",
    "day": "date",
    "many": "list<double>",
}
NOTHING = dict.fromkeys(TYPES)
INPUTS = RowInputs(TYPES)


def read(**values):
    return INPUTS.read_mapping({**NOTHING, **values})


def test_null_is_a_value_of_every_type():
    assert read() == NOTHING


@pytest.mark.parametrize(
    ("name", "sent", "expected"),
    [
        ("d", 5, 5.0),
        ("t", "1970-01-01T00:00:01Z", 1_000_000),
        ("t", 5, 5),
        ("t", datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), 0),
        ("day", "1970-01-02", 1),
        ("day", date(1969, 12, 31), -1),
        ("i", 2**53 + 1, 2**53 + 1),
        ("many", [1, None], [1.0, None]),
    ],
)
def test_values_become_the_languages_own(name, sent, expected):
    assert read(**{name: sent})[name] == expected


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("d", "5"),
        ("d", True),
        ("i", 5.0),
        ("i", 2**63),
        ("i", True),
        ("b", 1),
        ("s", 5),
        ("t", "1970-01-01T00:00:00"),
        ("t", "yesterday"),
        ("t", 5.5),
        ("t", datetime(1970, 1, 1)),  # noqa: DTZ001 - what is refused
        ("day", "1970-13-01"),
        ("many", 5),
        ("many", ["x"]),
    ],
)
def test_another_type_is_refused_and_named(name, sent):
    with pytest.raises(CallerError) as refusal:
        read(**{name: sent})
    assert (refusal.value.code, refusal.value.fields["field"]) == ("TD-SCORE-002", name)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_are_refused(number):
    with pytest.raises(CallerError, match="TD-SCORE-004: d is"):
        read(d=number)


def test_a_missing_field_is_named_with_a_near_one():
    row = {**NOTHING, "dayy": None}
    del row["day"]
    with pytest.raises(CallerError, match="TD-SCORE-001: rows\\[3\\].day is missing.*'dayy'"):
        INPUTS.read_mapping(row, where="rows[3].")


def test_an_unknown_field_is_named_with_a_near_one():
    with pytest.raises(CallerError, match=r"TD-SCORE-003: dya is not.*'day'"):
        read(dya=1)


def test_a_missing_view_feature_asks_for_an_online_store():
    with pytest.raises(CallerError, match="TD-SCORE-012"):
        RowInputs({"@w.wind[origin]": "double"}).read_mapping({})


def test_a_column_that_is_no_identifier_is_read_quickly_too():
    inputs = RowInputs({"arr delay": "double", "class": "string"})
    body = b'{"arr delay": 1, "class": "x"}'
    assert inputs.from_struct(msgspec.json.decode(body, type=inputs.struct)) == {
        "arr delay": 1.0,
        "class": "x",
    }


def test_an_optional_column_may_be_left_out():
    inputs = RowInputs({"a": "double", "b": "double"}, optional={"b"})
    assert inputs.from_struct(msgspec.json.decode(b'{"a": 1}', type=inputs.struct)) == {"a": 1.0}
    assert inputs.read_mapping({"a": 1}) == {"a": 1.0}


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**64), 2**64),
    st.floats(),
    st.text(max_size=5),
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat()),
    st.dates().map(str),
    st.lists(st.one_of(st.none(), st.floats()), max_size=3),
)


def outcome(function):
    try:
        return function()
    except (CallerError, msgspec.ValidationError):
        return "refused"


@given(st.sampled_from(sorted(TYPES)), ANYTHING)
def test_both_ways_of_reading_agree(name, value):
    body = msgspec.json.encode({**NOTHING, name: value})
    sent = msgspec.json.decode(body)
    quick = outcome(lambda: INPUTS.from_struct(msgspec.json.decode(body, type=INPUTS.struct)))
    slow = outcome(lambda: INPUTS.read_mapping(sent))
    assert quick == slow
