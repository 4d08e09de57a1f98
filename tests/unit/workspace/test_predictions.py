"""One prediction found in the log, and the stations of its lineage."""

from __future__ import annotations

import pytest

from tondo.core.errors import NotFoundError
from tondo.workspace.predictions import _readable


def nodes_of(detail, kind):
    return [node for stage in detail.stages for node in stage.nodes if node.kind == kind]


def test_a_prediction_is_found_in_a_live_segment_and_in_a_compacted_one(live):
    ids = live.day("2026-03-02")
    fresh = live.workspace.monitoring.prediction(ids[3])
    live.parts.predictions("buys").compact()
    live.parts.outcomes("buys").compact()
    assert live.workspace.monitoring.prediction(ids[3]) == fresh
    assert (fresh.score, fresh.outcome.label, fresh.latency_us) == (0.1, 0.0, 120)


def test_of_an_id_asked_twice_the_first_acknowledged_answer_is_shown(live):
    live.answer(["twice"], at="2026-03-02T10:00:00Z", scores=[0.25])
    live.answer(["twice"], at="2026-03-02T10:05:00Z", scores=[0.75])
    live.parts.predictions("buys").compact()
    assert live.workspace.monitoring.prediction("twice").score == 0.25


def test_of_corrected_outcomes_the_last_to_arrive_is_shown(live):
    live.answer(["one"], at="2026-03-02T10:00:00Z", scores=[0.25])
    for label, arrives in ((1, "2026-03-02T11:00:00Z"), (0, "2026-03-04T11:00:00Z")):
        live.until(arrives)
        body = {"prediction_id": "one", "label": label, "event_time": "2026-03-02T10:30:00Z"}
        live.workspace.monitoring.record_outcomes("buys", [body])
    assert live.workspace.monitoring.prediction("one").outcome.label == 0.0


def test_only_the_hit_and_newer_segments_are_opened(live, monkeypatch):
    for day in ("2026-03-02", "2026-03-12", "2026-03-22"):
        live.day(day, labelled=False)
    stream = live.parts.predictions("buys")
    stream.compact()
    opened = []
    read = type(stream)._find_in_blob
    monkeypatch.setattr(
        type(stream),
        "_find_in_blob",
        lambda self, segment, *rest: (opened.append(segment.first_us), read(self, segment, *rest))[
            1
        ],
    )
    live.workspace.monitoring.prediction("2026-03-12-003")
    # The newest, the hit, and the hit again for answers within the day before it.
    assert len(opened) == 3
    assert len(set(opened)) == 2


def test_a_snapshot_in_a_lineage_bears_the_name_of_its_dataset(live):
    ids = live.day("2026-03-02")
    detail = live.workspace.monitoring.prediction(ids[0])
    (snapshot,) = nodes_of(detail, "snapshot")
    (commit,) = nodes_of(detail, "commit")
    assert (snapshot.title, commit.title) == ("visits", "visits@main")


def test_instants_among_the_inputs_are_readable():
    sent = {"at": 1_364_774_400_000_000, "pages": 7.0, "late": None}
    types = {"at": "timestamp", "pages": "double", "late": "timestamp"}
    assert _readable(sent, types) == {"at": "2013-04-01T00:00:00Z", "pages": 7.0, "late": None}


def test_an_unknown_id_is_refused_naming_the_logs(live):
    live.day("2026-03-02")
    with pytest.raises(NotFoundError, match="TD-WORKSPACE-007.*the log of buys"):
        live.workspace.monitoring.prediction("nobody")
