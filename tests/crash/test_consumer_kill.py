"""kill -9 of a consumer: every request is answered, and none twice."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from mortal_consumer import STREAM, make_consumer

from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.scoring.frames import LoggedRequest, LoggedRow, encode
from tondo.stages.serving.answers import read_answers

CONSUMER = Path(__file__).parent / "mortal_consumer.py"
ROW = {"carrier": "AA", "distance": 1400.0, "rush": True, "scheduled_at": 1, "tail": 7}


def log_requests(log, writer, first, last):
    appender = log.appender("predictions/late", writer, durability="written")
    for place in range(first, last):
        row = LoggedRow(
            prediction_id=f"p{place}", score=0.5, vector=b"", inputs={**ROW, "distance": place}
        )
        request = LoggedRequest(
            request_id=f"r{place}",
            at_us=place,
            as_of_us=place,
            deployment="late",
            variant="live",
            model="late",
            version=1,
            model_version_id="id-1",
            purpose="live",
            latency_us=90,
            error=None,
            rows=[row],
        )
        appender.append(encode(request))
    return appender


def live_and_die(folder, point, lives):
    command = [sys.executable, str(CONSUMER), str(folder), point, str(lives)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == -9, ended.stderr


@pytest.mark.parametrize("point", ["before", "after", "torn", "random"])
def test_every_request_is_answered_once(tmp_path, point):
    log = FilesEventLog(tmp_path)
    writers = [log_requests(log, f"w{each}", each * 100, each * 100 + 100) for each in range(2)]
    for life in (1, 3, 5):
        live_and_die(tmp_path, point, life)
        # An older segment grows on while a newer one is there.
        writers.append(log_requests(log, "late", 1000 + life, 1001 + life))
    consumer = make_consumer(log)
    consumer.step()
    consumer.close()
    answered = Counter(
        source_id
        for frame in read_answers(log, STREAM)
        for each in frame.answered
        for source_id in each.source_ids
    )
    wanted = [f"p{place}" for place in [*range(200), 1001, 1003, 1005]]
    assert answered == Counter(wanted)
    for writer in writers:
        writer.close()
