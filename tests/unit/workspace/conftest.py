"""A shop brought live once, with a log that tests write as they need it."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from shop import write_shop
from tondo.adapters.clocks.manual import ManualClock
from tondo.core.instants import parse_instant
from tondo.scoring.frames import LoggedRequest, LoggedRow, encode, pack_vector
from tondo.workspace.bootstrap import open_workspace

LIVE_US = parse_instant("2026-03-01T00:00:00Z")


class Live:
    """A shop that answers: its workspace, its clock, and a pen for its logs."""

    def __init__(self, folder, version_id):
        self.clock = ManualClock(LIVE_US)
        self.workspace = open_workspace(folder, clock=self.clock)
        self.parts = self.workspace.parts
        self._version_id = version_id
        self._written = 0

    def answer(self, ids, *, at, scores, version=1):
        """Log one request, as a scorer would."""
        at_us = parse_instant(at)
        self._written += 1
        request = LoggedRequest(
            request_id=f"r{self._written}",
            at_us=at_us,
            as_of_us=at_us,
            deployment="buys",
            variant="live",
            model="buys",
            version=version,
            model_version_id=self._version_id,
            purpose="live",
            latency_us=120,
            error=None,
            rows=[
                LoggedRow(
                    prediction_id=each,
                    score=score,
                    vector=pack_vector([0.1, 0.2, 1.0]),
                    inputs={"pages": 7.0, "minutes": 12.5, "device": "phone"},
                )
                for each, score in zip(ids, scores, strict=True)
            ],
        )
        writer = f"w{self._written}"
        appender = self.parts.eventlog.appender("predictions/buys", writer, durability="written")
        appender.append(encode(request))
        appender.close()

    def day(self, day, *, rows=40, labelled=True):
        """Log a day's answers, most of them right, and what came true an hour later."""
        ids = [f"{day}-{place:03d}" for place in range(rows)]
        scores = [(place * 7 % 10) / 10 for place in range(rows)]
        self.answer(ids, at=f"{day}T10:00:00Z", scores=scores)
        if labelled:
            late = parse_instant(f"{day}T11:00:00Z")
            self.clock.set_us(max(self.clock.now_us(), late))
            wrong = {place for place in range(rows) if place % 9 == 0}
            self.workspace.monitoring.record_outcomes(
                "buys",
                [
                    {
                        "prediction_id": each,
                        "label": int((score >= 0.5) != (place in wrong)),
                        "event_time": f"{day}T11:00:00Z",
                    }
                    for place, (each, score) in enumerate(zip(ids, scores, strict=True))
                ],
            )
        return ids

    def until(self, instant):
        """Let time pass."""
        self.clock.set_us(parse_instant(instant))

    def overview(self):
        return self.workspace.flow.overview()


@pytest.fixture(scope="session")
def _shop(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("live") / "shop")
    with open_workspace(folder, clock=ManualClock(LIVE_US)) as shop:
        shop.data.commit_source("visits", by="ana", why="first load")
        run = shop.training.train("buys")
        version = shop.registry.register(run.id, by="ana", why="the first model")
        shop.deployment.deploy("buys", str(version.number), by="ana", why="passed the gate")
    return folder, version.id


@pytest.fixture
def live(_shop, tmp_path):
    """The live shop on the first of March 2026, in a folder of the test's own."""
    folder, version_id = _shop
    copied = shutil.copytree(folder, tmp_path / "shop")
    shop = Live(copied, version_id)
    yield shop
    shop.workspace.close()
