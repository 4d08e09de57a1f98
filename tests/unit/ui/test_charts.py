"""Charts are geometry: values in, places out."""

from __future__ import annotations

import itertools
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tondo.faces.ui.charts.drift import LIMIT_AT, drift_bars
from tondo.faces.ui.charts.quality import quality_chart
from tondo.faces.ui.charts.ring import STATIONS, ring
from tondo.faces.ui.charts.scale import nice_range
from tondo.faces.ui.charts.steps import execution_bars
from tondo.faces.ui.charts.traffic import WIDEST, traffic_chart
from tondo.workspace.pages import DriftRow, LoopCounts, MonthPoint, TrafficPoint


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.integers(2, 8))
def test_a_range_holds_every_value_and_is_cut_in_few(values, most):
    low, high, step = nice_range(values, most=most)
    slack = 1e-6 * max(abs(low), abs(high), 1.0)
    assert low - slack <= min(values)
    assert max(values) <= high + slack
    assert (high - low) / step <= most + 2 + 1e-6


def test_the_ring_has_a_bead_for_each_station_and_greys_the_empty_ones():
    stations = ring(LoopCounts(snapshots=3, predictions=255_987))
    assert [each.name for each in stations] == [name for name, _, _ in STATIONS]
    assert [each.name for each in stations if each.reached] == ["Data", "Predictions"]
    assert stations[5].count == "256k"


def test_the_ring_goes_round_clockwise_from_the_top():
    stations = ring(LoopCounts())
    assert (stations[0].x, stations[0].y) == (0.0, -158.0)
    assert stations[2].x > 0
    assert stations[4].y > 0


@pytest.mark.parametrize("width", [960.0, 350.0])
def test_quality_lies_on_the_canvas_and_better_is_higher(painted, width):
    overview = painted.full_overview()
    chart = quality_chart(overview.months, overview.promotions, width=width, height=360)
    assert len(chart.marks) == 9
    assert len(chart.flags) == 9
    assert all(chart.top <= mark.y <= chart.floor for mark in chart.marks)
    assert all(mark.y < mark.static_y for mark in chart.marks[1:])
    assert all(chart.left <= mark.tip_x <= chart.right - mark.tip_width for mark in chart.marks)


def test_flags_that_would_cover_each_other_are_not_named(painted):
    overview = painted.full_overview()
    chart = quality_chart(overview.months, overview.promotions, width=350, height=300)
    named = [flag.x for flag in chart.flags if flag.named]
    assert len(named) < len(chart.flags)
    assert min(after - before for before, after in itertools.pairwise(named)) >= 34


def test_a_month_without_outcomes_breaks_the_line():
    known = [MonthPoint(month=f"2013-0{at}", version=1, auc=0.7) for at in (4, 6, 7)]
    months = [known[0], MonthPoint(month="2013-05", version=1, auc=None), *known[1:]]
    chart = quality_chart(months, [], width=960, height=360)
    assert re.findall("[ML]", chart.live_line) == ["M", "M", "L"]
    assert chart.marks[1].y is None


def test_without_outcomes_there_is_no_chart():
    assert (
        quality_chart([MonthPoint(month="2013-04", version=1, auc=None)], [], width=9, height=9)
        is None
    )
    assert quality_chart([], [], width=960, height=360) is None


def test_bars_of_traffic_add_up_and_stay_on_the_canvas(painted):
    points = painted.full_overview().traffic
    chart = traffic_chart(points, width=960, height=190)
    assert chart.unit == "day"
    assert len(chart.periods) == 275
    for period in chart.periods:
        assert min(bar.y for bar in period.bars) >= chart.top
        assert max(bar.y + bar.height for bar in period.bars) == pytest.approx(chart.floor, abs=0.2)


def test_on_a_phone_days_become_weeks(painted):
    chart = traffic_chart(painted.full_overview().traffic, width=350, height=170)
    assert (chart.unit, len(chart.periods)) == ("week", 40)


