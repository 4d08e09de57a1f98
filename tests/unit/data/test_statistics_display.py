"""Statistics in a terminal and in a notebook: whole, aligned, harmless."""

from __future__ import annotations

import re

import pytest

from tondo.stages.data import display, statistics_display
from tondo.stages.data.statistics import ColumnStatistics, Lengths, Statistics

NUMBERS = ColumnStatistics(
    type="double",
    rows=1000,
    missing=28,
    distinct=577,
    mean=6.895,
    sd=44.6332,
    min=-86.0,
    max=1272.0,
    quantiles={"0.50": -5.0},
    histogram=((-86.0, 593.0, 960), (593.0, 1272.0, 12)),
)
TEXTS = ColumnStatistics(
    type="string",
    rows=1000,
    missing=0,
    distinct=2,
    top=(("UA", 600), ("\x1b[31mred", 400)),
    length=Lengths(min=2, max=8, mean=4.4),
)
TIMES = ColumnStatistics(
    type="timestamp",
    rows=1000,
    missing=0,
    distinct=9,
    min=1364774400000000,
    max=1364778000000000,
    histogram=((1364774400000000, 1364778000000000, 1000),),
)
LISTS = ColumnStatistics(
    type="list<string>",
    rows=1000,
    missing=0,
    length=Lengths(min=0, max=3, mean=1.0),
    items=ColumnStatistics(type="string", rows=1000, missing=0, distinct=1, top=(("a", 1000),)),
)
EMPTY = ColumnStatistics(type="double", rows=0, missing=0, distinct=0)
ALL = Statistics(
    rows=1000,
    columns={"delay": NUMBERS, "x" * 80: TEXTS, "when": TIMES, "tags": LISTS, "none": EMPTY},
)


@pytest.mark.parametrize("width", [20, 60, 80, 100, 160, 240])
def test_no_line_is_longer_than_the_terminal(width):
    lines = statistics_display.text(ALL, width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) == 2 + len(ALL.columns)


def test_a_wide_terminal_shows_mean_spread_and_median():
    text = statistics_display.text(ALL, width=160)
    assert "-86 to 1272  mean 6.895  sd 44.63  median -5" in text
    assert "2.8 %" in text


def test_a_narrow_terminal_shows_days_and_the_commonest_values():
    text = statistics_display.text(ALL, width=100)
    assert "2013-04-01" in text
    assert "UA 60.0 %" in text
    assert "mean" not in text


def test_figures_stand_under_each_other():
    other = ColumnStatistics(
        type="id", rows=9, missing=0, distinct=1, min=7, max=7, mean=7.0, sd=0.0
    )
    both = Statistics(rows=9, columns={"a": NUMBERS, "b": other})
    lines = statistics_display.text(both, width=160).splitlines()[2:]
    for word in (" to ", "  mean ", "  sd "):
        assert lines[0].index(word) == lines[1].index(word)


def test_values_cannot_steer_the_terminal():
    assert "\x1b" not in statistics_display.text(ALL, width=200)


def test_a_notebook_gets_a_row_a_column_with_its_picture():
    html = statistics_display.html(ALL)
    assert html.count("<tr>") == 1 + len(ALL.columns)
    assert 'aria-label="960, 12"' in html
    assert "<td>0 to 3 items</td>" in html
    assert '<td style="text-align:right">44.63</td>' in html


def test_a_small_count_is_still_a_bar():
    heights = re.findall(r'height="([\d.]+)"/>', display.bars([100_000, 1, 0]))
    assert [float(each) for each in heights] == [22, 1, 0]
