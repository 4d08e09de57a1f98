"""Why a row got its score: LightGBM's own contributions, and usual values where there are none."""

from __future__ import annotations

import math

import lightgbm
import numpy as np
import pytest

import scored
from tondo.adapters.runtimes.lightgbm.runtime import LightGBMLoader
from tondo.core.errors import CallerError
from tondo.language.tree import Column, Fitted
from tondo.scoring.baseline import Baseline, learn_distribution, write_baseline
from tondo.scoring.model import load_model
from tondo.workspace.live.explanation import explain_vector, usual_value


def loaded(**changes):
    return load_model(scored.contents(**changes), scored.LOADERS)


def baseline(**columns):
    features = {name: learn_distribution(np.array(values)) for name, values in columns.items()}
    score = learn_distribution(np.array([0.1, 0.9]))
    return write_baseline(Baseline(features=features, score=score))


def test_contributions_are_those_of_the_library_itself():
    text = scored.forest_text(5)
    matrix = np.random.default_rng(3).normal(size=(40, 5))
    matrix[::7, 1] = np.nan
    runtime = LightGBMLoader().load({"model.txt": text}, {})
    found = runtime.contributions(matrix)
    wanted = lightgbm.Booster(model_str=text.decode()).predict(matrix, pred_contrib=True)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)
    runtime.close()


def test_contributions_want_the_models_own_width_and_an_open_model():
    runtime = LightGBMLoader().load({"model.txt": scored.forest_text(5)}, {})
    with pytest.raises(CallerError, match="TD-RUNTIME-005"):
        runtime.contributions(np.zeros((1, 4)))
    runtime.close()
    with pytest.raises(CallerError, match="TD-RUNTIME-004"):
        runtime.contributions(np.zeros((1, 5)))


def test_effects_of_trees_sum_to_the_score():
    model = loaded(runtime="lightgbm")
    found = explain_vector(model, model.vector(scored.ROW))
    raw = found["expected"] + sum(each.effect for each in found["effects"])
    assert (found["method"], found["unit"]) == ("contributions", "log-odds")
    assert math.isclose(1 / (1 + math.exp(-raw)), found["score"], rel_tol=1e-9)
    strengths = [abs(each.effect) for each in found["effects"]]
    assert strengths == sorted(strengths, reverse=True)


def test_other_runtimes_tell_what_the_score_is_beside_the_usual_value():
    usual = baseline(far=[0.5, 0.7, 0.7, 0.9], hour=[10.0, 11.0, 12.0, 13.0])
    model = loaded(baseline=usual)
    vector = model.vector(scored.ROW)
    found = explain_vector(model, vector)
    assert (found["method"], found["unit"], found["expected"]) == ("usual values", "score", None)
    places = list(model.contents.features)
    for each in found["effects"]:
        other = [*vector]
        other[places.index(each.feature)] = math.nan if each.usual is None else each.usual
        assert each.effect == found["score"] - model.score_vector(other)


def test_the_usual_value_is_the_middle_one():
    model = loaded(baseline=baseline(far=list(range(1001)), hour=[math.nan] * 9 + [1.0, 2.0]))
    assert usual_value(model, "far") == pytest.approx(500, abs=2)
    assert math.isnan(usual_value(model, "hour"))
    assert math.isnan(usual_value(model, "rush"))


def test_a_code_is_told_as_its_word():
    tree = Fitted("vocab", Column("carrier", "string"), (2.0,), {"values": ["AA", "UA"]}, "double")
    model = loaded(features={**scored.trees_of(scored.TEXTS, scored.INPUTS), "who": tree})
    words = {
        value: next(
            each.word
            for each in explain_vector(model, [1.0, 2.0, 0.0, 1.0, value])["effects"]
            if each.feature == "who"
        )
        for value in (1.0, 2.0, 0.0, math.nan)
    }
    assert list(words.values()) == ["AA", "UA", "another", ""]
