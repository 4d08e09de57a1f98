"""Fitted functions learn on the training split; scikit-learn and NumPy are the judges."""

from __future__ import annotations

import random

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from tondo.core.canonical import canonical_json
from tondo.core.errors import DataError
from tondo.language.check import check
from tondo.language.fit import fit_all, learn
from tondo.language.interpret import evaluate
from tondo.language.parse import parse
from tondo.language.rows import compile_rows
from tondo.language.walk import from_json, to_json

COLUMNS = {"x": "double", "s": "string", "k": "id"}
VALUES = [None if n % 7 == 0 else random.Random(n).uniform(-100, 900) for n in range(300)]


def fitted(text, rows):
    calls = []

    def columns(trees):
        calls.append(len(trees))
        return {name: [evaluate(tree, row) for row in rows] for name, tree in trees.items()}

    done = fit_all({"f": check(parse(text), COLUMNS, text=text)}, columns)
    return done["f"], calls


def answers(text, values, column="x"):
    rows = [{column: each} for each in values]
    tree, _ = fitted(text, rows)
    return [evaluate(tree, row) for row in rows]


def test_filling_with_the_mean_agrees_with_numpy():
    mean = np.mean([each for each in VALUES if each is not None])
    filled = answers("fill_mean(x)", VALUES)
    assert filled[0] == pytest.approx(mean, rel=1e-15)
    assert filled[1] == VALUES[1]


def test_the_median_agrees_with_numpy():
    present = [each for each in VALUES if each is not None]
    assert answers("fill_median(x)", VALUES)[0] == np.median(present)


def test_zscore_agrees_with_scikit_learn():
    present = np.array([each for each in VALUES if each is not None]).reshape(-1, 1)
    found = [each for each in answers("zscore(x)", VALUES) if each is not None]
    assert found == pytest.approx(StandardScaler().fit_transform(present).ravel(), rel=1e-12)


def test_minmax_agrees_with_scikit_learn():
    present = np.array([each for each in VALUES if each is not None]).reshape(-1, 1)
    found = [each for each in answers("minmax(x)", VALUES) if each is not None]
    assert found == pytest.approx(MinMaxScaler().fit_transform(present).ravel(), abs=1e-14)


def test_equal_values_scale_to_zero():
    assert answers("zscore(x)", [3.0, 3.0]) == [0.0, 0.0]
    assert answers("minmax(x)", [3.0, 3.0]) == [0.0, 0.0]


def test_codes_fall_with_frequency_and_ties_go_by_code_point():
    texts = ["b", "b", "Z", "a", "é", None]
    assert answers("vocab(s, 3)", texts, "s") == [1.0, 1.0, 2.0, 3.0, 0.0, None]


def test_the_mode_of_a_tie_is_the_smallest():
    assert answers("fill_mode(s)", ["b", "a", None], "s")[2] == "a"


def test_inner_calls_are_learned_before_outer_ones():
    tree, calls = fitted(
        "zscore(fill_mean(x)) + fill_mean(x)", [{"x": 1.0}, {"x": None}, {"x": 3.0}]
    )
    assert calls == [1, 1]
    assert evaluate(tree, {"x": None}) == 2.0


def test_a_frozen_tree_is_stored_and_computed_by_rows():
    tree, _ = fitted("vocab(s, 2)", [{"s": "a"}, {"s": "a"}, {"s": "b"}])
    again = from_json(to_json(tree))
    assert canonical_json(to_json(again)) == canonical_json(to_json(tree))
    assert [compile_rows({"f": again})({"s": each})[0] for each in ("a", "b", "c", None)] == [
        1.0,
        2.0,
        0.0,
        None,
    ]


def test_nothing_to_learn_from_is_a_data_error():
    with pytest.raises(DataError, match="TD-LANG-011"):
        learn(check(parse("fill_mean(x)"), COLUMNS), [None, float("nan")])


def test_numpy_columns_are_learned_as_lists_are():
    call = check(parse("fill_mean(x)"), COLUMNS)
    assert learn(call, np.array([1.0, np.nan, 4.0])) == learn(call, [1.0, None, 4.0])
