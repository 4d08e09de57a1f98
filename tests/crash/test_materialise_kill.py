"""A materialisation killed before each of its writes, and at random: the whole old or the whole new.

Every version of the source gives all entities another value at the same time, so a read that
mixes two loads shows two values. A second process reads all along.
"""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from redis_process import SERVER, WHY_NOT, running_redis

TESTS = Path(__file__).parents[1]
DRIVER = """
import json, os, random, signal, sys, time
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from airport import HOUR_US, ORIGIN, WEATHER, rows_table, weather_view
from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.adapters.online.lmdb.store import LmdbStore
from tondo.adapters.online.redis.store import RedisStore
from tondo.ledger.ledger import Ledger
from tondo.stages.features import loads
from tondo.stages.features.materialise import materialise, read_online
from tondo.stages.features.views import check_view

loads.BATCH = 20
KEYS = [f"A{number:02d}" for number in range(60)]
VIEW = check_view(weather_view(), entity=ORIGIN, source=WEATHER)
root, where, what = Path(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4])


def opened(readonly=False):
    if where.startswith("redis"):
        return RedisStore(where)
    return LmdbStore(root / "online", readonly=readonly)


class Dying:
    def __init__(self, store, writes):
        self.store, self.writes = store, writes

    def __getattr__(self, name):
        found = getattr(self.store, name)
        if name not in {"put_many", "put_if"}:
            return found

        def write(*given, **named):
            if self.writes == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            self.writes -= 1
            return found(*given, **named)

        return write


def load(version, writes=-1):
    clock = ManualClock(9 * HOUR_US)
    rows = [{"origin": key, "hour": 0, "wind": float(version), "sky": None} for key in KEYS]
    ledger = Ledger.open(f"sqlite:///{root / 'ledger.db'}", clock=clock)
    engine = DuckDBEngine(threads=1)
    materialise(
        VIEW, rows_table(WEATHER, rows), engine=engine, online=Dying(opened(), writes), ledger=ledger, clock=clock
    )


def winds(store):
    return sorted({row["wind"] for row in read_online(VIEW, KEYS, 9 * HOUR_US, online=store)}, key=str)


def forked(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return pid


def watch(until_fd):
    store, seen, mixed = opened(readonly=True), 0, []
    os.set_blocking(until_fd, False)
    while True:
        found = winds(store)
        seen += 1
        if len(found) != 1:
            mixed.append(found)
        try:
            if os.read(until_fd, 1) == b"":
                break
        except BlockingIOError:
            pass
    print(json.dumps({"reads": seen, "mixed": mixed[:3]}), flush=True)


for version, kill in enumerate(what, start=1):
    if kill == "watch":
        ends, begins = os.pipe()
        watcher = forked(lambda: (os.close(begins), watch(ends)))
        os.close(ends)
        for more in range(5):
            os.waitpid(forked(lambda: load(1000 + more)), 0)
        os.close(begins)
        os.waitpid(watcher, 0)
        continue
    if isinstance(kill, float):
        child = forked(lambda: load(version))
        time.sleep(kill)
        os.kill(child, signal.SIGKILL)
    else:
        child = forked(lambda: load(version, -1 if kill is None else kill))
    _, status = os.waitpid(child, 0)
    store = opened()
    print(json.dumps({"version": version, "killed": os.WIFSIGNALED(status), "winds": winds(store)}), flush=True)
    store.close()
"""


@pytest.fixture(params=["lmdb", "redis"])
def where(request, tmp_path):
    if request.param == "lmdb":
        yield "lmdb"
        return
    if SERVER is None:
        pytest.skip(WHY_NOT)
    (tmp_path / "redis").mkdir()
    with running_redis(tmp_path / "redis") as server:
        yield server.address


def drive(tmp_path, where, what):
    path = tmp_path / "driver.py"
    path.write_text(DRIVER)
    command = [sys.executable, str(path), str(TESTS), str(tmp_path), where, json.dumps(what)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_killed_before_any_write_all_entities_are_of_one_load(tmp_path, where):
    # Begin, clear what the one before left, three batches, the switch, dropping what was replaced.
    told = drive(tmp_path, where, [None, *range(8), None])
    standing = told[0]["winds"]
    for each in told[1:]:
        wanted = [float(each["version"])]
        assert each["winds"] in (standing, wanted)
        assert each["killed"] or each["winds"] == wanted
        standing = each["winds"]
    killed = [each for each in told if each["killed"]]
    switched = [each["winds"] == [float(each["version"])] for each in killed]
    assert switched == sorted(switched)
    assert set(switched) == {False, True}
    assert told[-1]["winds"] == [float(told[-1]["version"])]


@pytest.mark.long
def test_killed_at_random_all_entities_are_of_one_load(tmp_path, where):
    made = random.Random(5)
    told = drive(tmp_path, where, [None, *(made.uniform(0.0, 0.4) for _ in range(25)), None])
    assert all(len(each["winds"]) == 1 for each in told)
    assert told[-1]["winds"] == [float(told[-1]["version"])]
    assert any(each["killed"] for each in told)


def test_a_reader_sees_one_load_at_a_time_while_others_are_made(tmp_path, where):
    told = drive(tmp_path, where, [None, "watch"])
    assert told[-1]["mixed"] == []
    assert told[-1]["reads"] > 5
