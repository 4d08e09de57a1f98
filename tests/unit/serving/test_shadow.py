"""Shadows: what they score, that it is production's features, and what a report says."""

import msgspec
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from tondo.core.errors import CallerError, ConflictError, DataError, NotFoundError
from tondo.scoring import frames
from tondo.stages.serving.answers import answers_of, newest_answers, read_answers
from tondo.stages.serving.pairs import read_pairs
from tondo.stages.serving.shadow import last_report
from tondo.workspace.consuming import candidates


def frames_of(shop, version=2):
    return list(read_answers(shop.parts.eventlog, answers_of("shadow", "buys", f"v{version}")))


def pairs_of(shop, version=2):
    return read_pairs(frames_of(shop, version)).rows.to_pylist()


def shadowed(shop, version="2", **asked):
    shop.workspace.shadows.start("buys", version)
    predictions = shop.ask(**asked)
    shop.workspace.shadows.run("buys", version)
    return predictions


def test_the_live_version_as_its_own_shadow_agrees_in_every_bit(shop):
    asked = shadowed(shop, "1")
    report = shop.workspace.shadows.report("buys", "1")
    found = report.comparison
    assert (found.rows, found.compared, found.agreement) == (len(asked), len(asked), 1.0)
    assert (found.differences.equal, found.differences.ks) == (1.0, 0.0)


def test_a_candidate_scores_what_it_would_have_answered(shop):
    asked = shadowed(shop)
    found = {each["prediction_id"]: each["candidate"] for each in pairs_of(shop)}
    shop.workspace.deployment.deploy("buys", "2")
    again = shop.ask()
    assert [found[each.id] for each in asked] == [each.score for each in again]


def test_features_are_those_that_were_logged_though_the_store_has_newer_ones(shop):
    shadowed(shop, "1", rows=[])
    asked = shop.ask([{"customer": "c01", "pages": 3.0, "minutes": 4.0, "device": "phone"}])
    shop.parts.online.delete_range(b"\x00", b"\xff" * 8)
    shop.workspace.shadows.run("buys", "1")
    (pair,) = pairs_of(shop, 1)
    assert pair["candidate"] == asked[0].score


def test_what_was_scored_is_not_scored_again(shop):
    shadowed(shop)
    again = shop.workspace.shadows.run("buys", "2")
    more = shop.ask()
    then = shop.workspace.shadows.run("buys", "2")
    assert (again.requests, then.requests) == (0, len(more))
    assert len(pairs_of(shop)) == 2 * len(more)


def test_requests_before_its_beginning_are_left_alone_unless_asked_for(shop):
    shop.ask()
    shop.clock.set_us(shop.clock.now_us() + 1)
    shadowed(shop, rows=[])
    assert pairs_of(shop) == []
    shop.workspace.shadows.start("buys", "1", since="2026-03-01T00:00:00Z")
    shop.workspace.shadows.run("buys", "1")
    assert len(pairs_of(shop, 1)) == 40


def test_answers_have_ids_of_their_own_and_a_purpose(shop):
    asked = shadowed(shop)
    logged = [
        frames.decode(bytes(each.request)) for frame in frames_of(shop) for each in frame.answered
    ]
    ids = {row.prediction_id for request in logged for row in request.rows}
    assert {request.purpose for request in logged} == {"shadow"}
    assert len(ids) == len(asked)
    assert not ids & {each.id for each in asked}


def test_live_metrics_and_the_prediction_log_know_nothing_of_a_shadow(shop):
    before = shop.parts.predictions("buys").read().num_rows
    asked = shadowed(shop)
    shop.workspace.shadows.report("buys", "2")
    assert shop.parts.predictions("buys").read().num_rows == before + len(asked)


def test_known_outcomes_judge_both_on_the_same_rows(shop):
    asked = shadowed(shop)
    labels = [int(place * 7 % 10 < 4) for place in range(len(asked))]
    shop.come_true(asked, labels)
    outcomes = shop.workspace.shadows.report("buys", "2").comparison.outcomes
    production = [each.score for each in asked]
    scored = {each["prediction_id"]: each["candidate"] for each in pairs_of(shop)}
    candidate = [scored[each.id] for each in asked]
    assert outcomes.rows == len(asked)
    assert outcomes.differences["auc"].current == pytest.approx(roc_auc_score(labels, production))
    assert outcomes.differences["auc"].candidate == pytest.approx(roc_auc_score(labels, candidate))
    assert outcomes.differences["brier"].candidate == pytest.approx(
        brier_score_loss(labels, candidate)
    )


