"""kill -9 of the scorer under load: every acknowledged prediction is in the log once."""

import http.client
import itertools
import json
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from scorer_process import ROW, Scorer
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.scoring.frames import decode

CLIENTS = 4


class Client(threading.Thread):
    """Sends predictions with ids of its own until the scorer is gone; knows what was answered."""

    def __init__(self, scorer, name):
        super().__init__()
        self.scorer = scorer
        self.prefix = name
        self.acknowledged = []
        self.sent = 0

    def run(self):
        connection = self.scorer.connect()
        try:
            for number in itertools.count():
                ids = [f"{self.prefix}-{number}-{row}" for row in range(1 + number % 3)]
                self.sent = number
                body = json.dumps({"rows": [ROW] * len(ids), "ids": ids})
                connection.request("POST", "/v1/deployments/late/score", body)
                response = connection.getresponse()
                response.read()
                if response.status == http.client.OK:
                    self.acknowledged += ids
        except (OSError, http.client.HTTPException):
            return


@pytest.mark.parametrize("round_", range(6))
def test_every_acknowledged_prediction_is_logged_once(tmp_path, round_):
    (tmp_path / "late.tondo").write_bytes(scored.package())
    random.seed(round_)
    acknowledged = []
    for life in range(2):
        scorer = Scorer("--packages", tmp_path, "--log", tmp_path / "log")
        clients = [Client(scorer, f"{life}-{each}") for each in range(CLIENTS)]
        for client in clients:
            client.start()
        time.sleep(0.1 + random.random() * 0.4)
        scorer.process.kill()
        for client in clients:
            client.join()
            acknowledged += client.acknowledged
        for connection in scorer.connections:
            connection.close()
    log = FilesEventLog(tmp_path / "log")
    frames = [decode(payload) for _, payload in log.read("predictions/late")]
    logged = Counter(row.prediction_id for frame in frames for row in frame.rows)
    assert len(acknowledged) > 50
    assert set(acknowledged) <= set(logged)
    assert set(logged.values()) == {1}
    assert all(segment.closed for segment in log.segments("predictions/late"))
