"""Fitted functions learn on the training split; scikit-learn and NumPy are the judges."""

from __future__ import annotations

import json
import random

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import PredefinedSplit
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from tondo.adapters.engines.duckdb.lowering import lower
from tondo.core.canonical import canonical_json
from tondo.core.errors import DataError, DefinitionError
from tondo.language.check import check
from tondo.language.fit import FOLDS, fit_all, fit_folds, learn
from tondo.language.interpret import evaluate
from tondo.language.parse import parse
from tondo.language.rows import compile_rows
from tondo.language.walk import from_json, to_json

COLUMNS = {"x": "double", "s": "string", "k": "id", "ss": "list<string>", "b": "bool"}
VALUES = [None if n % 7 == 0 else random.Random(n).uniform(-100, 900) for n in range(300)]


def evaluator(rows, calls):
    def columns(trees):
        calls.append(len(trees))
        return {name: [evaluate(tree, row) for row in rows] for name, tree in trees.items()}

    return columns


def fitted(text, rows, label=None):
    calls = []
    tree = check(parse(text), COLUMNS, text=text)
    return fit_all({"f": tree}, evaluator(rows, calls), label=label)["f"], calls


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


def test_robust_scaling_agrees_with_scikit_learn():
    present = np.array([each for each in VALUES if each is not None]).reshape(-1, 1)
    found = [each for each in answers("robust_scale(x)", VALUES) if each is not None]
    assert found == pytest.approx(RobustScaler().fit_transform(present).ravel(), rel=1e-12)


def test_robust_scaling_of_equal_quartiles_only_moves():
    assert answers("robust_scale(x)", [3.0] * 9 + [10.0]) == [0.0] * 9 + [7.0]


@pytest.mark.filterwarnings("ignore:Bins whose width")  # equal quantiles: its way to say so
@pytest.mark.parametrize("count", [2, 3, 7, 40])
@pytest.mark.parametrize("values", [VALUES, [0.0] * 50 + [1.0, 2.0, 5.0, 5.0, 5.0, 9.0]])
def test_quantile_buckets_agree_with_scikit_learn(values, count):
    present = [each for each in values if each is not None]
    peer = KBinsDiscretizer(count, encode="ordinal", strategy="quantile", subsample=None)
    peer.set_params(quantile_method="linear")
    wanted = peer.fit_transform(np.array(present).reshape(-1, 1)).ravel()
    assert answers(f"quantile_bucket(x, {count})", present) == wanted.tolist()


def test_equal_values_are_one_quantile_bucket():
    assert answers("quantile_bucket(x, 4)", [2.0, 2.0, None]) == [0.0, 0.0, None]


@pytest.mark.parametrize("smoothing", [0.5, 10, 1000])
@pytest.mark.parametrize("target", ["binary", "continuous"])
def test_target_means_agree_with_scikit_learn(smoothing, target):
    draw = random.Random(5)
    texts = [draw.choice("aaabbcde") for _ in range(400)]
    label = [float(draw.random() < 0.3) if target == "binary" else draw.gauss(9, 4) for _ in texts]
    peer = TargetEncoder(smooth=smoothing, target_type=target)
    peer.fit(np.array(texts).reshape(-1, 1), label)
    wanted = peer.transform(np.array([*texts, "new"]).reshape(-1, 1)).ravel()
    tree, _ = fitted(f"target_mean(s, {smoothing})", [{"s": each} for each in texts], label)
    found = [evaluate(tree, {"s": each}) for each in [*texts, "new"]]
    assert found == pytest.approx(wanted, rel=1e-12)


def test_training_rows_get_target_means_without_their_own_fold_as_scikit_learn_does():
    draw = random.Random(8)
    rows = [{"s": draw.choice("aabbc")} for _ in range(101)]
    label = [draw.gauss(9, 4) for _ in rows]
    folds = PredefinedSplit([row % FOLDS for row in range(len(rows))])
    peer = TargetEncoder(smooth=3.0, target_type="continuous", cv=folds)
    wanted = peer.fit_transform(np.array([[each["s"]] for each in rows]), label).ravel()
    tree, _ = fitted("target_mean(s, 3)", rows, label)
    shown = fit_folds({"f": tree}, evaluator(rows, []), label=label)
    found = [evaluate(shown[place % FOLDS]["f"], row) for place, row in enumerate(rows)]
    assert found == pytest.approx(wanted, rel=1e-12)


def test_a_label_seen_once_does_not_come_back_to_its_row():
    rows = [{"s": f"only {row}"} for row in range(50)]
    label = [float(row % 2) for row in range(50)]
    tree, _ = fitted("target_mean(s, 0)", rows, label)
    assert [evaluate(tree, row) for row in rows] == label
    folds = fit_folds({"f": tree}, evaluator(rows, []), label=label)
    shown = [evaluate(folds[place % FOLDS]["f"], row) for place, row in enumerate(rows)]
    assert max(abs(each - 0.5) for each in shown) < 0.02


def test_features_that_know_no_label_have_no_folds():
    tree, _ = fitted("zscore(x)", [{"x": 1.0}, {"x": 2.0}])
    assert fit_folds({"f": tree}, evaluator([], []), label=[0.0, 1.0]) == []


def test_rows_without_a_label_are_left_out():
    rows = [{"s": "a"}, {"s": "a"}, {"s": None}, {"s": "b"}]
    tree, _ = fitted("target_mean(s, 0)", rows, [1.0, float("nan"), 0.0, 0.0])
    assert [evaluate(tree, {"s": each}) for each in ("a", "b", None, "c")] == [1.0, 0.0, None, 0.5]


def test_a_target_mean_needs_a_label():
    with pytest.raises(DefinitionError, match="TD-LANG-031"):
        fitted("target_mean(s)", [{"s": "a"}])


