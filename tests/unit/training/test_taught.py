"""A training row never sees its own label, and serving sees what all rows say."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.language.check import check
from tondo.language.fit import FOLDS
from tondo.language.parse import parse
from tondo.stages.training.fitting import fit_features, taught_matrix
from tondo.stages.training.matrix import feature_matrix

from .conftest import RowEngine

COLUMNS = {"noise": "string", "x": "double"}
FEATURES = {
    "x": check(parse("fill_mean(x)"), COLUMNS),
    "noise": check(parse("target_mean(noise, 1)"), COLUMNS),
}
ENGINES = [RowEngine(), DuckDBEngine(threads=1)]


def noisy(rows=1500):
    """A label that a coin decides, and a column of names that says nothing of it."""
    draw = np.random.default_rng(1)
    names = [f"name {each}" for each in draw.integers(0, 700, rows)]
    table = pa.table({"noise": names, "x": draw.normal(size=rows)})
    return table, (draw.random(rows) < 0.5).astype(float)


@pytest.mark.parametrize("engine", ENGINES, ids=["rows", "duckdb"])
def test_each_row_is_encoded_by_the_labels_of_other_folds(engine):
    table, label = noisy(300)
    features = fit_features(FEATURES, table, engine=engine, label=label)
    matrix = feature_matrix(features, table, engine=engine)
    taught = taught_matrix(features, matrix, table, engine=engine, label=label)
    names, place = table["noise"].to_pylist(), np.arange(len(label)) % FOLDS
    for row in range(0, 300, 7):
        others = place != place[row]
        same = others & np.array([each == names[row] for each in names])
        wanted = (label[same].sum() + label[others].mean()) / (same.sum() + 1)
        assert taught[row, 1] == pytest.approx(wanted, rel=1e-12)
    np.testing.assert_array_equal(taught[:, 0], matrix[:, 0])


def test_a_column_that_says_nothing_does_not_look_as_if_it_did():
    table, label = noisy()
    engine = DuckDBEngine(threads=1)
    features = fit_features(FEATURES, table, engine=engine, label=label)
    matrix = feature_matrix(features, table, engine=engine)
    taught = taught_matrix(features, matrix, table, engine=engine, label=label)

    def area(shown):
        fitted = LogisticRegression().fit(shown[:, 1:], label)
        return roc_auc_score(label, fitted.predict_proba(shown[:, 1:])[:, 1])

    assert area(matrix) > 0.8
    assert area(taught) < 0.56


def test_features_that_learn_no_label_keep_their_matrix():
    table, label = noisy(100)
    features = fit_features({"x": FEATURES["x"]}, table, engine=RowEngine(), label=label)
    matrix = feature_matrix(features, table, engine=RowEngine())
    same = taught_matrix(features, matrix, table, engine=RowEngine(), label=label)
    assert same is matrix
