"""Streams: events in, predictions out as over HTTP; a bad event stops nobody."""

import json

import pytest

from scorer_process import running
from tondo.core.errors import CallerError, ConflictError, DefinitionError, NotFoundError
from tondo.core.instants import format_instant

AS_OF = "2026-02-28T12:00:00Z"


def events(shop, **more):
    return [{"id": f"e{at}", "row": row, **more} for at, row in enumerate(shop.rows)]


def scored(shop, **named):
    return {
        each.prediction_id: each.score
        for each in shop.workspace.streams.answers("buys", source="visits", **named)
    }


def append_raw(shop, *payloads):
    appender = shop.parts.eventlog.appender("events/visits", "foreign", durability="written")
    for each in payloads:
        appender.append(each)
    appender.close()


def letters(shop):
    found = shop.workspace.streams.dead_letters("buys", source="visits")
    return {each.prediction_id: each.code for each in found}


def test_predictions_are_those_of_http_bit_for_bit(shop):
    shop.workspace.streams.push("visits", events(shop, as_of=AS_OF))
    shop.workspace.streams.run("buys", source="visits")
    with running("--root", shop.parts.state) as scorer:
        answer = scorer.score(*shop.rows, name="buys", as_of=AS_OF).json
    assert list(scored(shop).values()) == [each["score"] for each in answer["predictions"]]


def test_an_event_is_scored_once_however_often_it_is_looked_for(shop):
    shop.workspace.streams.push("visits", events(shop))
    done = [shop.workspace.streams.run("buys", source="visits").answered for _ in range(3)]
    assert done == [40, 0, 0]


def test_a_repeated_id_is_one_prediction(shop):
    for _ in range(2):
        shop.workspace.streams.push("visits", events(shop))
        shop.workspace.streams.run("buys", source="visits")
    assert len(scored(shop)) == 40


def test_an_event_without_an_id_gets_one_that_the_pusher_is_told(shop):
    ids = shop.workspace.streams.push("visits", [{"row": row} for row in shop.rows[:2]])
    shop.workspace.streams.run("buys", source="visits")
    assert list(scored(shop)) == ids


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"\xff\xfe", "TD-SERVING-007"),
        (b"[" * 100_000, "TD-SERVING-007"),
        (b'{"row": {}, "colour": 1}', "TD-SERVING-007"),
        (b'{"id": "", "row": {}}', "TD-SERVING-007"),
        (b'{"id": "a", "row": 5}', "TD-SCORE-005"),
        (b'{"id": "a", "row": {"pages": 1}}', "TD-SCORE-001"),
        (b'{"id": "a", "as_of": -5, "row": %s}', "TD-SCORE-006"),
        (b'{"id": "a", "as_of": "soon", "row": %s}', "TD-CORE-004"),
        (b'{"id": "a", "as_of": "2026-01-01", "row": %s}', "TD-CORE-003"),
    ],
)
def test_a_bad_event_becomes_a_dead_letter_and_the_rest_is_scored(shop, payload, code):
    bad = payload % json.dumps(shop.rows[0]).encode() if b"%s" in payload else payload
    append_raw(shop, bad, json.dumps({"id": "good", "row": shop.rows[0]}).encode())
    shop.workspace.streams.run("buys", source="visits")
    (letter,) = shop.workspace.streams.dead_letters("buys", source="visits")
    assert (letter.code, list(scored(shop))) == (code, ["good"])
    assert letter.event == bad.decode(errors="replace")


def test_a_dead_letter_may_be_mended_and_pushed_again(shop):
    shop.workspace.streams.push("visits", [{"id": "a", "row": {"pages": "many"}}])
    shop.workspace.streams.run("buys", source="visits")
    assert letters(shop) == {"a": "TD-SCORE-001"}
    shop.workspace.streams.push("visits", [{"id": "a", "row": shop.rows[0]}])
    shop.workspace.streams.run("buys", source="visits")
    assert list(scored(shop)) == ["a"]


