"""Rows are computed by generated Python into which no text of a tree finds its way."""

from __future__ import annotations

import math

import pytest

from tondo.core.errors import DataError
from tondo.language.check import check
from tondo.language.parse import parse
from tondo.language.rows import compile_rows, compile_vector, generated_source
from tondo.language.tree import Column, Literal

COLUMNS = {
    "x": "double",
    "y": "double",
    "s": "string",
    "b": "bool",
    "t": "timestamp",
    "d": "date",
    "k": "id",
}


def typed(**texts):
    return {name: check(parse(text), COLUMNS, text=text) for name, text in texts.items()}


def test_no_name_text_or_number_of_a_tree_is_in_the_source():
    evil = "'); import os; os.system('rm -rf /'); ('"
    source = generated_source(
        {
            evil: Column(evil, "string"),
            "b": Literal("secret", "string"),
            "c": Literal(41.5, "double"),
        }
    )
    assert not any(each in source for each in ("import", "secret", "41.5", "os."))


def test_a_shared_part_is_computed_once():
    source = generated_source(typed(a="(x + y) * 2", b="(x + y) * 3"))
    assert source.count(" + ") == 1


def test_zoned_parts_share_the_local_time():
    features = typed(a="hour(t, 'UTC')", b="month(t, 'UTC')")
    assert compile_rows(features)({"t": 0}) == [0.0, 1.0]


def test_minus_zero_and_zero_are_different_constants():
    row = compile_rows(typed(a="0.0", b="-0.0"))({})
    assert [repr(each) for each in row] == ["0.0", "-0.0"]


def test_a_column_that_is_not_there_is_null():
    assert compile_rows(typed(a="x is null", b="s"))({}) == [True, None]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x", "1"),
        ("x", True),
        ("s", 1),
        ("b", 1),
        ("k", 1.0),
        ("k", 2**63),
        ("t", "soon"),
        ("t", 1.5),
        ("d", "2013"),
        ("x", 10**400),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(name, value):
    with pytest.raises(DataError, match="TD-LANG-008") as caught:
        compile_rows({"f": Column(name, COLUMNS[name])})({name: value})
    assert caught.value.fields["column"] == name


def test_instants_and_dates_may_be_given_as_text():
    row = {"t": "1970-01-01T00:00:01+00:00", "d": "1970-01-02"}
    assert compile_rows(typed(t="t", d="d"))(row) == [1_000_000, 1]


def test_a_vector_holds_floats_and_nan_for_null():
    vector = compile_vector(typed(a="x", b="b", c="x > 1", d="y"))(
        {"x": 2, "b": None, "y": math.inf}
    )
    assert vector[0] == 2.0
    assert vector[2] == 1.0
    assert math.isnan(vector[1])
    assert math.isnan(vector[3])
    assert {type(each) for each in vector} == {float}
