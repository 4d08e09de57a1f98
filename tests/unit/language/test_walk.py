"""Questions about trees, and their stored form."""

from __future__ import annotations

import copy
import json

import pytest

from tondo.core.canonical import canonical_json
from tondo.core.errors import DataError, DefinitionError
from tondo.language.check import ViewSignature, check
from tondo.language.parse import parse, parse_window
from tondo.language.tree import Call, Literal
from tondo.language.walk import (
    bind_views,
    columns_of,
    expand_fitted,
    fitted_of,
    from_json,
    to_json,
    view_features_of,
)

WEATHER = ViewSignature(view="weather", entity="airport", key="origin", features={"wind": "double"})
COLUMNS = {"x": "double", "origin": "string", "dest": "string"}


def typed(text):
    return check(parse(text), COLUMNS, views={"weather": WEATHER}, text=text)


def test_view_features_become_columns_under_their_canonical_names():
    bound = bind_views(typed("@weather.wind - @weather.wind[dest] + x"), {"weather": WEATHER})
    assert columns_of(bound) == {"@weather.wind[origin]", "@weather.wind[dest]", "x"}


def test_view_features_are_listed_once():
    assert len(view_features_of(typed("@weather.wind + @weather.wind"))) == 1


def test_fitted_calls_are_listed_innermost_first():
    assert [each.function for each in fitted_of(parse("zscore(fill_mean(x))"))] == [
        "fill_mean",
        "zscore",
    ]


def test_an_open_fitted_call_cannot_be_computed():
    with pytest.raises(DefinitionError, match="TD-LANG-010"):
        expand_fitted(typed("zscore(x)"))


@pytest.mark.parametrize(
    "text", ["x + 1", "vocab(origin, 3)", "@weather.wind[dest] > 1", "case when x > 1 then 'a' end"]
)
def test_a_stored_tree_reads_back_equal(text):
    tree = typed(text)
    assert from_json(to_json(tree)) == tree
    assert canonical_json(to_json(from_json(to_json(tree)))) == canonical_json(to_json(tree))


def test_a_stored_window_reads_back_equal():
    call = parse_window("count(*) over 3h")
    assert from_json(to_json(call)) == call


def test_a_list_of_constants_is_stored_and_read():
    node = check(parse("lookup(s, ['a', 'b'], [1, 2.5])"), {"s": "string"})
    assert from_json(json.loads(canonical_json(to_json(node)))) == node


@pytest.mark.parametrize("value", [["a", 1], "ab", [["a"]], None, [None, "b"], ["a"]])
def test_a_list_that_was_tampered_with_is_refused(value):
    body = to_json(check(parse("lookup(s, ['a', 'b'], [1, 2.5])"), {"s": "string"}))
    body = json.loads(canonical_json(body))
    body["tree"]["arguments"][1]["value"] = value
    with pytest.raises(DataError, match="TD-LANG-009"):
        from_json(body)


def change(body, **parts):
    changed = copy.deepcopy(body)
    changed["tree"].update(parts)
    return changed


@pytest.mark.parametrize(
    "parts",
    [{"function": "system"}, {"function": "lower"}, {"arguments": []}, {"type": "string"}, {"type": "int"},
     {"node": "python"}, {"arguments": [{"node": "literal", "value": "x", "type": "double"}] * 2}],
)  # fmt: skip
def test_a_stored_tree_that_was_tampered_with_is_refused(parts):
    with pytest.raises(DataError, match="TD-LANG-009"):
        from_json(change(to_json(typed("x + 1")), **parts))


def test_frozen_parameters_that_do_not_fit_are_refused():
    body = change(to_json(typed("fill_mean(x)")), parameters={"mean": "__import__('os')"})
    with pytest.raises(DataError, match="TD-LANG-009"):
        from_json(body)


def test_another_language_version_is_refused():
    with pytest.raises(DataError, match="language version is 99"):
        from_json({**to_json(typed("x")), "version": 99})


def test_a_stored_tree_that_is_too_deep_is_refused():
    tree = Literal(1.0, "double")
    for _ in range(200):
        tree = Call("negate", (tree,), "double")
    with pytest.raises(DataError, match="TD-LANG-009"):
        from_json(to_json(tree))
