"""Types are told, never changed."""

from __future__ import annotations

import pytest

from tondo.core.errors import DefinitionError
from tondo.language.check import ViewSignature, check, check_window
from tondo.language.parse import parse, parse_window
from tondo.language.tree import Literal

COLUMNS = {
    "x": "double",
    "s": "string",
    "b": "bool",
    "k": "id",
    "t": "timestamp",
    "d": "date",
    "xs": "list<double>",
    "ss": "list<string>",
    "origin": "string",
}
WEATHER = ViewSignature(view="weather", entity="airport", key="origin", features={"wind": "double"})


def typed(text):
    return check(parse(text), COLUMNS, views={"weather": WEATHER}, text=text)


def refusal(text):
    with pytest.raises(DefinitionError) as caught:
        typed(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "type_"),
    [("x + 1", "double"), ("x > 1", "bool"), ("s || 'a'", "string"), ("coalesce(null, s)", "string"),
     ("case when b then t end", "timestamp"), ("date_trunc('day', t, 'UTC')", "timestamp"),
     ("cast(t as date)", "date"), ("k = 5", "bool"), ("coalesce(k, 5)", "id"), ("@weather.wind", "double"),
     ("vocab(s, 3)", "double"), ("fill_mode(s)", "string"), ("5", "double"), ("tokens(s)", "list<string>"), ("item(ss, 1)", "string"),
     ("case when b then xs end", "list<double>"), ("coalesce(null, xs)", "list<double>"), ("sum(xs)", "double"),
     ("ss || tokens(s)", "list<string>"), ("hash_bucket(ss, 4)", "list<double>"), ("xs is null", "bool"),
     ("t + interval '1 day'", "timestamp"), ("date_add('day', 1, d)", "date"), ("cast(s as id) = 5", "bool")],
)  # fmt: skip
def test_the_type_follows_from_the_arguments(text, type_):
    assert typed(text).type == type_


def test_a_whole_number_beside_an_id_is_an_id():
    assert typed("k = 9007199254740993").arguments[1] == Literal(9007199254740993, "id")


@pytest.mark.parametrize(
    "text",
    ["x + s", "s > 1", "k + 1", "x and b", "not x", "x = b", "s || x", "case when x then 1 end",
     "case when b then 1 else 'a' end", "coalesce(x, s)", "null", "lower(x)", "hour(t)", "k = 1.5",
     "round(x, 1, 2)", "zscore(s)", "hour(d, 'UTC')", "cast(x as string)", "x in (1, 'a')", "t > d", "xs = xs", "xs < xs",
     "xs in (xs)", "xs is distinct from xs", "nullif(xs, xs)", "greatest(xs, xs)", "coalesce(xs, ss)", "xs + 1",
     "xs || ss", "contains(xs, 'a')", "sum(ss)", "sum(x)", "lower(ss)", "xs between xs and xs", "zscore(xs)",
     "t - t", "d + interval '1 day'", "cast(x as id)", "cast(xs as string)", "item(null, 1)", "date_add('day', 1, t)"],
)  # fmt: skip
def test_nothing_is_cast_silently(text):
    assert "TD-LANG-005" in refusal(text)


def test_an_unknown_column_names_the_nearest_and_its_place():
    with pytest.raises(DefinitionError) as caught:
        check(parse("1 + arr_dly"), {"arr_delay": "double"}, text="1 + arr_dly")
    text = str(caught.value)
    assert "TD-LANG-003" in text
    assert "'arr_delay'" in text
    assert text.endswith("1 + arr_dly\n    ^^^^^^^")


def test_an_unknown_view_or_feature_is_named():
    assert "no feature view 'wether'. Did you mean 'weather'" in refusal("@wether.wind")
    assert "has no feature 'wnd'. Did you mean 'wind'" in refusal("@weather.wnd")
    assert "TD-LANG-003" in refusal("@weather.wind[nowhere]")


@pytest.mark.parametrize(
    "text",
    ["hour(t, s)", "hour(t, 'Mars/Base')", "round(x, x)", "round(x, 0.5)", "round(x, 99)", "bucketize(x, 2, 1)",
     "hash_bucket(s, 0)", "date_trunc('fortnight', t, 'UTC')", "date_diff('month', t, t)", "round(x, null)",
     "tokens(s, '')", "tokens(s, s)", "ngrams(s, 0)", "ngrams(s, 1.5)", "ngrams(ss, 21)", "regexp_extract(s, s)",
     "regexp_extract(s, '(a')", "regexp_extract(s, 'a', 1)", "regexp_extract(s, 'a', 0.5)", "hash_bucket(ss, 0)",
     "date_add('hour', 1, d)", "date_add('day', 1, t, 'Mars')", "date_add('fortnight', 1, t, 'UTC')"],
)  # fmt: skip
def test_a_constant_that_cannot_be_is_refused(text):
    assert "TD-LANG-006" in refusal(text)


def test_a_window_over_a_list_is_refused():
    with pytest.raises(DefinitionError, match="TD-LANG-007"):
        check_window(parse_window("last(xs) over 1d"), COLUMNS)


@pytest.mark.parametrize(
    ("text", "advice"),
    [("sum(x)", "sum(x) over 3h"), ("t - t", "date_diff('second', a, b)"), ("d + interval '1 day'", "date_add('day', 3, d)")],
)  # fmt: skip
def test_what_was_meant_is_told(text, advice):
    assert advice in refusal(text)


def test_a_window_takes_the_type_of_what_it_picks():
    assert check_window(parse_window("last(s) over 1d"), COLUMNS).type == "string"
    assert check_window(parse_window("count(s) over 1d"), COLUMNS).type == "double"


def test_a_window_sum_of_text_is_refused():
    with pytest.raises(DefinitionError, match="TD-LANG-007"):
        check_window(parse_window("avg(s) over 1d"), COLUMNS)
