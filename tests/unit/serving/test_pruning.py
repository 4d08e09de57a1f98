"""Raw logs that are old: what was imported or compared goes, nothing else does."""

import pytest

from tondo.stages.serving.answers import answers_of
from tondo.workspace.bootstrap import open_workspace

DAY_US = 86_400_000_000
PREDICTIONS = "predictions/buys"


def segments(shop, stream):
    return [each.name for each in shop.parts.eventlog.segments(stream)]


def later(shop, days):
    shop.clock.set_us(shop.clock.now_us() + days * DAY_US)


def use(shop):
    """Let somebody use the project, so that its own time goes on; every writer's segment ends."""
    shop.workspace.close()
    shop.workspace = open_workspace(shop.folder, clock=shop.clock)
    shop.parts = shop.workspace.parts
    shop.workspace.registry.tag("buys", "seen", "1")
    shop.workspace.registry.tag("buys", "seen", "2")


def prune(shop, **how):
    return {each.stream: each for each in shop.workspace.monitoring.prune_logs(**how)}


def old_and_imported(shop, days=500):
    use(shop)
    prune(shop)
    later(shop, days)
    use(shop)


def test_old_predictions_that_were_imported_lose_their_raw_log_alone(shop):
    asked = shop.ask(shop.rows[:1])
    old_and_imported(shop)
    assert prune(shop)[PREDICTIONS].segments == 1
    assert segments(shop, PREDICTIONS) == []
    assert shop.parts.predictions("buys").read().num_rows == len(asked)
    assert shop.workspace.monitoring.prediction(asked[0].id).score == asked[0].score


def test_what_is_not_imported_stays_and_goes_the_next_time(shop):
    shop.ask(shop.rows[:1])
    later(shop, 500)
    use(shop)
    assert prune(shop)[PREDICTIONS].kept == 1
    assert len(segments(shop, PREDICTIONS)) == 1
    assert prune(shop)[PREDICTIONS].segments == 1


def test_what_is_younger_than_the_setting_stays(shop):
    shop.ask(shop.rows[:1])
    old_and_imported(shop, days=390)
    assert prune(shop)[PREDICTIONS].kept == 1
    assert len(segments(shop, PREDICTIONS)) == 1


@pytest.mark.parametrize("days", ["0", "-1"])
def test_a_setting_of_no_days_keeps_everything(shop, days, monkeypatch):
    monkeypatch.setenv("TONDO_LOG_DAYS", days)
    shop.ask(shop.rows[:1])
    old_and_imported(shop)
    assert prune(shop) == {}
    assert len(segments(shop, PREDICTIONS)) == 1


def test_a_dry_run_tells_and_removes_nothing(shop):
    shop.ask(shop.rows[:1])
    old_and_imported(shop)
    assert prune(shop, dry_run=True)[PREDICTIONS].segments == 1
    assert len(segments(shop, PREDICTIONS)) == 1


def test_a_blob_that_is_gone_keeps_the_raw_log(shop):
    shop.ask(shop.rows[:1])
    old_and_imported(shop)
    (imported,) = shop.parts.predictions("buys").compacted().values()
    shop.parts.blobs.delete(imported.blob)
    assert prune(shop)[PREDICTIONS].kept == 1


def test_a_shadow_that_has_not_read_them_keeps_predictions(shop):
    shop.ask(shop.rows[:1])
    shop.workspace.shadows.start("buys", "2", since="2026-01-01T00:00:00Z")
    old_and_imported(shop)
    assert prune(shop)[PREDICTIONS].kept == 1
    shop.workspace.shadows.run("buys", "2")
    assert prune(shop)[PREDICTIONS].segments == 1


def test_a_rollout_under_way_keeps_what_it_measures(shop):
    shop.workspace.rollouts.start("buys", "2", no_shadow=True)
    shop.ask(shop.rows[:1])
    old_and_imported(shop)
    assert prune(shop)[PREDICTIONS].segments == 0
    shop.workspace.rollouts.abort("buys")
    assert prune(shop)[PREDICTIONS].segments > 0


def test_a_shadows_answers_go_once_they_were_compared_and_its_place_stays(shop):
    stream = answers_of("shadow", "buys", "v2")
    shop.workspace.shadows.start("buys", "2")
    for _ in range(2):
        shop.ask(shop.rows[:5])
        shop.workspace.shadows.run("buys", "2")
    later(shop, 500)
    use(shop)
    assert prune(shop)[stream].kept == 2
    shop.workspace.shadows.report("buys", "2")
    assert (prune(shop)[stream].segments, len(segments(shop, stream))) == (1, 1)
    assert shop.workspace.shadows.run("buys", "2").requests == 0


def test_a_replays_answers_go_and_its_report_stays(shop):
    shop.ask(shop.rows[:5])
    kept = shop.workspace.replays.run(
        "buys", "2", start="2026-01-01T00:00:00Z", end="2027-01-01T00:00:00Z"
    )
    stream = answers_of("replay", "buys", kept.id)
    use(shop)
    assert stream not in prune(shop)
    later(shop, 500)
    use(shop)
    assert prune(shop)[stream].segments == 1
    assert shop.workspace.replays.reports("buys")[0].comparison == kept.comparison


def test_a_streams_answers_go_once_imported_and_are_told_as_before(shop):
    stream = answers_of("stream", "buys", "visits")
    for half in (slice(0, 3), slice(3, 6)):
        rows = [{"id": f"e{each['pages']:g}", "row": each} for each in shop.rows[half]]
        shop.workspace.streams.push("visits", rows)
        shop.workspace.streams.run("buys", source="visits")
    before = shop.workspace.streams.answers("buys", source="visits")
    old_and_imported(shop)
    assert (prune(shop)[stream].segments, len(segments(shop, stream))) == (1, 1)
    assert shop.workspace.streams.answers("buys", source="visits") == before
    assert shop.workspace.monitoring.prediction("e0").score == before[0].score
    assert shop.workspace.streams.run("buys", source="visits").requests == 0


def test_dead_letters_keep_the_answers_beside_them(shop):
    stream = answers_of("stream", "buys", "visits")
    shop.workspace.streams.push("visits", [{"id": "bad", "row": {}}])
    shop.workspace.streams.push("visits", [{"id": "good", "row": shop.rows[0]}])
    shop.workspace.streams.run("buys", source="visits")
    shop.workspace.streams.push("visits", [{"id": "next", "row": shop.rows[1]}])
    shop.workspace.streams.run("buys", source="visits")
    old_and_imported(shop)
    assert prune(shop)[stream].segments == 0
    assert [each.prediction_id for each in shop.workspace.streams.dead_letters(
        "buys", source="visits")] == ["bad"]  # fmt: skip


def test_a_project_at_rest_does_not_age(shop):
    shop.ask(shop.rows[:1])
    use(shop)
    prune(shop)
    later(shop, 5_000)
    assert prune(shop)[PREDICTIONS].kept == 1
