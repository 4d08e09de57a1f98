from __future__ import annotations

import msgspec
import numpy as np
import pytest

from tondo.stages.evaluation.compare import Difference, PairedComparison, paired
from tondo.stages.evaluation.delong import interval
from tondo.stages.evaluation.gate import Verdict, inherit, judge
from tondo.stages.evaluation.report import Report, Subject
from tondo.stages.training.spec import Change, Gate, Limit


def report(rows=1000, **metrics):
    return Report(
        subject=Subject(model="late", package="p"),
        rows=rows,
        unlabelled=0,
        positives=rows // 3,
        threshold=None,
        metrics=metrics or {"auc": 0.7, "log_loss": 0.5},
        auc_interval=None,
        baseline=None,
        roc=[],
        precision_recall=[],
        calibration=[],
        histogram=[],
        slices=[],
    )


def comparison(improvement, error=0.002, rows=1000, metric="auc"):
    found = Difference(
        metric=metric,
        candidate=0.7 + improvement,
        current=0.7,
        improvement=interval(improvement, error, 0.95),
    )
    return PairedComparison(rows=rows, positives=rows // 3, differences={metric: found})


def gate(min_rows=100, change=None, **limits):
    return Gate(thresholds=limits, change=change, min_rows=min_rows)


CASES = [
    # what, gate, report, comparison, first, outcomes by check
    ("nothing asked", gate(), report(), None, False, {"min_rows": "passed"}),
    ("enough", gate(auc=Limit(min=0.65)), report(), None, False, {"auc.min": "passed"}),
    ("met exactly", gate(auc=Limit(min=0.7)), report(), None, False, {"auc.min": "passed"}),
    ("too low", gate(auc=Limit(min=0.71)), report(), None, False, {"auc.min": "failed"}),
    ("low enough", gate(log_loss=Limit(max=0.5)), report(), None, False, {"log_loss.max": "passed"}),
    ("too high", gate(log_loss=Limit(max=0.49)), report(), None, False, {"log_loss.max": "failed"}),
    ("both sides", gate(auc=Limit(min=0.6, max=0.65)), report(), None, False, {"auc.min": "passed", "auc.max": "failed"}),
    ("missing metric", gate(f1=Limit(min=0.0)), report(), None, False, {"f1": "failed"}),
    ("metric without value", gate(auc=Limit(min=0.0)), report(auc=None), None, False, {"auc": "failed"}),
    ("few rows", gate(min_rows=1001), report(), None, False, {"min_rows": "undecided"}),
    ("rows met exactly", gate(min_rows=1000), report(), None, False, {"min_rows": "passed"}),
    ("better", gate(change=Change(min_difference=0.0)), report(), comparison(0.01), False, {"change.auc.min_difference": "passed"}),
    ("equal is enough", gate(change=Change(min_difference=0.0)), report(), comparison(0.0), False, {"change.auc.min_difference": "passed"}),
    ("worse", gate(change=Change(min_difference=0.0)), report(), comparison(-0.001), False, {"change.auc.min_difference": "failed"}),
    ("not inferior", gate(change=Change(margin=0.005)), report(), comparison(0.0), False, {"change.auc.margin": "passed"}),
    ("undecided", gate(change=Change(margin=0.005)), report(), comparison(0.0, 0.004), False, {"change.auc.margin": "undecided"}),
    ("inferior", gate(change=Change(margin=0.005)), report(), comparison(-0.02), False, {"change.auc.margin": "failed"}),
    ("both asked", gate(change=Change(min_difference=0.0, margin=0.005)), report(), comparison(-0.0005), False, {"change.auc.min_difference": "failed", "change.auc.margin": "passed"}),
    ("nothing compared", gate(change=Change(margin=0.005)), report(), None, False, {"change.auc": "failed"}),
    ("metric not compared", gate(change=Change(metric="brier", margin=0.1)), report(), comparison(0.1), False, {"change.brier": "failed"}),
    ("the first model", gate(change=Change(margin=0.005)), report(), None, True, {"change.auc": "passed"}),
    ("the first is judged too", gate(auc=Limit(min=0.9), change=Change(margin=0.1)), report(), None, True, {"auc.min": "failed", "change.auc": "passed"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "found", "compared", "first", "outcomes"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_the_truth_table(asked, found, compared, first, outcomes):
    verdict = judge(asked, found, compared, first=first)
    given = {check.name: check.outcome for check in verdict.checks}
    assert {"min_rows": "passed", **outcomes} == given
    assert verdict.passed == all(each == "passed" for each in given.values())


def test_each_check_says_what_was_found_and_asked():
    verdict = judge(gate(auc=Limit(min=0.75)), report())
    assert verdict.checks[1].why == "auc is 0.7000, at least 0.75 is asked for."


def test_a_missing_metric_names_near_ones():
    verdict = judge(gate(log_los=Limit(max=1.0)), report())
    assert "Did you mean 'log_loss'?" in verdict.checks[1].why


def test_an_undecided_margin_says_how_many_rows_would_decide():
    verdict = judge(gate(change=Change(margin=0.005)), report(), comparison(0.0, 0.005))
    assert verdict.checks[1].why.endswith("which 1000 rows do not show. About 3900 rows would.")


def test_the_rows_asked_for_do_decide():
    few = comparison(0.0, 0.005, rows=1000)
    enough = comparison(0.0, 0.005 * np.sqrt(1000 / 3900), rows=3900)
    asked = gate(change=Change(margin=0.005))
    assert not judge(asked, report(), few).passed
    assert judge(asked, report(), enough).passed


def test_a_verdict_shows_the_reasons_against():
    verdict = judge(gate(auc=Limit(min=0.75)), report())
    assert repr(verdict) == "Verdict(refused: auc is 0.7000, at least 0.75 is asked for.)"
    assert repr(judge(gate(), report())) == "Verdict(passed)"


def test_a_verdict_reads_back_as_it_was():
    verdict = judge(gate(auc=Limit(min=0.75)), report())
    assert msgspec.convert(msgspec.to_builtins(verdict), Verdict) == verdict


def test_a_refit_takes_the_verdict_over_and_says_from_whom():
    verdict = inherit(judge(gate(), report()), run="r1")
    assert verdict.passed
    assert verdict.inherited_from == "r1"


def test_a_log_loss_that_falls_is_an_improvement():
    label = np.array([1, 0] * 500)
    better, worse = np.where(label == 1, 0.8, 0.2), np.where(label == 1, 0.6, 0.4)
    asked = gate(change=Change(metric="log_loss", min_difference=0.2))
    assert judge(asked, report(), paired(better, worse, label)).passed
    assert not judge(asked, report(), paired(worse, better, label)).passed