def test_of_a_push_with_a_bad_event_nothing_is_kept(shop):
    with pytest.raises(CallerError, match="TD-SERVING-007: event 1 "):
        shop.workspace.streams.push("visits", [{"row": shop.rows[0]}, {"rows": []}])
    assert shop.workspace.streams.run("buys", source="visits").requests == 0


@pytest.mark.parametrize("bad", [5, None, {"row": {"pages": "\ud800"}}, {"id": 7, "row": {}}])
def test_what_is_no_event_is_not_pushed(shop, bad):
    with pytest.raises(CallerError, match="TD-SERVING-007: event 0 "):
        shop.workspace.streams.push("visits", [bad])


def test_a_new_plan_answers_the_events_that_come_after_it(shop):
    shop.workspace.streams.push("visits", events(shop)[:2])
    shop.workspace.streams.run("buys", source="visits")
    shop.workspace.deployment.deploy("buys", "2")
    shop.workspace.streams.push("visits", events(shop)[2:4])
    shop.workspace.streams.run("buys", source="visits")
    answers = shop.workspace.streams.answers("buys", source="visits")
    assert [each.version for each in answers] == [1, 1, 2, 2]
    assert format_instant(answers[0].as_of_us) == "2026-03-01T00:00:00Z"


def test_streams_are_started_and_stopped_by_name(shop):
    shop.workspace.streams.start("buys", source="visits")
    assert [each.running for each in shop.workspace.streams.streams()] == [True]
    shop.workspace.streams.stop("buys", source="visits")
    assert [each.running for each in shop.workspace.streams.streams()] == [False]
    with pytest.raises(ConflictError, match="TD-SERVING-008"):
        shop.workspace.streams.stop("buys", source="visit")
    with pytest.raises(NotFoundError, match="TD-DEPLOY-001"):
        shop.workspace.streams.start("bus", source="visits")
    with pytest.raises(DefinitionError, match="TD-CORE-006"):
        shop.workspace.streams.start("buys", source="../visits")


def test_events_are_dealt_to_variants_and_each_answer_keeps_its_event(shop):
    shop.workspace.deployment.traffic("buys", {"1": 0.5, "2": 0.5})
    shop.workspace.streams.push("visits", events(shop, as_of="2026-03-01T00:00:00Z"))
    shop.workspace.streams.run("buys", source="visits")
    answers = shop.workspace.streams.answers("buys", source="visits")
    with running("--root", shop.parts.state) as scorer:
        answer = scorer.score(
            *shop.rows,
            name="buys",
            as_of="2026-03-01T00:00:00Z",
            ids=[each["id"] for each in events(shop)],
        ).json
    assert {each.version for each in answers} == {1, 2}
    assert {each.prediction_id: each.score for each in answers} == {
        each["id"]: each["score"] for each in answer["predictions"]
    }


def test_an_event_s_prediction_is_found_with_its_lineage(shop):
    shop.workspace.streams.push("visits", events(shop)[:3])
    shop.workspace.streams.run("buys", source="visits")
    detail = shop.workspace.monitoring.prediction("e1")
    assert (detail.deployment, detail.purpose, detail.version) == ("buys", "stream", 1)
    assert detail.score == scored(shop)["e1"]
    assert detail.inputs["pages"] == shop.rows[1]["pages"]
    assert {"answered by", "with", "trained by"} <= {stage.role for stage in detail.stages}


def test_a_deployment_tells_a_streams_last_minute(shop):
    assert shop.workspace.live.deployment("buys").streams == []
    shop.workspace.streams.push("visits", [{"id": "old", "row": shop.rows[0]}])
    shop.workspace.streams.run("buys", source="visits")
    shop.clock.set_us(shop.clock.now_us() + 600_000_000)
    shop.workspace.streams.push("visits", events(shop)[:5])
    append_raw(shop, b"no event")
    shop.workspace.streams.run("buys", source="visits")
    (row,) = shop.workspace.live.deployment("buys").streams
    assert (row.source, row.running) == ("visits", False)
    assert (row.figures.answers, row.figures.failed, row.figures.dead_letters) == (5, 0, 1)
    assert row.figures.newest_us == shop.clock.now_us()
    assert row.figures.latency.p50_ms > 0
