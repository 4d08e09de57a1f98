"""The first page of a project whose months nobody closed yet."""

from __future__ import annotations

import msgspec
import pytest
from sklearn.metrics import roc_auc_score

from tondo.workspace.months import MonthRecord, closed_months, months_between
from tondo.workspace.open_months import OpenMonthsReader
from tondo.workspace.pages import MonthPoint, TrafficPoint


def test_a_live_project_shows_its_present_month(live):
    live.day("2026-03-02")
    live.day("2026-03-03")
    live.until("2026-03-05T00:00:00Z")
    overview = live.overview()
    (month,) = overview.months
    assert (month.month, month.rows, month.requests, month.is_open) == ("2026-03", 80, 2, True)
    assert month.coverage == 1.0
    assert overview.loop.predictions == 80
    assert overview.loop.outcomes == 80
    assert [(each.day, each.predictions) for each in overview.traffic] == [
        ("2026-03-02", 40),
        ("2026-03-03", 40),
    ]


def test_the_open_months_auc_is_scikit_learns(live):
    live.day("2026-03-02")
    live.until("2026-03-05T00:00:00Z")
    joined = live.workspace.monitoring.joined("buys", start_us=0, end_us=live.clock.now_us())
    rows = joined.table.to_pydict()
    (month,) = live.overview().months
    assert month.auc == pytest.approx(roc_auc_score(rows["label"], rows["score"]), abs=1e-12)


def test_what_has_not_matured_is_not_held_against_coverage(live):
    live.day("2026-03-02")
    live.day("2026-03-03", labelled=False)
    live.until("2026-03-03T12:00:00Z")
    (month,) = live.overview().months
    assert (month.rows, month.labelled, month.coverage) == (80, 40, 1.0)


def test_open_months_follow_the_closed_ones_and_no_row_counts_twice(live):
    live.day("2026-03-20")
    live.day("2026-04-02")
    live.until("2026-04-15T00:00:00Z")
    live.workspace.monitoring.watch("buys")
    overview = live.overview()
    assert [(each.month, each.is_open) for each in overview.months] == [
        ("2026-03", False),
        ("2026-04", True),
    ]
    assert overview.loop.predictions == 80


def test_a_month_is_closed_a_week_after_its_last_outcome_may_have_come(live):
    live.day("2026-03-20")
    live.until("2026-04-08T23:00:00Z")
    live.workspace.monitoring.watch("buys")
    assert closed_months(live.parts, "buys") == []
    live.until("2026-04-09T01:00:00Z")
    live.workspace.monitoring.watch("buys")
    assert [each.month for each in closed_months(live.parts, "buys")] == ["2026-03"]


def test_watching_again_measures_nothing_again(live):
    live.day("2026-03-20")
    live.until("2026-04-15T00:00:00Z")
    live.workspace.monitoring.watch("buys")
    kept = closed_months(live.parts, "buys")
    live.until("2026-04-16T00:00:00Z")
    live.workspace.monitoring.watch("buys")
    assert closed_months(live.parts, "buys") == kept


def test_months_that_nobody_closed_are_named_when_they_are_too_old_to_show(live):
    live.day("2026-03-20")
    live.day("2026-08-03")
    live.until("2026-08-10T00:00:00Z")
    overview = live.overview()
    assert [each.month for each in overview.months] == ["2026-08"]
    assert "Predictions of buys before 2026-06-01 are not measured yet" in overview.notes[0]


def test_the_newest_predictions_of_a_live_project_can_be_followed(live):
    live.day("2026-03-02")
    newest = live.day("2026-03-03")
    live.until("2026-03-05T00:00:00Z")
    assert live.overview().predictions == newest[:3]


def test_without_predictions_there_is_no_month(live):
    overview = live.overview()
    assert (overview.months, overview.traffic, overview.loop.predictions) == ([], [], 0)


def test_the_overview_writes_nothing(live):
    live.day("2026-03-02")
    live.until("2026-06-05T00:00:00Z")
    before = live.parts.ledger.count("live_month")
    live.overview()
    assert live.parts.ledger.count("live_month") == before == 0


def test_a_reader_that_took_long_shows_the_same_for_a_while(live, monkeypatch):
    monkeypatch.setattr("tondo.workspace.open_months._QUICK_S", 0.0)
    reader = OpenMonthsReader(live.parts)
    live.day("2026-03-02")
    live.until("2026-03-05T00:00:00Z")
    first = reader.read("buys", [], now_us=live.clock.now_us())
    live.day("2026-03-04")
    assert reader.read("buys", [], now_us=live.clock.now_us()) is first


def test_months_are_whole_after_the_first():
    start, end = 1_364_774_400_000_001, 1_370_131_200_000_000
    months = months_between(start, end)
    assert [each.name for each in months] == ["2013-04", "2013-05", "2013-06"]
    assert months[0].start_us == start
    assert [each.start_us for each in months[1:]] == [each.end_us for each in months[:-1]]
    assert months_between(end, end) == []


def test_a_record_kept_before_ends_were_kept_ends_after_its_last_day():
    point = MonthPoint(month="2013-12", version=1, auc=None)
    traffic = [TrafficPoint(day="2014-01-01", version=1, predictions=3)]
    body = msgspec.to_builtins(
        MonthRecord(deployment="late", month="2013-12", point=point, traffic=traffic)
    )
    del body["end_us"]
    assert msgspec.convert(body, MonthRecord).until_us == 1_388_620_800_000_000  # 2 January
