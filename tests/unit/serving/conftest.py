"""A shop with two versions of one model, the first live: customers ask, and some come true."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from shop import HABITS, PROJECT, write_shop
from tondo.adapters.clocks.manual import ManualClock
from tondo.core.instants import format_instant, parse_instant
from tondo.workspace.bootstrap import open_workspace

LIVE_US = parse_instant("2026-03-01T00:00:00Z")
HOUR_US = 3_600_000_000
FIRST = PROJECT.replace(
    "  pages: zscore(fill_mean(pages))",
    "  pages: zscore(fill_mean(pages))\n  often: fill_mean(@habits.visits_7d)",
).replace("deployment: buys\n", "deployment: buys\nas_of: caller\n")
SECOND = FIRST.replace(
    "  minutes: zscore(fill_mean(minutes))\n",
    '  minutes: "case when minutes > 10 then 1.0 else 0.0 end"\n',
)
ROWS = [
    {
        "customer": f"c{place % 20:02d}",
        "pages": float(place % 12),
        "minutes": (place * 7 % 300) / 10,
        "device": ("phone", "desktop")[place % 2],
    }
    for place in range(40)
]


class Shop:
    """The shop's workspace and clock, and how customers ask it."""

    rows = ROWS

    def __init__(self, folder):
        self.folder = folder
        self.clock = ManualClock(LIVE_US)
        self.workspace = open_workspace(folder, clock=self.clock)
        self.parts = self.workspace.parts

    def ask(self, rows=ROWS, *, name="buys"):
        """Let the live version answer rows, a second apart; return the predictions."""
        found = []
        for row in rows:
            self.clock.set_us(self.clock.now_us() + 1_000_000)
            found += self.workspace.deployment.predict(name, row).predictions
        return found

    def come_true(self, predictions, labels):
        """Tell what came true an hour later, and let two days pass."""
        at = format_instant(self.clock.now_us() + HOUR_US)
        self.clock.set_us(self.clock.now_us() + HOUR_US)
        self.workspace.monitoring.record_outcomes(
            "buys",
            [
                {"prediction_id": each.id, "label": label, "event_time": at}
                for each, label in zip(predictions, labels, strict=True)
            ],
        )
        self.clock.set_us(self.clock.now_us() + 48 * HOUR_US)


@pytest.fixture(scope="session")
def _two_versions(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("two") / "shop", HABITS)
    for text in (FIRST, SECOND):
        (folder / "shop0.yaml").write_text(text)
        with open_workspace(folder, clock=ManualClock(LIVE_US)) as shop:
            shop.data.commit_source("visits", by="ana", why="first load")
            shop.features.sync_definitions(by="ana")
            run = shop.training.train("buys")
            version = shop.registry.register(run.id, by="ana", why="trained")
            if version.number == 1:
                shop.features.materialise("habits")
                shop.deployment.deploy("buys", "1", by="ana", why="passed the gate")
    return folder


@pytest.fixture
def shop(_two_versions, tmp_path):
    opened = Shop(shutil.copytree(_two_versions, tmp_path / "shop"))
    yield opened
    opened.workspace.close()
