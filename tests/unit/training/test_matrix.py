from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from tondo.core.errors import DefinitionError
from tondo.language.tree import Column
from tondo.stages.training.fitting import fit_features
from tondo.stages.training.matrix import feature_matrix, label_vector
from tondo.stages.training.samples import plain_rows

from .conftest import RowEngine, flights, resolved


def test_the_matrix_has_nulls_as_nan_and_truth_as_one():
    table = pa.table({"x": [1.5, None, 2.0], "b": [True, False, None]})
    trees = {"x": Column("x", "double"), "b": Column("b", "bool")}
    matrix = feature_matrix(trees, table, engine=RowEngine())
    np.testing.assert_array_equal(matrix, [[1.5, 1.0], [math.nan, 0.0], [2.0, math.nan]])


def test_the_matrix_lies_feature_by_feature():
    table = pa.table({"x": [1.0, 2.0]})
    assert feature_matrix(
        {"x": Column("x", "double")}, table, engine=RowEngine()
    ).flags.f_contiguous


def test_columns_in_chunks_make_the_same_matrix():
    whole = pa.table({"x": [1.0, None, 3.0, 4.0]})
    parts = pa.concat_tables([whole.slice(0, 1), whole.slice(1, 2), whole.slice(3)])
    tree = {"x": Column("x", "double")}
    one, two = (feature_matrix(tree, each, engine=RowEngine()) for each in (whole, parts))
    np.testing.assert_array_equal(one, two)


def test_a_feature_of_text_is_refused_with_advice():
    table = pa.table({"x": ["a"]})
    with pytest.raises(DefinitionError, match=r"TD-TRAIN-003.*vocab\(x, 50\)"):
        feature_matrix({"x": Column("x", "string")}, table, engine=RowEngine())


def test_a_feature_that_is_a_list_is_refused_with_advice():
    table = pa.table({"x": [["a"]]})
    with pytest.raises(DefinitionError, match=r"TD-TRAIN-003.*length\(x\)"):
        feature_matrix({"x": Column("x", "list<string>")}, table, engine=RowEngine())


def test_labels_of_truth_and_of_numbers_are_the_same():
    table = pa.table({"a": [True, False, None], "b": [1.0, 0.0, None]})
    np.testing.assert_array_equal(label_vector(table, "a"), label_vector(table, "b"))


def test_fitting_by_columns_learns_what_a_plain_loop_learns():
    table = flights(400)
    frozen = fit_features(resolved().features, table, engine=RowEngine())
    carriers = [row["carrier"] for row in plain_rows(table)]
    ranked = sorted(set(carriers), key=lambda name: (-carriers.count(name), name))
    assert frozen["carrier"].parameters == {"values": ranked[:3]}


def test_plain_rows_hold_micros_days_and_no_nan():
    import datetime as dt

    at = dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC)
    table = pa.table({"t": [at], "d": [dt.date(1970, 1, 3)], "x": [math.nan], "s": ["a"]})
    assert plain_rows(table) == [{"t": 1_000_000, "d": 2, "x": None, "s": "a"}]
