"""The number of workers follows the load, both ways, and nobody's request fails."""

import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from load import Load
from scorer_process import ROW, running

SCORE = "/v1/deployments/late/score"


def workers_of(scorer):
    return len(scorer.get("/v1/status").json["processes"]["workers"])


@pytest.mark.long
def test_a_second_worker_comes_with_the_load_and_goes_without_it(tmp_path):
    """More is asked than one worker can answer, by a generator that sends on before it is answered:
    of what it has sent on a connection that is given up for the new worker, some is asked in vain.
    Callers who wait for their answers, as in the second half, lose nothing."""
    text = scored.forest_text(4, 3000, 31)
    (tmp_path / "late.tondo").write_bytes(scored.package(runtime="lightgbm", text=text))
    with running("--packages", tmp_path, "--workers", "1..2") as scorer:
        deadline = time.monotonic() + 120
        while workers_of(scorer) < 2:
            assert time.monotonic() < deadline
            load = Load(scorer.port, SCORE, {"rows": [ROW]}, rate=4000, seconds=4, connections=32)
            load.run()
            assert set(load.statuses) <= {200, 503}
        calm = Load(scorer.port, SCORE, {"rows": [ROW]}, rate=20, seconds=60)
        thread = threading.Thread(target=calm.run, daemon=True)
        thread.start()
        deadline = time.monotonic() + 100
        while workers_of(scorer) > 1:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        thread.join()
        assert calm.failures() == 0
