"""Pushes landings to a tiled view, one in a push, and tells each that was acknowledged.

Run: tiled_pusher.py FOLDER FIRST POINT COUNT. It kills itself at the COUNTth write of the store:
`before` the write, so between log and store, or `after` it, so before the acknowledgement.
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from airport import HOUR_US, LANDINGS, ORIGIN, delays_view
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.adapters.online.lmdb.store import LmdbStore
from tondo.stages.features.push import PushWriter
from tondo.stages.features.views import check_view

VIEW = check_view(
    delays_view(features={"mean": "avg(delay) over 2d tiles 1h", "n": "count(*) over 2d tiles 1h"}),
    entity=ORIGIN,
    source=LANDINGS,
)


def landing(flight):
    at = flight * HOUR_US // 7
    return {
        "flight": flight,
        "origin": "JFK",
        "landed_at": at,
        "recorded_at": at,
        "delay": float(flight % 11),
    }


class Mortal(LmdbStore):
    """Kills the process at one of its conditional puts."""

    lives = 0
    point = ""

    def put_if(self, expected, pairs, *, durable=True):
        self.lives -= 1
        if self.lives == 0 and self.point == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = super().put_if(expected, pairs, durable=durable)
        if self.lives == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done


def main():
    folder, first, point, lives = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    store = Mortal(folder / "online", relaxed=True)
    store.lives, store.point = lives, point
    log = FilesEventLog(folder / "log")
    with PushWriter(VIEW, online=store, eventlog=log, clock=ManualClock(0)) as writer:
        for flight in range(first, first + 1000):
            writer.push([landing(flight)])
            print(flight, flush=True)


if __name__ == "__main__":
    main()
