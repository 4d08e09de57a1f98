"""The process beside live traffic: it follows what is wished, at the lowest priority."""

import os
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

from scorer_process import running
from tondo.stages.serving.answers import answers_of, read_answers
from tondo.stages.serving.pairs import read_pairs
from tondo.workspace.consuming.keeper import Keeper
from tondo.workspace.consuming.runs import Runs
from tondo.workspace.consuming.shadows import shadow_at_work

WAIT_S = 60
NICE = 3


@pytest.fixture
def keeper(shop):
    # At the lowest priority it would wait for whatever else runs beside the tests.
    kept = Keeper(shop.parts, nice=NICE)
    yield kept
    kept.stop()


def pairs(shop, version):
    stream = answers_of("shadow", "buys", f"v{version}")
    return read_pairs(read_answers(shop.parts.eventlog, stream)).rows.to_pylist()


def wait_for(count, of):
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        found = of()
        if len(found) >= count:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{len(of())} of {count} after {WAIT_S} s")


def test_nothing_runs_while_nothing_is_wished(keeper):
    keeper.look()
    assert keeper.process is None


def test_streams_and_shadows_take_turns_and_end_when_wished_no_longer(shop):
    shop.workspace.streams.start("buys", source="visits")
    shop.workspace.shadows.start("buys", "2")
    shop.ask()
    shop.workspace.streams.push("visits", [{"id": "e1", "row": shop.rows[0]}])
    with closing(Runs(shop.parts)) as runs:
        runs.follow()
        assert [runs.step(), runs.step()] == [True, False]
        shop.workspace.streams.stop("buys", source="visits")
        runs.follow()
        shop.workspace.streams.push("visits", [{"id": "e2", "row": shop.rows[0]}])
        assert not runs.step()
    (answer,) = shop.workspace.streams.answers("buys", source="visits")
    assert (answer.prediction_id, len(pairs(shop, 2))) == ("e1", 40)
    assert shop.parts.ledger.count("shadow_report") == 1


def test_a_consumer_that_cannot_be_opened_stops_no_other(shop, caplog):
    shadow = shop.workspace.shadows.start("buys", "2")
    shop.workspace.streams.start("buys", source="visits")
    shop.workspace.streams.push("visits", [{"id": "e1", "row": shop.rows[0]}])
    with shadow_at_work(shop.parts, shadow), closing(Runs(shop.parts)) as runs:
        runs.follow()
        assert runs.step()
    assert "TD-SERVING-006" in caplog.text


def test_a_shadow_follows_a_scorer_and_comes_back_after_a_kill(shop, keeper):
    with running("--root", shop.parts.state) as scorer:
        shop.workspace.shadows.start("buys", "1")
        keeper.look()
        keeper.process.wait_ready(WAIT_S)
        answers = [scorer.score(row, name="buys") for row in shop.rows]
        first = wait_for(40, lambda: pairs(shop, 1))
        os.kill(keeper.process.pid, signal.SIGKILL)
        answers += [scorer.score(row, name="buys") for row in shop.rows]
        wait_for(1, lambda: [] if keeper.process.running else [True])
        keeper.look()
        both = wait_for(80, lambda: pairs(shop, 1))
        assert os.getpriority(os.PRIO_PROCESS, keeper.process.pid) == NICE
        group = Path(f"/proc/{keeper.process.pid}/autogroup")
        assert not group.exists() or group.read_text().endswith(f" nice {NICE}\n")
    told = {each["id"]: each["score"] for answer in answers for each in answer.json["predictions"]}
    assert {each["prediction_id"]: each["candidate"] for each in both} == told
    assert both[:40] == first
