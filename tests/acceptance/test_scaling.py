"""The number of workers follows the load, both ways, and nobody's request fails."""

import http.client
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from load import Load
from scorer_process import ROW, running

SCORE = "/v1/deployments/late/score"
PATIENT_S = 300
"""Far beyond what a busy machine may take."""


def workers_of(scorer):
    return len(scorer.get("/v1/status").json["processes"]["workers"])


def ask_until(stop, port):
    """Statuses that a caller gets who waits for each answer, ten times a second.

    After half a second of silence, on a machine that stood still, it connects anew: who is silent
    for a second may be closed upon.
    """
    statuses, spoke_at = set(), 0.0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENT_S)
    while not stop.wait(0.1):
        if time.monotonic() - spoke_at > 0.5:
            connection.close()
        connection.request("POST", SCORE, json.dumps({"rows": [ROW]}))
        answer = connection.getresponse()
        answer.read()
        statuses.add(answer.status)
        spoke_at = time.monotonic()
    connection.close()
    return statuses


@pytest.mark.long
def test_a_second_worker_comes_with_the_load_and_goes_without_it(tmp_path):
    """More is asked than one worker can answer, by a generator that sends on before it is answered:
    of what it has sent on a connection that is given up for the new worker, some is asked in vain.
    Callers who wait for their answers, as in the second half, lose nothing."""
    text = scored.forest_text(4, 3000, 31)
    (tmp_path / "late.tondo").write_bytes(scored.package(runtime="lightgbm", text=text))
    patient = ("--queue-ms", 1_000)  # what few callers ask is never shed
    with running("--packages", tmp_path, "--workers", "1..2", *patient) as scorer:
        deadline = time.monotonic() + PATIENT_S
        while workers_of(scorer) < 2:
            assert time.monotonic() < deadline
            load = Load(scorer.port, SCORE, {"rows": [ROW]}, rate=4000, seconds=4, connections=32)
            load.run()
            assert set(load.statuses) <= {200, 503}
        stop = threading.Event()
        with ThreadPoolExecutor(2) as threads:
            callers = [threads.submit(ask_until, stop, scorer.port) for _ in range(2)]
            try:
                deadline = time.monotonic() + PATIENT_S
                while workers_of(scorer) > 1:
                    assert time.monotonic() < deadline
                    time.sleep(0.5)
            finally:
                stop.set()
        assert [each.result() for each in callers] == [{200}, {200}]
