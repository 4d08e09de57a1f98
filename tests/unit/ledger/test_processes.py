"""Eight processes at one ledger."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import chain

import pytest

from tondo.adapters.clocks.system import SystemClock
from tondo.ledger import Ledger

WORKER = """
import json, sys
from tondo.adapters.clocks.system import SystemClock
from tondo.core.errors import ConflictError
from tondo.ledger import Ledger

url, name, work = sys.argv[1:]
ledger = Ledger.open(url, clock=SystemClock())
print("ready", flush=True)
sys.stdin.readline()
done = []
if work == "put":
    for number in range(25):
        done.append(ledger.put("run", f"{name}-{number}", {"n": number}).sequence)
else:
    for _ in range(25):
        at = ledger.pointer("p").target
        try:
            ledger.move("p", str(int(at) + 1), expect=at, by=name, why="race")
        except ConflictError as error:
            assert error.code == "TD-LEDGER-003", error
        else:
            done.append(int(at) + 1)
print(json.dumps(done))
"""


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def run_eight(url, work):
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, url, f"w{number}", work],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    answers = [json.loads(worker.communicate(timeout=120)[0]) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 8
    return answers


def test_eight_processes_open_a_new_ledger_at_once_and_put_without_loss(url):
    sequences = list(chain(*run_eight(url, "put")))
    assert len(sequences) == len(set(sequences)) == 200
    ledger = Ledger.open(url, clock=SystemClock())
    assert len(ledger.records("run")) == 200
    ledger.close()


def test_exactly_one_of_eight_processes_wins_each_move(url):
    ledger = Ledger.open(url, clock=SystemClock())
    ledger.move("p", "0", expect=None, by="test", why="start")
    won = sorted(chain(*run_eight(url, "move")))
    assert won == list(range(1, len(won) + 1))
    assert ledger.pointer("p").target == str(len(won))
    assert [move.target for move in ledger.history("p")] == [str(n) for n in range(len(won) + 1)]
    ledger.close()
