"""The verdicts that TFDV gave of random cases, replayed without it: equal, or a named reason."""

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERDICTS = Path(__file__).with_name("data") / "tfdv_verdicts.json"


@pytest.fixture(scope="module")
def recorded():
    return json.loads(VERDICTS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def harness():
    """The harness of benchmarks/, which is no installed package."""
    sys.path.insert(0, str(ROOT))
    try:
        from benchmarks.tfdv_agreement import cases, ours, recorded
    finally:
        sys.path.remove(str(ROOT))
    return cases, ours, recorded


@pytest.fixture(scope="module")
def asked(harness, recorded):
    cases, _, _ = harness
    return list(cases.cases(len(recorded["answers"]), seed=recorded["seed"]))


def test_the_cases_are_those_that_were_recorded(harness, recorded, asked):
    _, _, records = harness
    assert records.digest(asked) == recorded["cases"], f"record again: {recorded['made_by']}"


def test_every_verdict_is_tfdvs_or_differs_for_a_named_reason(harness, recorded, asked):
    _, ours, records = harness
    answering = ours.Ours()
    found = [
        records.compared(case, answering.answer(case), answer)
        for case, answer in zip(asked, recorded["answers"], strict=True)
    ]
    answering.close()
    assert [
        (each.case["case"], difference)
        for each in found
        for difference, reason in each.parted
        if reason is None
    ] == []
    reasons = Counter(reason.name for each in found for _, reason in each.parted)
    # A reason that explained everything would explain nothing.
    questions = sum(each.questions for each in found)
    assert 0 < sum(reasons.values()) < 0.1 * questions


def test_a_wrong_verdict_is_explained_by_nothing(harness, recorded, asked):
    _, ours, records = harness
    answering = ours.Ours()
    wrong = Counter()
    for case, answer in zip(asked, recorded["answers"], strict=True):
        if case["family"] != "rows" or sum(wrong.values()) == 20:
            continue
        mine = answering.answer(case)
        mine["anomalies"] = [*mine["anomalies"], ["a", "UNEXPECTED_DATA_TYPE"]]
        parted = records.compared(case, mine, answer).parted
        wrong[parted[-1][1]] += 1
    answering.close()
    assert set(wrong) == {None}


def _wrong_numbers(column):
    """Our statistics of a column, each time with one of them a little wrong."""
    low, high, mean = column["min"], column["max"], column["mean"]
    yield column | {"mean": mean + 1e-6 * max(high - low, abs(mean), 1)}
    yield column | {"median": high + 1}
    yield column | {"quantiles": [low - 1, *column["quantiles"][1:]]}
    (first, edge, count), *others = column["standard"]
    yield column | {"standard": [[first, edge, count + 1], *others]}
    yield column | {
        "standard": [[first, edge + 1e-6 * max(high - low, abs(edge), 1), count], *others]
    }


def test_a_statistic_that_is_a_little_wrong_is_explained_by_nothing(harness, recorded, asked):
    _, ours, records = harness
    answering = ours.Ours()
    missed, tried = [], 0
    for case, answer in zip(asked, recorded["answers"], strict=True):
        if case["family"] != "statistics" or "failed" in answer:
            continue
        mine = answering.answer(case)
        for name, column in mine["columns"].items():
            if column.get("min") is None or column["infinite"]:
                continue
            for wrong in _wrong_numbers(column):
                changed = mine | {"columns": mine["columns"] | {name: wrong}}
                parted = records.compared(case, changed, answer).parted
                tried += 1
                if not any(each.column == name and reason is None for each, reason in parted):
                    missed.append((case["case"], name))
    answering.close()
    assert missed == []
    assert tried > 50


def test_every_reason_is_explained_on_the_page():
    sys.path.insert(0, str(ROOT))
    try:
        from benchmarks.tfdv_agreement.reasons import REASONS
    finally:
        sys.path.remove(str(ROOT))
    page = (ROOT / "docs" / "reference" / "tfdv-agreement.md").read_text(encoding="utf-8")
    assert [each.name for each in REASONS if f"| {each.name} | {each.why}" not in page] == []
