from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as oracle

from tondo.scoring.frames import encode
from tondo.stages.monitoring.join import join_outcomes
from tondo.stages.monitoring.live import live_metrics, trailing
from tondo.stages.monitoring.outcomes import Outcome, decode_outcomes
from tondo.stages.monitoring.predictions import decode_predictions

START = 1_364_774_400_000_000  # 2013-04-01
HOUR = 3_600_000_000
DAY = 24 * HOUR


def round_of(logged, count=400, *, delay=HOUR, missing=(), seed=0):
    """Predictions every hour, alternately by version 1 and 2, labels `delay` later."""
    import msgspec

    generator = np.random.default_rng(seed)
    scores = generator.random(count).round(2)
    labels = (generator.random(count) < scores).astype(float)
    requests = [
        logged([str(n)], at=START + n * HOUR, scores=[scores[n]], version=1 + n % 2)
        for n in range(count)
    ]
    outcomes = [
        Outcome(
            prediction_id=str(n),
            label=float(labels[n]),
            event_time_us=START + n * HOUR,
            recorded_at_us=START + n * HOUR + delay,
        )
        for n in range(count)
        if n not in missing
    ]
    tables = (
        decode_predictions([encode(each) for each in requests]),
        decode_outcomes([msgspec.msgpack.encode(outcomes)]),
    )
    return tables, scores, labels


def joined(tables, *, at, horizon=DAY):
    return join_outcomes(*tables, at_us=at, horizon_us=horizon)


def test_metrics_equal_scikit_learn_on_the_joined_rows(logged):
    tables, scores, labels = round_of(logged)
    everything = joined(tables, at=START + 1000 * HOUR)
    (found, *_) = live_metrics(everything, start_us=START, end_us=START + 1000 * HOUR)
    assert found.auc.value == pytest.approx(oracle.roc_auc_score(labels, scores), abs=1e-12)
    assert found.brier == pytest.approx(oracle.brier_score_loss(labels, scores))
    assert found.log_loss == pytest.approx(oracle.log_loss(labels, scores))
    assert found.coverage == 1.0


def test_each_version_is_judged_on_its_own_rows(logged):
    tables, scores, labels = round_of(logged)
    everything = joined(tables, at=START + 1000 * HOUR)
    _, first, second = live_metrics(
        everything, start_us=START, end_us=START + 1000 * HOUR, by=["version"]
    )
    assert (first.group, second.group) == ({"version": 1}, {"version": 2})
    expected = oracle.roc_auc_score(labels[::2], scores[::2])
    assert first.auc.value == pytest.approx(expected, abs=1e-12)


def test_immature_predictions_count_neither_for_coverage_nor_for_metrics(logged):
    tables, *_ = round_of(logged, 100)
    found = live_metrics(
        joined(tables, at=START + 60 * HOUR), start_us=START, end_us=START + DAY * 9
    )[0]
    assert (found.predictions, found.matured, found.labelled) == (100, 37, 37)


def test_coverage_is_the_share_of_matured_predictions_with_a_label(logged):
    tables, *_ = round_of(logged, 100, missing=range(0, 100, 4))
    found = live_metrics(
        joined(tables, at=START + 900 * HOUR), start_us=START, end_us=START + DAY * 9
    )[0]
    assert found.coverage == 0.75


def test_late_labels_amend_old_windows(logged):
    tables, *_ = round_of(logged, 10, delay=2 * DAY)
    window = {"start_us": START, "end_us": START + DAY}
    before = live_metrics(joined(tables, at=START + 2 * DAY), **window)[0]
    after = live_metrics(joined(tables, at=START + 9 * DAY), **window)[0]
    assert (before.labelled, after.labelled, after.late) == (1, 10, 10)


def test_a_trailing_window_ends_at_the_instant(logged):
    tables, *_ = round_of(logged, 100)
    found = trailing(joined(tables, at=START + 99 * HOUR), window_us=DAY)[0]
    assert (found.predictions, found.start_us) == (24, START + 75 * HOUR)


def test_the_delay_of_labels_is_measured(logged):
    tables, *_ = round_of(logged, 50, delay=HOUR)
    found = live_metrics(
        joined(tables, at=START + 900 * HOUR), start_us=START, end_us=START + DAY * 9
    )[0]
    assert (found.delay.median_s, found.delay.p99_s) == (3600.0, 3600.0)


def test_an_empty_window_has_no_metrics_and_no_coverage(logged):
    tables, *_ = round_of(logged, 10)
    found = live_metrics(joined(tables, at=START), start_us=0, end_us=1)
    assert (found[0].predictions, found[0].coverage, found[0].auc) == (0, None, None)
    assert len(found) == 1


def test_a_window_of_one_class_has_no_auc(logged):
    tables, *_ = round_of(logged, 3, missing=range(3))
    found = live_metrics(joined(tables, at=START + 900 * HOUR), start_us=START, end_us=START + DAY)
    assert found[0].auc is None


def test_the_repr_says_who_when_and_how_good(logged):
    tables, *_ = round_of(logged, 100)
    found = live_metrics(
        joined(tables, at=START + 900 * HOUR),
        start_us=START,
        end_us=START + 7 * DAY,
        by=["version"],
    )
    assert repr(found[1]).startswith("LiveMetrics(version 1, 2013-04-01 to 2013-04-08: AUC 0.")


def test_where_one_group_is_judged_the_others_are_only_counted(logged):
    tables, _, _ = round_of(logged)
    everything = joined(tables, at=START + 1000 * HOUR)
    window = {"start_us": START, "end_us": START + 1000 * HOUR, "by": ["version"]}
    whole = live_metrics(everything, **window)
    overall, first, second = live_metrics(everything, **window, judged={"version": 2})
    assert second == whole[2]
    for counted, full in ((overall, whole[0]), (first, whole[1])):
        assert (counted.auc, counted.brier, counted.delay) == (None, None, None)
        assert (counted.coverage, counted.labelled) == (full.coverage, full.labelled)
