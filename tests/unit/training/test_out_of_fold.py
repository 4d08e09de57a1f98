"""Out-of-fold scores: no row is scored by what has seen it."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tondo.core.errors import CallerError, DataError
from tondo.stages.training.folds import group_folds, time_folds
from tondo.stages.training.out_of_fold import out_of_fold_scores

from .conftest import flights, model_spec, resolved

SCALED = {"distance": "zscore(fill_mean(distance))", "carrier": "vocab(carrier, 3)"}

SLOW_MACHINES = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture
def scored(tools):
    def run(table, *, folds=5, **more):
        spec = model_spec(features=SCALED, algorithm=more.pop("algorithm", "logistic"))
        given = {"label": "@label", "resolved": resolved(SCALED), "tools": tools}
        return out_of_fold_scores(spec, table, folds=folds, **given, **more)

    return run


def put(table, name, column):
    return table.set_column(table.column_names.index(name), name, column)


@SLOW_MACHINES
@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), st.integers(2, 6))
def test_time_folds_are_blocks_and_keep_an_instant_together(instants, count):
    if len(set(instants)) < count:
        return
    try:
        folds = time_folds(np.array(instants), count)
    except CallerError as error:
        # Many rows of one instant may leave too few cuts.
        assert error.code == "TD-LABEL-003"
        return
    pairs = sorted(zip(instants, folds.tolist(), strict=True))
    assert [fold for _, fold in pairs] == sorted(fold for _, fold in pairs)
    assert len(set(pairs)) == len(set(instants))
    assert set(folds.tolist()) == set(range(count))


@SLOW_MACHINES
@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60), st.integers(2, 5))
def test_group_folds_keep_groups_together_and_are_balanced(groups, count):
    if len(set(groups)) < count:
        return
    folds = group_folds(groups, count)
    assert len(set(zip(groups, folds.tolist(), strict=True))) == len(set(groups))
    sizes = np.bincount(folds, minlength=count)
    assert sizes.max() - sizes.min() <= max(map(groups.count, groups))


@pytest.mark.parametrize("count", [-1, 0, 1, 51, 10**9])
def test_a_number_of_folds_that_cannot_be_is_refused(scored, count):
    with pytest.raises(CallerError) as caught:
        scored(flights(200), folds=count)
    assert caught.value.code == "TD-LABEL-003"


def test_fewer_groups_than_folds_are_refused():
    with pytest.raises(CallerError) as caught:
        group_folds(["a", "b", None], 4)
    assert caught.value.code == "TD-LABEL-003"


def test_every_labelled_row_is_scored_and_no_other(scored):
    table = flights(600)
    found = scored(table)
    unlabelled = table["@label"].is_null().to_numpy()
    assert np.isnan(found.scores).tolist() == unlabelled.tolist()
    assert (found.folds == -1).tolist() == unlabelled.tolist()


@pytest.mark.parametrize("algorithm", ["logistic", "lightgbm"])
def test_the_labels_of_a_fold_say_nothing_of_its_scores(scored, algorithm):
    table = flights(600)
    before = scored(table, algorithm=algorithm)
    labels = np.array(table["@label"].to_pylist(), dtype=object)
    here = before.folds == 2
    labels[here] = [not each for each in labels[here]]
    after = scored(put(table, "@label", pa.array(labels.tolist())), algorithm=algorithm)
    assert after.scores[here].tolist() == before.scores[here].tolist()
    assert after.scores[before.folds == 1].tolist() != before.scores[before.folds == 1].tolist()


def test_fitted_functions_learn_nothing_from_the_fold_that_is_scored(scored):
    table = flights(600)
    before = scored(table)
    here = np.flatnonzero(before.folds == 2)
    far = np.array(table["distance"].to_pylist(), dtype=float)
    far[here[0]] = 1e9
    after = scored(put(table, "distance", pa.array(far, from_pandas=True)))
    assert after.scores[here[1:]].tolist() == before.scores[here[1:]].tolist()
    other = before.folds == 3
    assert after.scores[other].tolist() != before.scores[other].tolist()


def test_the_scores_are_those_of_scikit_learn_over_the_same_folds(tools):
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import PredefinedSplit, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features = {"distance": "distance", "wind": "@weather.wind"}
    table = flights(1500).filter(flights(1500)["@label"].is_valid())
    found = out_of_fold_scores(
        model_spec(features=features, parameters={"tolerance": 1e-10}),
        table,
        label="@label",
        resolved=resolved(features),
        tools=tools,
        folds=4,
    )
    columns = [table[name].to_numpy() for name in ("distance", "@weather.wind[origin]")]
    model = make_pipeline(StandardScaler(), SimpleImputer(), LogisticRegression(tol=1e-10))
    expected = cross_val_predict(
        model,
        np.column_stack(columns),
        table["@label"].to_numpy(),
        cv=PredefinedSplit(found.folds),
        method="predict_proba",
    )
    np.testing.assert_allclose(found.scores, expected[:, 1], atol=1e-7)


def test_rows_of_a_group_are_scored_together(scored):
    table = flights(600)
    found = scored(table, folds=3, group="carrier")
    labelled = found.folds >= 0
    pairs = set(zip(np.array(table["carrier"])[labelled], found.folds[labelled], strict=True))
    assert len(pairs) == 4


def test_a_group_that_is_no_column_is_named(scored):
    with pytest.raises(DataError) as caught:
        scored(flights(200), group="carier")
    assert caught.value.code == "TD-TRAIN-001"
    assert "carrier" in caught.value.fix


def test_rows_of_one_class_beside_a_fold_are_refused(scored):
    table = flights(200)
    labels = pa.array([at < 40 for at in range(200)])
    with pytest.raises(DataError) as caught:
        scored(put(table, "@label", labels))
    assert caught.value.code == "TD-TRAIN-007"


def test_no_label_at_all_is_refused(scored):
    with pytest.raises(DataError) as caught:
        scored(put(flights(200), "@label", pa.nulls(200, pa.bool_())))
    assert caught.value.code == "TD-TRAIN-002"
