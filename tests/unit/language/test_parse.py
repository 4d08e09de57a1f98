"""Texts become trees; mistakes show their place."""

from __future__ import annotations

import pytest

from tondo.core.errors import DefinitionError, TondoError
from tondo.language.parse import parse, parse_window
from tondo.language.tree import Call, Column, Fitted, Literal, ViewFeature


def message(text, read=parse):
    with pytest.raises(TondoError) as caught:
        read(text)
    return str(caught.value)


def test_a_view_feature_is_read_with_and_without_its_key():
    assert parse("@weather.wind") == ViewFeature("weather", "wind")
    assert parse("@weather.wind[dest]") == ViewFeature("weather", "wind", "dest")


def test_a_quoted_name_is_a_column_whatever_it_holds():
    assert parse('"odd ""name"""') == Column('odd "name"')


def test_a_fitted_call_keeps_its_options_apart():
    assert parse("vocab(carrier, 50)") == Fitted("vocab", Column("carrier"), (50.0,))


def test_function_names_and_keywords_may_be_written_in_any_case():
    assert parse("COALESCE(x, NULL)") == Call("coalesce", (Column("x"), Literal(None)))


def test_whole_numbers_stay_whole_until_their_type_is_known():
    assert parse("9007199254740993") == Literal(9007199254740993)
    assert parse("-3") == Literal(-3)
    assert repr(parse("-0").value) == "-0.0"


def test_a_syntax_error_points_at_the_place():
    assert message("a + * b").endswith("At:\na + * b\n    ^")


def test_the_caret_stands_in_the_right_line():
    assert message("a +\n  )").endswith("At:\n  )\n  ^")


@pytest.mark.parametrize(
    "text",
    ["", "a b", "(a", "a)", "'open", '"open', "1 +", "case end", "case when a then b", "a in ()",
     "@weather", "@weather.", "@w.f[", "f(", "cast(a as int)", "a not b", "x ^ 2", "a; drop", "# a",
     "between 1 and 2", "timestamp 'tomorrow'", "date '2013-02-30'", "a is 5", "\ud800", "vocab(x)",
     "vocab(x, y)", "a = not b"],
)  # fmt: skip
def test_what_is_no_expression_is_refused_with_a_place(text):
    assert "TD-LANG-001" in message(text)
    assert "At:\n" in message(text)


def test_an_unknown_function_names_the_nearest():
    assert "TD-LANG-002" in message("lwr(a)")
    assert "Did you mean 'lower'" in message("lwr(a)")


def test_a_window_function_on_a_row_is_explained():
    assert "window function and stands in a feature view" in message("avg(a)")


def test_operators_cannot_be_called_by_their_inner_names():
    assert "TD-LANG-002" in message("equal(a, b)")


def test_a_text_that_is_nested_too_deeply_is_refused():
    assert "TD-LANG-013" in message("(" * 400 + "a" + ")" * 400)
    assert "TD-LANG-013" in message(" or ".join(["a"] * 400))
    assert "TD-LANG-013" in message("a" * 30_000)
    assert "TD-LANG-013" in message("[" * 5_000)
    assert "TD-LANG-013" in message("vocab(x, " * 2_000)
    assert "TD-LANG-013" in message("vocab(x, n = [" * 1_000)


def test_a_window_has_function_argument_length_and_scale():
    call = parse_window("avg(arr_delay / 2) over 3h scale=30")
    assert (call.function, call.window_us, call.scale_bits) == ("avg", 10_800_000_000, 30)
    assert parse_window("count(*) over 7 d").argument is None


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "[]",
        "[1, 'a']",
        "[x]",
        "[null]",
        "[1",
        "[1 + 1]",
        "[[1]]",
        "t + interval '1 month'",
        "t + interval ''",
        "interval '1 day'",
    ],
)
def test_a_broken_list_or_interval_is_refused_with_a_place(text):
    with pytest.raises(DefinitionError, match=r"(?s)TD-LANG-001.*\^"):
        parse(text)


@pytest.mark.parametrize("text", ["avg(x)", "mean(x) over 3h", "avg(*) over 3h", "avg(x) over"])
def test_a_broken_window_is_refused(text):
    with pytest.raises(DefinitionError):
        parse_window(text)


def test_a_key_may_be_an_expression_and_keeps_its_text():
    node = parse("@w.wind[ substr(route, 1,3) ]")
    assert (node.key, node.by) == ("substr(route, 1,3)", parse("substr(route, 1,3)"))


def test_a_key_may_be_a_view_feature():
    node = parse("@fleet.size[@aircraft.carrier]")
    assert (node.key, node.by) == ("@aircraft.carrier", ViewFeature("aircraft", "carrier"))


def test_texts_within_a_key_keep_their_blanks():
    one, two = parse("@w.wind[replace(x, '  ', '')]"), parse("@w.wind[replace(x, ' ', '')]")
    assert one.key != two.key
