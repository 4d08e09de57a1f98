"""kill -9 of a pusher: nothing acknowledged is lost, and no tile counts an event twice."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tiled_pusher import VIEW, landing

from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.adapters.online.lmdb.store import LmdbStore
from tondo.stages.features.materialise import read_online
from tondo.stages.features.push import replay_pushes

PUSHER = Path(__file__).parent / "tiled_pusher.py"
HOUR_US = 3_600_000_000


def counted(flights, as_of_us):
    """Add up by a plain loop: n and mean over [t - 2 d rounded down to an hour, t)."""
    start = (as_of_us - 48 * HOUR_US) // HOUR_US * HOUR_US
    events = [landing(each) for each in flights]
    delays = [each["delay"] for each in events if start <= each["landed_at"] < as_of_us]
    return (float(len(delays)), sum(delays) / len(delays) if delays else None)


@pytest.mark.parametrize("point", ["before", "after"])
def test_no_acknowledged_event_is_lost_and_none_counts_twice(tmp_path, point):
    acknowledged = []
    for life, lives in enumerate((3, 40, 21)):
        # The next life begins with what the last one may have left half done.
        first = acknowledged[-1] if acknowledged else 0
        command = [sys.executable, str(PUSHER), str(tmp_path), str(first), point, str(lives)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert ended.returncode == -9, ended.stderr
        acknowledged += [int(line) for line in ended.stdout.split()]
        assert len(acknowledged) >= life
    store = LmdbStore(tmp_path / "online")
    replay_pushes(VIEW, online=store, eventlog=FilesEventLog(tmp_path / "log"))
    # The last event was in the log, and had no answer yet.
    flights = {*acknowledged, acknowledged[-1] + 1}
    for hour in range(0, 80, 3):
        at = hour * HOUR_US + 1
        row = read_online(VIEW, ["JFK"], at, online=store)[0]
        assert (row["n"], row["mean"]) == counted(flights, at)
    store.close()
