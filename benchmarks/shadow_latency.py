"""A scorer at a fixed rate, with and without a shadow that scores the same requests beside it.

One scorer, one LightGBM model of 200 trees and 30 features, requests of one row at a fixed rate,
each latency measured from the moment it was due. Turns are interleaved: without a shadow (its
process is stopped), then with one, at nice 19 on the same cores, which scores the requests of both
turns by the same model. Answers of both turns are compared bit by bit.

Run: python -m benchmarks shadow_latency
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from batch_scoring import NAME, open_project
from serving.forest import COLUMNS, make_forest
from serving.open_loop import run as send
from table import tell

RATE, SECONDS, ROUNDS = 500, 6.0, 7
NICE = 19
NAMES = {"cpu_us": "scorer's CPU us/request", "p50_ms": "p50 ms", "p99_ms": "p99 ms"}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_forest(folder)
        made = json.loads((folder / "rows.json").read_text())
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in made["rows"]]
        with open_project(folder) as workspace:
            turns, answers, scored = measure(workspace, rows)
    assert answers["without"] == answers["with"], "an answer changed beside a shadow"
    head = [f"{RATE}/s, 1 row", *NAMES.values(), "refused", "unanswered", "shadow's rows"]
    told = []
    for way, each in turns.items():
        medians = [f"{statistics.median(one[name] for one in each):.3f}" for name in NAMES]
        failed, lost = (sum(one[name] for one in each) for name in ("failed", "unanswered"))
        told.append([f"{way} a shadow", *medians, failed, lost, scored[way]])
    ratios = {
        name: [
            with_[name] / without[name]
            for with_, without in zip(turns["with"], turns["without"], strict=True)
        ]
        for name in NAMES
    }
    told.append(
        [
            f"median ratio of {ROUNDS} pairs (spread)",
            *(
                f"{statistics.median(each):.2f} ({min(each):.2f} to {max(each):.2f})"
                for each in ratios.values()
            ),
            *("", "", ""),
        ]
    )
    tell(head, told)


def measure(workspace: Any, rows: list[dict[str, float]]) -> tuple[Any, Any, dict[str, int]]:
    from tondo.workspace.consuming.keeper import Keeper

    parts = workspace.parts
    scorer = parts.launcher.start(["--root", str(parts.state), "--port", "0"])
    turns: dict[str, list[dict[str, Any]]] = {"without": [], "with": []}
    answers: dict[str, list[float]] = {}
    keeper = Keeper(parts, nice=1)
    try:
        scorer.wait_ready(60)
        port = urlsplit(scorer.address).port
        assert port is not None
        requests = [_request(row) for row in rows]
        workspace.shadows.start(NAME, "1")
        keeper.look()
        assert keeper.process is not None
        keeper.process.wait_ready(300)
        send(port, requests, RATE, 1.0)
        _await(workspace, RATE)
        _be_nice(keeper.process.pid)  # only now: at 19 its start alone may take minutes
        for _ in range(ROUNDS):
            for way, found in turns.items():
                stopped = way == "without"
                os.kill(keeper.process.pid, signal.SIGSTOP if stopped else signal.SIGCONT)
                begun = _cpu_ns(scorer.pid)
                told = send(port, requests, RATE, SECONDS)
                told["cpu_us"] = (_cpu_ns(scorer.pid) - begun) / 1000 / (RATE * SECONDS)
                found.append(told)
                answers[way] = _scores(port, rows)
        os.kill(keeper.process.pid, signal.SIGCONT)
        scored = _scored(workspace)
    finally:
        keeper.stop()
        scorer.stop()
    return turns, answers, {"without": 0, "with": scored}


def _cpu_ns(pid: int) -> int:
    """Return what a process's first thread has computed."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def _be_nice(pid: int) -> None:
    os.setpriority(os.PRIO_PROCESS, pid, NICE)
    group = Path(f"/proc/{pid}/autogroup")
    if group.exists():
        group.write_text(str(NICE))


def _await(workspace: Any, count: float) -> None:
    deadline = time.monotonic() + 120
    while _scored(workspace) < count:
        assert time.monotonic() < deadline, "the shadow scores nothing"
        time.sleep(0.5)


def _scored(workspace: Any) -> int:
    from tondo.stages.serving.answers import answers_of, read_answers

    found = read_answers(workspace.parts.eventlog, answers_of("shadow", NAME, "v1"))
    return sum(len(frame.answered) for frame in found)


def _request(row: dict[str, float]) -> bytes:
    body = json.dumps({"rows": [row]}).encode()
    head = f"POST /v1/deployments/{NAME}/score HTTP/1.1\r\nhost: 127.0.0.1\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def _scores(port: int, rows: list[dict[str, float]]) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", f"/v1/deployments/{NAME}/score", json.dumps({"rows": rows}))
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return [each["score"] for each in answer["predictions"]]


if __name__ == "__main__":
    main()
