"""Several workers seen as one scorer: counts, gauges and log segments of all, whoever answers."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from scorer_process import running
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.workspace.live.exposition import samples


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "late.tondo").write_bytes(scored.package())
    return tmp_path


def scrape(scorer):
    """Return samples by name, each by its labels."""
    found = {}
    for name, labels, value in samples(scorer.get("/metrics").body.decode()):
        found.setdefault(name, {})[tuple(sorted(labels.items()))] = value
    return found


def total(scrape, name, **wanted):
    labels = {**wanted, "deployment": "late"}.items()
    return sum(value for of, value in scrape.get(name, {}).items() if labels <= set(of))


def workers_of(scorer):
    return [each["pid"] for each in scorer.get("/v1/status").json["workers"]]


def awaited(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def both(scorer):
    """Return the two workers, once both are there."""
    return awaited(lambda: (pids := workers_of(scorer)) and len(pids) == 2 and pids)


def test_every_scrape_shows_all_requests_also_those_of_dead_workers(folder):
    with running("--packages", folder, "--workers", 2) as scorer:
        sent, ended = 0, [signal.SIGKILL, signal.SIGTERM, signal.SIGKILL]
        for signal_ in [None, *ended]:
            if signal_ is not None:
                gone = both(scorer)[0]
                os.kill(gone, signal_)
                awaited(lambda gone=gone: gone not in workers_of(scorer))
            for _ in range(30):
                scorer.score()
            sent += 30
            for _ in range(6):
                found = scrape(scorer)
                assert total(found, "tondo_requests_total", status="200") == sent
                assert total(found, "tondo_predictions_total") == sent
                assert total(found, "tondo_request_seconds_count") == sent
                assert total(found, "tondo_request_seconds_bucket", le="+Inf") == sent
        counters = scorer.get("/v1/status").json["counters"]
        assert counters["late/rows"]["requests"] == sent
        pids = {str(pid) for pid in both(scorer)}
        strict = text_string_to_metric_families(scorer.get("/metrics").body.decode())
        assert len(list(strict)) > 10
        found = scrape(scorer)
        assert {of[0][1] for of in found["process_resident_memory_bytes"]} == pids
        assert found["tondo_workers"] == {(): 2}


def test_counts_go_on_under_a_new_supervisor(folder):
    with running("--packages", folder, "--workers", 2) as scorer:
        for _ in range(20):
            scorer.score()
        first = scorer.get("/v1/status").json["processes"]["supervisor"]
        os.kill(first, signal.SIGKILL)
        both_before = both(scorer)
        os.kill(both_before[1], signal.SIGKILL)
        awaited(lambda: scorer.get("/v1/status").json["processes"]["supervisor"] != first)
        awaited(lambda: both(scorer) != both_before)
        assert total(scrape(scorer), "tondo_requests_total") == 20


def test_every_worker_closes_its_segments(folder):
    log = FilesEventLog(folder / "log")
    with running("--packages", folder, "--log", folder / "log", "--workers", 2) as scorer:
        both(scorer)
        for asked in (1, 2):
            awaited(lambda: scorer.score() and len(open_segments(log)) == 2)
            closed = scorer.post("/v1/log/roll", {}).json["segments"]["predictions/late"]
            assert len(closed) == len(set(closed)) == 2
            assert open_segments(log) == []
            assert len(log.segments("predictions/late")) == 2 * asked


def open_segments(log):
    return [each.name for each in log.segments("predictions/late") if not each.closed]


def test_a_worker_that_hangs_is_named_when_segments_shall_be_closed(folder):
    with running("--packages", folder, "--log", folder / "log", "--workers", 2) as scorer:
        stopped = both(scorer)[0]
        os.kill(stopped, signal.SIGSTOP)
        try:
            answer = scorer.post("/v1/log/roll", {})
        finally:
            os.kill(stopped, signal.SIGCONT)
        assert (answer.status, answer.code) == (503, "TD-SCORER-016")
        assert f"worker {stopped}" in answer.message
