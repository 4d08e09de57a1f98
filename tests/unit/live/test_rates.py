"""Rates, errors and quantiles from two looks at counters, against a plain count of requests."""

from __future__ import annotations

import math
import random
from bisect import bisect_left

import pytest

from tondo.faces.scorer.exposition import exposition
from tondo.faces.scorer.metrics import BUCKETS_US, Metrics
from tondo.workspace.live.exposition import samples
from tondo.workspace.live.rates import Counts, Reading, counted, quantile, rates

ARM = ("late", "")
ONE = "http://127.0.0.1:1"
OTHER = "http://127.0.0.1:2"


def look(at_s=0.0, **counts):
    return Reading(at_s, {ARM: Counts(**counts)})


def test_what_a_scorer_shows_is_read_back():
    metrics = Metrics()
    metrics.route("late", "rows").count([200, 200, 422], 300_000, 2)
    metrics.route("late", "v2").count([503], 2_000_000)
    found = counted(samples(exposition(metrics.tally(), {"tondo_plan_number": 3})))
    (arm,) = found.values()
    assert (arm.requests, arm.errors, arm.refused) == (4, 1, 1)
    assert arm.buckets[0.0005] == 3
    assert arm.buckets[math.inf] == 4


def test_variants_are_told_apart_where_the_scorer_does():
    text = 'tondo_requests_total{deployment="late",variant="live",status="200"} 7\n'
    assert counted(samples(text))["late", "live"].requests == 7


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# HELP a b",
        "tondo_requests_total",
        "tondo_requests_total{deployment=late} x",
        'tondo_requests_total{deployment="late',
        'tondo_requests_total{deployment="late"} NaN',
        'tondo_request_seconds_bucket{deployment="late",le="wide"} 3',
    ],
)
def test_a_line_that_is_none_harms_nothing(line):
    sane = 'tondo_requests_total{deployment="late",status="200"} 1'
    assert counted(samples(f"{line}\n{sane}\n"))["late", ""].requests == 1


def test_escaped_labels_are_read():
    (found,) = samples(r'up{a="x\"y\\z\n",b="{},= "} 2')
    assert found.labels == {"a": 'x"y\\z\n', "b": "{},= "}


def test_rates_are_of_the_time_between():
    before = {ONE: look(requests=100, errors=1)}
    now = {ONE: look(2.0, requests=150, errors=4, refused=5)}
    (found,) = rates(now, before, before)
    assert (found.requests_s, found.errors_s, found.refused_s) == (25.0, 1.5, 2.5)
    assert (found.requests, found.errors) == (150, 4)


def test_shed_requests_are_told_beside_the_others():
    text = 'tondo_shed_total{deployment="late",protocol="rows"} %d\n'

    def shed(at_s, number):
        return {ONE: Reading(at_s, counted(samples(text % number)))}

    (found,) = rates(shed(2.0, 10), shed(0.0, 4), None)
    assert (found.variant, found.shed_s, found.shed, found.requests_s) == ("", 3.0, 10, 0.0)
    (anew,) = rates(shed(3.0, 1), shed(2.0, 10), None)
    assert anew.shed_s == 1.0


def test_a_scorer_that_answers_late_is_measured_over_its_own_time():
    before = {ONE: look(0.0, requests=0), OTHER: look(0.0, requests=0)}
    now = {ONE: look(1.0, requests=10), OTHER: look(4.0, requests=40)}
    (found,) = rates(now, before, before)
    assert found.requests_s == 20.0


def test_a_scorer_that_is_seen_later_makes_no_jump():
    before = {ONE: look(requests=100)}
    now = {ONE: look(1.0, requests=110), OTHER: look(1.0, requests=1_000_000)}
    (found,) = rates(now, before, before)
    assert found.requests_s == 10.0
    assert found.requests == 1_000_110


def test_a_counter_that_began_anew_counts_whole():
    (found,) = rates({ONE: look(1.0, requests=3)}, {ONE: look(requests=100)}, None)
    assert found.requests_s == 3.0


def test_one_look_tells_totals_only():
    (found,) = rates({ONE: look(requests=3)}, None, None)
    assert (found.requests_s, found.p50_us, found.requests) == (None, None, 3)


@pytest.mark.parametrize("seed", range(20))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(seed):
    made = random.Random(seed)
    times = [made.lognormvariate(-7, 1.5) for _ in range(made.randint(1, 500))]
    bounds = [each / 1e6 for each in BUCKETS_US]
    cumulative = {bound: sum(each <= bound for each in times) for bound in bounds}
    cumulative[math.inf] = len(times)
    for share in (0.5, 0.99):
        true = sorted(times)[max(math.ceil(share * len(times)) - 1, 0)]
        place = bisect_left(bounds, true)
        low = bounds[place - 1] if place else 0.0
        high = bounds[place] if place < len(bounds) else bounds[-1]
        assert min(low, high) <= quantile(cumulative, share) <= high


def test_no_request_has_no_quantile():
    assert quantile({}, 0.5) is None
    assert quantile({0.1: 0, math.inf: 0}, 0.5) is None