def test_one_day_of_traffic_is_a_chart_too():
    point = TrafficPoint(day="2013-04-01", version=1, predictions=3)
    assert len(traffic_chart([point], width=960, height=190).periods) == 1


def test_drift_at_its_limit_ends_at_the_limits_line():
    rows = [
        DriftRow(feature=name, measure="psi", value=value, limit=0.2, drifted=value > 0.2)
        for name, value in (("calm", 0.05), ("at", 0.2), ("wild", 3.0))
    ]
    bars = drift_bars(rows)
    assert [(bar.row.feature, bar.length) for bar in bars] == [
        ("wild", 100.0),
        ("at", LIMIT_AT),
        ("calm", 15.0),
    ]
    assert [bar.beyond for bar in bars] == [True, False, False]


def test_steps_follow_each_other_and_fill_the_lane(painted):
    for row in painted.executions():
        bars = execution_bars(row).bars
        assert all(after.x >= before.x for before, after in itertools.pairwise(bars))
        assert all(bar.x + bar.width <= 100.01 for bar in bars)


def open_months():
    known = [
        MonthPoint(month=f"2025-{at}", version=1, auc=0.7, low=0.69, high=0.71) for at in (11, 12)
    ]
    return [*known, msgspec.structs.replace(known[0], month="2026-01", is_open=True)]


def test_a_month_that_still_runs_hangs_on_the_line_by_one_of_its_own():
    chart = quality_chart(open_months(), [], width=960, height=360)
    assert re.findall("[ML]", chart.live_line) == ["M", "L"]
    assert re.findall("[ML]", chart.open_line) == ["M", "L"]
    assert [mark.is_open for mark in chart.marks] == [False, False, True]
    assert chart.marks[2].label == "January 2026, so far"


def test_the_first_month_may_be_an_open_one():
    chart = quality_chart(open_months()[2:], [], width=350, height=300)
    assert (chart.live_line, chart.open_line[0]) == ("", "M")


def test_years_are_said_where_the_months_are_of_two():
    chart = quality_chart(open_months(), [], width=960, height=360)
    assert [each.label for each in chart.months] == ["Nov 2025", "Dec", "Jan 2026"]
    chart = quality_chart(open_months()[:2], [], width=960, height=360)
    assert [each.label for each in chart.months] == ["Nov", "Dec"]


@pytest.mark.parametrize(
    ("first", "labels"),
    [("2026-03-02", ["Mar", "Apr", "May"]), ("2026-03-31", ["Apr", "May"])],
)
def test_the_month_under_way_at_the_left_is_named_where_there_is_room(first, labels):
    days = [first, "2026-05-20"]
    points = [TrafficPoint(day=each, version=1, predictions=5) for each in days]
    chart = traffic_chart(points, width=350, height=170)
    assert [each.label for each in chart.labels] == labels
    assert chart.labels[0].at >= chart.left


def test_few_days_of_traffic_stand_at_the_right_in_bars_of_a_days_width():
    points = [
        TrafficPoint(day=f"2026-03-0{at}", version=1, predictions=40 * at) for at in (2, 3, 4)
    ]
    chart = traffic_chart(points, width=960, height=190)
    assert max(bar.width for each in chart.periods for bar in each.bars) == WIDEST
    assert chart.periods[-1].x + chart.periods[-1].width == chart.right
    assert [each.label for each in chart.labels] == ["19 Feb", "26 Feb"]


def test_nothing_of_a_histogram_is_lost_where_its_buckets_are_rounded():
    from tondo.core.buckets import equal_edges
    from tondo.faces.ui.charts.columns import _PARTS, _spread

    # Instants in microseconds, whose buckets begin a rounding before the parts of the picture.
    low, high = 1_357_006_998_980_006.0, 1_367_000_791_089_273.0
    edges = equal_edges(low, high, 10)
    buckets = [(edges[at], edges[at + 1], 10) for at in range(10)]
    assert sum(_spread(buckets, low, (high - low) / _PARTS)) == pytest.approx(1, abs=1e-6)
