from tondo.faces.scorer.cells import Cells
from tondo.faces.scorer.exposition import exposition
from tondo.faces.scorer.metrics import BUCKETS_US, FIRST_BUCKET, Metrics, RouteMetrics, totals


def statuses(metrics):
    return {key[-1]: values[0] for key, values in metrics.tally().items() if key[0] == "status"}


def test_the_text_counts_by_status_and_bucket():
    metrics = Metrics()
    route = metrics.route("late", "rows")
    route.count([200, 200, 400], 200_000, predictions=5)
    route.count([200], 10**12)
    text = exposition(metrics.tally(), {"tondo_plan_number": 7})
    labels = 'deployment="late",protocol="rows",variant=""'
    assert f'tondo_requests_total{{{labels},status="200"}} 3' in text
    assert f"tondo_predictions_total{{{labels}}} 5" in text
    assert f'tondo_request_seconds_bucket{{{labels},le="0.0001"}} 0' in text
    assert f'tondo_request_seconds_bucket{{{labels},le="0.00025"}} 3' in text
    assert f'tondo_request_seconds_bucket{{{labels},le="+Inf"}} 4' in text
    assert "tondo_plan_number 7" in text


def test_a_bound_belongs_to_its_bucket():
    route = Metrics().route("late", "rows")
    route.count([200], BUCKETS_US[0] * 1000)
    assert route.variants[""].cells[FIRST_BUCKET] == 1


def test_a_route_keeps_its_counts_across_plans():
    metrics = Metrics()
    metrics.route("late", "rows").count([200], 1)
    metrics.route("late", "rows").count([200], 1)
    assert totals(metrics.tally()) == {
        "late/rows": {"requests": 2, "predictions": 0, "shed": 0, "errors": 0}
    }


def test_an_answer_that_was_not_kept_is_counted_as_the_error_it_became():
    metrics = Metrics()
    route = metrics.route("late", "rows")
    route.count([200, 200], 1)
    route.correct(200, 503)
    route.correct(200, 503)
    assert statuses(metrics) == {"200": 2, "503": 2}  # no counter falls
    route.count([200], 1)
    route.count([200, 200], 1)
    route.count([200], 1)
    assert statuses(metrics) == {"200": 4, "503": 2}


def test_variants_are_counted_apart():
    metrics = Metrics()
    route = metrics.route("late", "rows")
    route.count([200, 200], 1, 2, "live")
    route.count([500], 1, 0, "candidate")
    text = exposition(metrics.tally(), {})
    labels = 'deployment="late",protocol="rows"'
    assert f'tondo_requests_total{{{labels},variant="live",status="200"}} 2' in text
    assert f'tondo_requests_total{{{labels},variant="candidate",status="500"}} 1' in text
    (total,) = totals(metrics.tally()).values()
    assert (total["requests"], total["errors"], route.predictions) == (3, 1, 2)


def test_refused_ones_are_counted_by_deployment():
    metrics = Metrics()
    metrics.route("late", "rows").count_shed(2)
    metrics.route("late", "rows").count_shed()
    text = exposition(metrics.tally(), {})
    assert 'tondo_shed_total{deployment="late",protocol="rows"} 3\n' in text
    assert totals(metrics.tally())["late/rows"]["shed"] == 3


def test_gauges_of_workers_are_told_apart_and_declared_once():
    text = exposition({}, {"tondo_workers": 2}, {7: {"lag": 0.5}, 8: {"lag": 1.5, "other": 1}})
    lines = text.splitlines()[-6:]
    assert lines == [
        "tondo_workers 2",
        "# TYPE lag gauge",
        'lag{worker="7"} 0.5',
        'lag{worker="8"} 1.5',
        "# TYPE other gauge",
        'other{worker="8"} 1',
    ]


def test_names_with_any_signs_are_escaped():
    metrics = Metrics(Cells())
    metrics.route('a"b\\c\n', "rows").count([200], 1, 1, "\N{SNOWMAN}")
    text = exposition(metrics.tally(), {})
    assert 'deployment="a\\"b\\\\c\\n",protocol="rows",variant="\N{SNOWMAN}"' in text


def test_one_long_batch_is_not_a_slow_model_and_many_are():
    counts = RouteMetrics()
    for _ in range(50):
        counts.spent(80_000, 1)
    counts.spent(50_000_000, 1)  # the process had to wait for the processor
    assert counts.cost_ns < 150_000
    for _ in range(80):
        counts.spent(50_000_000, 1)
    assert counts.cost_ns > 40_000_000
