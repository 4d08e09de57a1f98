"""A scorer at a fixed rate, with and without a shadow that scores the same requests beside it.

One scorer, one LightGBM model of 200 trees and 30 features, requests of one row at a fixed rate,
each latency measured from the moment it was due. Turns are interleaved: without a shadow, then
with one, which is a process of its own at nice 19 on the same cores and scores every request by
the same model. Answers of both turns are compared bit by bit.

Run: python -m benchmarks shadow_latency
"""

from __future__ import annotations

import http.client
import json
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


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_forest(folder)
        made = json.loads((folder / "rows.json").read_text())
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in made["rows"]]
        with open_project(folder) as workspace:
            turns, answers, scored = measure(workspace, rows)
    assert answers["without"] == answers["with"], "an answer changed beside a shadow"
    head = [f"{RATE}/s, 1 row", "p50 ms", "p99 ms", "refused", "unanswered", "shadow's rows"]
    told = []
    for way, each in turns.items():
        p50, p99 = (statistics.median(one[name] for one in each) for name in ("p50_ms", "p99_ms"))
        failed, lost = (sum(one[name] for one in each) for name in ("failed", "unanswered"))
        told.append([f"{way} a shadow", f"{p50:.3f}", f"{p99:.3f}", failed, lost, scored[way]])
    ratios = {
        name: [
            with_[name] / without[name]
            for with_, without in zip(turns["with"], turns["without"], strict=True)
        ]
        for name in ("p50_ms", "p99_ms")
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
    keeper = Keeper(parts)
    try:
        scorer.wait_ready(60)
        port = urlsplit(scorer.address).port
        assert port is not None
        requests = [_request(row) for row in rows]
        send(port, requests, RATE, 1.0)
        for _ in range(ROUNDS):
            for way, found in turns.items():
                if way == "with":
                    workspace.shadows.start(NAME, "1")
                    workspace.shadows.run(NAME, "1")  # what was asked in the turn without it
                    keeper.look()
                    assert keeper.process is not None
                    keeper.process.wait_ready(60)
                    time.sleep(1)  # it has loaded its model
                found.append(send(port, requests, RATE, SECONDS))
                answers[way] = _scores(port, rows)
                if way == "with":
                    time.sleep(2)  # what is left to score, and its last frame
                    workspace.shadows.stop(NAME, "1")
                    keeper.stop()
        scored = workspace.shadows.report(NAME, "1").comparison.compared
    finally:
        keeper.stop()
        scorer.stop()
    return turns, answers, {"without": 0, "with": scored}


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
