from tondo.faces.scorer.metrics import BUCKETS_US, Metrics, RouteMetrics


def test_the_text_counts_by_status_and_bucket():
    metrics = Metrics()
    route = metrics.route("late", "rows")
    route.count([200, 200, 400], 200_000, predictions=5)
    route.count([200], 10**12)
    text = metrics.text({"tondo_plan_number": 7})
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
    assert route.variants[""].buckets[0] == 1


def test_a_route_keeps_its_counts_across_plans():
    metrics = Metrics()
    metrics.route("late", "rows").count([200], 1)
    assert metrics.route("late", "rows").requests == 1
    assert metrics.totals() == {
        "late/rows": {"requests": 1, "predictions": 0, "shed": 0, "errors": 0}
    }


def test_an_answer_that_was_not_kept_is_counted_as_the_error_it_became():
    route = Metrics().route("late", "rows")
    route.count([200], 1)
    route.correct(200, 503)
    assert route.variants[""].statuses == {200: 0, 503: 1}


def test_variants_are_counted_apart():
    metrics = Metrics()
    route = metrics.route("late", "rows")
    route.count([200, 200], 1, 2, "live")
    route.count([500], 1, 0, "candidate")
    text = metrics.text({})
    labels = 'deployment="late",protocol="rows"'
    assert f'tondo_requests_total{{{labels},variant="live",status="200"}} 2' in text
    assert f'tondo_requests_total{{{labels},variant="candidate",status="500"}} 1' in text
    assert (route.requests, route.errors, route.predictions) == (3, 1, 2)


def test_one_long_batch_is_not_a_slow_model_and_many_are():
    counts = RouteMetrics()
    for _ in range(50):
        counts.spent(80_000, 1)
    counts.spent(50_000_000, 1)  # the process had to wait for the processor
    assert counts.cost_ns < 150_000
    for _ in range(80):
        counts.spent(50_000_000, 1)
    assert counts.cost_ns > 40_000_000
