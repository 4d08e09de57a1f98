"""kill -9 of workers, of the supervisor, of the control plane: scoring goes on or is back soon."""

import http.client
import itertools
import json
import os
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from scorer_process import ROW, running
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.scoring.frames import decode

CLIENTS = 3
PATIENCE_S = 30
"""On a busy machine; on a quiet one all is back within 2 s, as benchmarks/ shows."""


class Client(threading.Thread):
    """Sends predictions with ids of its own, and connects anew where it has to."""

    def __init__(self, scorer, name):
        super().__init__(daemon=True)
        self.scorer = scorer
        self.prefix = name
        self.acknowledged = []
        self.broken = 0
        self.longest_s = 0.0
        self.stop = threading.Event()

    def run(self):
        connection = self.scorer.connect()
        last = time.monotonic()
        for number in itertools.count():
            if self.stop.is_set():
                return
            name = f"{self.prefix}-{number}"
            body = json.dumps({"rows": [ROW], "ids": [name]})
            try:
                connection.request("POST", "/v1/deployments/late/score", body)
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                self.broken += 1
                time.sleep(0.01)
                continue
            assert response.status == http.client.OK
            self.acknowledged.append(name)
            self.longest_s = max(self.longest_s, time.monotonic() - last)
            last = time.monotonic()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "late.tondo").write_bytes(scored.package())
    return tmp_path


def processes(scorer):
    return scorer.get("/v1/status").json["processes"]


def wait_for(scorer, condition):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        told = processes(scorer)
        if told and condition(told):
            return told
        time.sleep(0.05)
    raise AssertionError(told)


def pids(told):
    return {each["pid"] for each in told["workers"]}


def check_log(folder, clients):
    log = FilesEventLog(folder / "log")
    frames = [decode(payload) for _, payload in log.read("predictions/late")]
    logged = Counter(row.prediction_id for frame in frames for row in frame.rows)
    acknowledged = [each for client in clients for each in client.acknowledged]
    assert len(acknowledged) > 50
    assert set(acknowledged) <= set(logged)
    assert set(logged.values()) == {1}


@pytest.mark.parametrize("workers", ["1..1", "2"])
def test_workers_are_killed_and_replaced(folder, workers):
    random.seed(workers)
    with running("--packages", folder, "--log", folder / "log", "--workers", workers) as scorer:
        clients = [Client(scorer, each) for each in range(CLIENTS)]
        for client in clients:
            client.start()
        for _ in range(3):
            before = wait_for(scorer, lambda told: len(told["workers"]) == told["wanted"])
            time.sleep(random.random() * 0.3)
            killed = random.choice(sorted(pids(before)))
            os.kill(killed, 9)
            wait_for(scorer, lambda told, killed=killed: killed not in pids(told) and pids(told))
        answered = [len(client.acknowledged) for client in clients]
        time.sleep(0.3)
        for client in clients:
            client.stop.set()
            client.join()
        assert all(len(each.acknowledged) > n for each, n in zip(clients, answered, strict=True))
    check_log(folder, clients)
    print(f"longest without an answer: {max(each.longest_s for each in clients):.2f} s")


def test_the_supervisor_is_killed_and_nobody_notices(folder):
    with running("--packages", folder, "--log", folder / "log", "--workers", 2) as scorer:
        clients = [Client(scorer, each) for each in range(CLIENTS)]
        for client in clients:
            client.start()
        before = wait_for(scorer, lambda told: len(told["workers"]) == 2)
        os.kill(before["supervisor"], 9)
        after = wait_for(scorer, lambda told: told["supervisor"] != before["supervisor"])
        assert pids(after) == pids(before)
        broken = sum(each.broken for each in clients)
        killed = pids(after).pop()
        os.kill(killed, 9)
        wait_for(scorer, lambda told: killed not in pids(told) and len(told["workers"]) == 2)
        for client in clients:
            client.stop.set()
            client.join()
    assert broken == 0
    check_log(folder, clients)


def test_all_end_with_the_supervisor_when_it_is_asked_to(folder):
    with running("--packages", folder, "--workers", 2) as scorer:
        told = wait_for(scorer, lambda told: len(told["workers"]) == 2)
        everybody = pids(told) | {told["supervisor"]}
        assert scorer.process.stop() == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in everybody)


def test_all_end_with_their_parent_also_when_the_supervisor_was_killed(folder):
    with running("--packages", folder, "--workers", 2) as scorer:
        told = wait_for(scorer, lambda told: len(told["workers"]) == 2)
        os.kill(told["supervisor"], 9)
        told = wait_for(scorer, lambda after: after["supervisor"] != told["supervisor"])
        everybody = pids(told) | {told["supervisor"]}
        scorer.process.stop()  # the first supervisor is gone: this closes the pipe only
        deadline = time.monotonic() + PATIENCE_S
        while any(alive(pid) for pid in everybody):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
