from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tondo.core.errors import DataError
from tondo.scoring.frames import encode
from tondo.stages.monitoring.join import join_outcomes
from tondo.stages.monitoring.outcomes import (
    Outcome,
    OutcomeLog,
    decode_outcomes,
    record_outcomes,
)
from tondo.stages.monitoring.predictions import decode_predictions, read_predictions

START = 1_364_774_400_000_000  # 2013-04-01
HOUR = 3_600_000_000


def outcome(prediction_id, label=1.0, **changes):
    return Outcome(prediction_id=prediction_id, label=label, event_time_us=START, **changes)


def record(desk, *outcomes):
    words = {"eventlog": desk.eventlog, "clock": desk.clock}
    return record_outcomes("late", outcomes, **words)


def joined(desk, *, at, horizon=24 * HOUR):
    return join_outcomes(
        read_predictions(desk.predictions()), desk.outcomes().read(), at_us=at, horizon_us=horizon
    )


def states(found):
    return dict(
        zip(
            found.table.column("prediction_id").to_pylist(),
            found.table.column("state").to_pylist(),
            strict=True,
        )
    )


def test_a_batch_is_durable_when_it_is_acknowledged(desk):
    receipt = record(desk, outcome("a"), outcome("b", 0))
    assert (receipt.accepted, receipt.recorded_at_us) == (2, START)
    assert desk.outcomes().read().column("label").to_pylist() == [1.0, 0.0]


@pytest.mark.parametrize("wrong", [outcome("a", float("nan")), outcome(""), outcome("a", "yes")])
def test_a_bad_outcome_refuses_the_whole_batch_and_names_its_place(desk, wrong):
    with pytest.raises(DataError, match="TD-MONITOR-001: outcome 1"):
        record(desk, outcome("b"), wrong)
    assert desk.outcomes().read().num_rows == 0


def test_states_follow_arrival_and_horizon(desk, logged):
    desk.write(logged(["matched", "late", "pending"]), logged(["expired"], at=START - 48 * HOUR))
    record(desk, outcome("matched"))
    desk.clock.set_us(START + 25 * HOUR)
    record(desk, outcome("late"))
    found = states(joined(desk, at=START + 25 * HOUR))
    assert found == {
        "matched": "matched",
        "late": "late",
        "pending": "expired",
        "expired": "expired",
    }
    assert states(joined(desk, at=START + HOUR))["pending"] == "pending"


def test_an_earlier_instant_does_not_see_what_arrived_later(desk, logged):
    desk.write(logged(["a"]))
    desk.clock.set_us(START + 2 * HOUR)
    record(desk, outcome("a"))
    assert states(joined(desk, at=START + HOUR)) == {"a": "pending"}
    assert states(joined(desk, at=START + 2 * HOUR)) == {"a": "matched"}


def test_a_correction_supersedes_by_arrival(desk, logged):
    desk.write(logged(["a"]))
    record(desk, outcome("a", 1.0))
    desk.clock.set_us(START + 5)
    record(desk, outcome("a", 0.0))
    found = joined(desk, at=START + 10)
    assert found.table.column("label").to_pylist() == [0.0]
    assert found.superseded == 1


def test_two_corrections_at_one_instant_count_in_the_order_written(desk, logged):
    desk.write(logged(["a"]))
    record(desk, outcome("a", 1.0), outcome("a", 0.0))
    assert joined(desk, at=START).table.column("label").to_pylist() == [0.0]


def test_unknown_prediction_ids_are_kept_and_counted(desk, logged):
    desk.write(logged(["a"]))
    record(desk, outcome("a"), outcome("nobody"))
    assert joined(desk, at=START).unknown == 1
    assert desk.outcomes().read().num_rows == 2


def test_outcomes_compact_like_predictions(desk):
    record(desk, outcome("a"))
    before = desk.outcomes().read()
    assert len(desk.outcomes().compact()) == 1
    assert desk.outcomes().read().equals(before)


def test_one_open_log_writes_one_segment(desk):
    with OutcomeLog("late", eventlog=desk.eventlog, clock=desk.clock) as log:
        log.record([outcome("a")])
        log.record([outcome("b")])
    assert len(desk.eventlog.segments("outcomes/late")) == 1


def test_an_empty_side_joins_to_nothing(desk, logged):
    assert joined(desk, at=START).table.num_rows == 0
    desk.write(logged(["a"]))
    assert states(joined(desk, at=START)) == {"a": "pending"}


def slow_join(predictions, outcomes, at_us, horizon_us):
    found = {}
    for each in predictions:
        arrived = [
            (position, one)
            for position, one in enumerate(outcomes)
            if one.prediction_id == each.rows[0].prediction_id and one.recorded_at_us <= at_us
        ]
        end = each.as_of_us + horizon_us
        if not arrived:
            found[each.rows[0].prediction_id] = ("expired" if end <= at_us else "pending", None)
            continue
        _, last = max(arrived, key=lambda pair: (pair[1].recorded_at_us, pair[0]))
        state = "matched" if last.recorded_at_us <= end else "late"
        found[each.rows[0].prediction_id] = (state, last.label)
    return found


@settings(max_examples=60, deadline=None)
@given(
    asked=st.lists(st.integers(0, 20), min_size=1, max_size=8),
    told=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40), st.booleans()), max_size=20),
    at=st.integers(0, 40),
    horizon=st.integers(0, 20),
)
def test_the_join_equals_a_slow_loop(asked, told, at, horizon, logged):
    import msgspec

    predictions = [logged([str(n)], at=time) for n, time in enumerate(asked)]
    outcomes = [outcome(str(n), float(label), recorded_at_us=arrived) for n, arrived, label in told]
    found = join_outcomes(
        decode_predictions([encode(each) for each in predictions]),
        decode_outcomes([msgspec.msgpack.encode(outcomes)]),
        at_us=at,
        horizon_us=horizon,
    ).table
    labels = found.column("label").to_pylist()
    got = {
        name: (state, label)
        for (name, state), label in zip(states_of(found).items(), labels, strict=True)
    }
    assert got == slow_join(predictions, outcomes, at, horizon)


def states_of(table):
    names = table.column("prediction_id").to_pylist()
    return dict(zip(names, table.column("state").to_pylist(), strict=True))