def test_a_target_mean_of_a_target_mean_is_refused():
    with pytest.raises(DefinitionError, match="TD-LANG-030"):
        check(parse("target_mean(target_mean(s) > 0.5)"), COLUMNS)


def test_rare_values_get_no_code_and_others_a_bucket():
    texts = ["b", "b", "c", "c", "c", "a"]
    assert answers("vocab(s, 5, min_count = 2)", texts, "s") == [2.0, 2.0, 1.0, 1.0, 1.0, 0.0]
    found = answers("vocab(s, 5, oov = 3, min_count = 2)", [*texts, None], "s")
    assert found[:5] == [2.0, 2.0, 1.0, 1.0, 1.0]
    assert found[5] == 6.0 + evaluate(check(parse("hash_bucket(s, 3)"), COLUMNS), {"s": "a"})
    assert found[6] is None


def test_a_vocabulary_that_knows_nothing_answers():
    assert answers("vocab(s, 5)", [None], "s") == [None]
    tree, _ = fitted("vocab(s, 5)", [{"s": None}])
    assert evaluate(from_json(to_json(tree)), {"s": "a"}) == 0.0


def test_codes_of_a_list_are_codes_of_its_items():
    lists = [["b", "a"], ["b", None], None, []]
    assert answers("vocab(ss, 1)", lists, "ss") == [[1.0, 0.0], [1.0, None], None, []]


TEXTS = ["wheels up late", "late late again", "on time", "again and again on time"]


def test_inverse_document_frequencies_agree_with_scikit_learn():
    peer = TfidfVectorizer(norm=None).fit(TEXTS)
    rows = [{"s": each} for each in TEXTS]
    tree, _ = fitted("idf(tokens(s), 100)", rows)
    for text in TEXTS:
        wanted = [peer.idf_[peer.vocabulary_[each]] for each in text.split()]
        assert evaluate(tree, {"s": text}) == pytest.approx(wanted, rel=1e-15)
    assert evaluate(tree, {"s": "late never"})[1] is None


def test_tfidf_agrees_with_scikit_learn():
    peer = TfidfVectorizer(norm=None)
    matrix = peer.fit_transform(TEXTS).toarray()
    tree, _ = fitted("tfidf(tokens(s), 100)", [{"s": each} for each in TEXTS])
    order = [peer.vocabulary_[each] for each in tree.parameters["terms"]]
    for row, text in enumerate(TEXTS):
        assert evaluate(tree, {"s": text}) == pytest.approx(matrix[row, order], rel=1e-15)


def test_the_terms_kept_are_those_in_most_lists():
    tree, _ = fitted("idf(tokens(s), 2)", [{"s": each} for each in TEXTS])
    assert tree.parameters["terms"] == ["again", "late"]


@pytest.mark.parametrize(
    "text",
    ["robust_scale(x) + quantile_bucket(x, 3)", "target_mean(s, 2)", "target_mean(k)", "target_mean(b, 0.5)",
     "vocab(s, 2, oov = 4)", "vocab(k, 2, oov = 4)", "sum(vocab(ss, 2))", "sum(idf(ss, 3))", "item(tfidf(ss, 3), 1)"],
)  # fmt: skip
def test_a_frozen_call_is_the_same_by_rows_and_by_duckdb_after_storing(text):
    draw = random.Random(3)
    rows = [
        {"x": draw.gauss(0, 9), "s": draw.choice(["a", "b", "{c}", "it's", None]), "k": draw.choice([1, 2**60, -7]),
         "b": draw.choice([True, False, None]), "ss": draw.choice([["a", "b"], ["b", None, "b"], [], None])}
        for _ in range(60)
    ]  # fmt: skip
    tree, _ = fitted(text, rows, [float(draw.random() < 0.5) for _ in rows])
    again = from_json(json.loads(canonical_json(to_json(tree))))
    table = pa.table({name: pa.array([row[name] for row in rows]) for name in COLUMNS})
    with duckdb.connect() as connection:
        connection.register("rows", table)
        by_duckdb = connection.sql(f"SELECT {lower(again)} AS f FROM rows").to_arrow_table()
    wanted = [evaluate(tree, row) for row in rows]
    assert [compile_rows({"f": again})(row)[0] for row in rows] == wanted
    assert by_duckdb["f"].to_pylist() == wanted


@pytest.mark.parametrize(
    ("text", "code"),
    [("vocab(s)", "001"), ("vocab(s, 5, oof = 3)", "001"), ("vocab(s, oov = 3)", "001"), ("vocab(s, 5, n = 3)", "001"),
     ("vocab(s, n = 5, 3)", "001"), ("vocab(s, x)", "001"), ("vocab()", "001"), ("zscore(x, 1)", "001"), ("vocab(s, 0)", "006"),
     ("vocab(s, 2.5)", "006"), ("vocab(s, 'a')", "006"), ("vocab(x, 5, oov = 2)", "006"), ("vocab(ss, 5, oov = 2)", "006"),
     ("quantile_bucket(x, 1)", "006"), ("target_mean(s, -1)", "006"), ("idf(s, 5)", "005"), ("robust_scale(s)", "005")],
)  # fmt: skip
def test_options_that_cannot_be_are_refused(text, code):
    with pytest.raises(DefinitionError, match=f"TD-LANG-{code}"):
        check(parse(text), COLUMNS, text=text)


def test_a_call_without_options_at_their_defaults_is_stored_as_before():
    assert parse("vocab(s, 5, oov = 0, min_count = 1)").options == (5.0,)
    assert parse("vocab(s, 5, min_count = 2)").options == (5.0, 0.0, 2.0)


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