def test_without_outcomes_nothing_is_judged(shop):
    shadowed(shop)
    assert shop.workspace.shadows.report("buys", "2").comparison.outcomes is None


def test_a_report_is_kept_for_who_decides_on_a_rollout(shop):
    shadowed(shop)
    told = shop.workspace.shadows.report("buys", "2")
    version = shop.workspace.registry.version("buys", "2")
    assert last_report("buys", version.id, ledger=shop.parts.ledger) == told
    assert msgspec.json.decode(msgspec.json.encode(told))["comparison"]["requests"] == 40


def test_a_shadow_is_stopped_once_with_its_last_report(shop):
    shadowed(shop)
    report = shop.workspace.shadows.stop("buys", "2", why="seen enough")
    assert report.comparison.requests == 40
    assert [each.running for each in shop.workspace.shadows.shadows("buys")] == [False]
    with pytest.raises(ConflictError, match="TD-SERVING-004"):
        shop.workspace.shadows.stop("buys", "2")


def test_two_processes_never_write_one_shadow(shop):
    from tondo.workspace.consuming.shadows import shadow_at_work

    shadow = shop.workspace.shadows.start("buys", "2")
    with shadow_at_work(shop.parts, shadow), pytest.raises(ConflictError, match="TD-SERVING-006"):
        shop.workspace.shadows.run("buys", "2")


@pytest.mark.parametrize(
    ("deployment", "version", "code"),
    [("bus", "2", "TD-DEPLOY-001"), ("buys", "9", "TD-REGISTRY-001"), ("buys", "1", "TD-SERVING")],
)
def test_what_is_not_there_is_refused_with_its_name(shop, deployment, version, code):
    with pytest.raises(NotFoundError, match=code):
        shop.workspace.shadows.report(deployment, version)


def test_a_report_is_made_of_the_newest_segments(shop):
    shadowed(shop)
    for rows in (shop.rows[:3], shop.rows[:2]):
        asked = shop.ask(rows)
        shop.workspace.shadows.run("buys", "2")
    stream = answers_of("shadow", "buys", "v2")
    newest = list(newest_answers(shop.parts.eventlog, stream, most_rows=4))
    assert sum(frame.rows for frame in newest) == 5
    assert newest[-1].answered[-1].source_ids == [asked[-1].id]


def test_a_feature_that_production_did_not_read_is_read_as_of_the_same_instant(shop, monkeypatch):
    real = candidates.package_of

    def reads_no_view(parts, version_id):
        return msgspec.structs.replace(real(parts, version_id), view_features=[])

    shadowed(shop, rows=[])
    asked = shop.ask()
    monkeypatch.setattr(candidates, "package_of", reads_no_view)
    shop.workspace.shadows.run("buys", "2")
    read = {each["prediction_id"]: each["candidate"] for each in pairs_of(shop)}
    monkeypatch.undo()
    as_logged = shop.workspace.replays.run(
        "buys", "2", start="2026-03-01T00:00:00Z", end="2026-03-02T00:00:00Z"
    )
    stream = answers_of("replay", "buys", as_logged.id)
    logged = read_pairs(read_answers(shop.parts.eventlog, stream)).rows.to_pylist()
    assert read == {each["prediction_id"]: each["candidate"] for each in logged}
    assert set(read) == {each.id for each in asked}


def test_a_candidate_of_columns_that_callers_do_not_send_is_refused_at_once(shop, monkeypatch):
    real, asked = candidates.package_of, []

    def first_asked_reads_more(parts, version_id):
        contents = real(parts, version_id)
        asked.append(version_id)
        more = {**contents.inputs, "basket": "double"} if len(asked) == 1 else contents.inputs
        return msgspec.structs.replace(contents, inputs=more)

    monkeypatch.setattr(candidates, "package_of", first_asked_reads_more)
    with pytest.raises(CallerError, match="TD-SERVING-003: the candidate reads 'basket'"):
        shop.workspace.shadows.start("buys", "2")


def test_a_frame_that_is_no_request_is_a_coded_error(shop):
    shop.workspace.shadows.start("buys", "2")
    appender = shop.parts.eventlog.appender("predictions/buys", "broken", durability="written")
    appender.append(b"no frame of a request")
    appender.close()
    with pytest.raises(DataError, match="TD-LOG-004"):
        shop.workspace.shadows.run("buys", "2")
