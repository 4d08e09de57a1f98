"""F is an expression as a value: checked at once, text underneath, filled and never injected."""

from __future__ import annotations

import datetime as dt
import json
import pickle

import pyarrow as pa
import pytest

import tondo
from tondo import F
from tondo.core.errors import DefinitionError
from tondo.language.check import check
from tondo.language.interpret import evaluate
from tondo.language.parse import parse, parse_window


def test_it_shows_itself_as_it_is_written():
    assert repr(F("a + 1")) == 'F("a + 1")'
    assert repr(F("\"the delay\" || 'x'")) == "F('\"the delay\" || \\'x\\'')"
    for text in ("a + 1", "s = 'it''s'", '"the delay"', "a\n+ 1", "regexp_matches(s, '\\d')"):
        assert eval(repr(F(text))) == text


def test_it_stands_wherever_text_does():
    table = pa.table({"x": [1.0, 4.0]})
    assert tondo.evaluate(table, {"y": F("x * 2")})["y"].to_pylist() == [2.0, 8.0]
    assert tondo.check_expression(F("x > 1"), {"x": "double"}).type == "bool"
    assert parse(F("x / 2")) == parse("x / 2")
    assert parse_window(F("avg(x) over 3h")) == parse_window("avg(x) over 3h")
    assert json.loads(json.dumps({"f": F("x")})) == {"f": "x"}
    assert pickle.loads(pickle.dumps(F("x"))) == F("x")


def test_a_mistake_is_told_when_it_is_written():
    with pytest.raises(DefinitionError, match=r"(?s)TD-LANG-001.*a \+\n +\^"):
        F("a +")
    with pytest.raises(DefinitionError, match="TD-LANG-002.*Did you mean 'lower'"):
        F("lowr(a)")
    with pytest.raises(DefinitionError, match="TD-CORE-002: 'soon' is not a duration"):
        F("avg(x) over soon")


def test_it_tells_what_it_reads():
    feature = F("fill_mean(@weather.wind) + distance / nullif(minutes, 0)")
    assert feature.columns == ("distance", "minutes")
    assert feature.view_features == ("@weather.wind",)
    assert feature.functions == ("add", "divide", "fill_mean", "nullif")
    window = F("sum(x + y) over 3h")
    assert (window.columns, window.functions) == (("x", "y"), ("add", "sum"))
    assert window.type_over({"x": "double", "y": "double"}) == "double"


def test_expressions_go_in_within_parentheses():
    assert F("{a} * 2", a=F("x + 1")) == "(x + 1) * 2"
    assert F("-{a}", a=F("-x")) == "-(-x)"


@pytest.mark.parametrize(
    ("value", "type_"),
    [("it's {x} \" -- '", "string"), ("a\0\n", "string"), (-1.5, "double"), (1e300, "double"), (7, "double"),
     (True, "bool"), (dt.date(2013, 4, 1), "date"), (dt.datetime(2013, 4, 1, 6, 30, 0, 5, dt.UTC), "timestamp")],
)  # fmt: skip
def test_a_value_goes_in_as_the_constant_that_it_is(value, type_):
    node = check(parse(F("coalesce({value}, {value})", value=value)), {})
    assert node.type == type_
    found = evaluate(node, {})
    wanted = evaluate(check(parse("v"), {"v": type_}), {"v": value})
    assert (found, type(found)) == (wanted, type(wanted))


def test_braces_in_quotes_are_text():
    assert F("regexp_matches({column}, 'a{2}')", column=F("s")) == "regexp_matches((s), 'a{2}')"


@pytest.mark.parametrize(
    ("text", "parts"),
    [("{a} + 1", {"b": 1}), ("a + 1", {"b": 1}), ("{a}", {"a": float("nan")}), ("{a}", {"a": [1]}),
     ("{a}", {"a": dt.datetime(2013, 4, 1)}), ("{a}", {"a": object()})],  # noqa: DTZ001 - what is refused
)  # fmt: skip
def test_parts_that_do_not_fit_are_refused(text, parts):
    with pytest.raises(DefinitionError, match="TD-LANG-032"):
        F(text, **parts)
