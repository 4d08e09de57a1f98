"""An isolated model's answers are those of one that is not, byte by byte but for ids and times."""

import json
import os
import re
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from scorer_process import ROW, WAYS, Workspace, running, tensors
from tondo.scoring.plan import PlannedDeployment

PATIENCE_S = 60
IDS = {
    "x-request-id": "mine",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}
GOOD = {
    "/v1/deployments/{}/score": {"rows": [ROW, ROW]},
    "/v1/deployments/{}/versions/1/score": {"rows": [ROW]},
    "/v2/models/{}/infer": {"inputs": tensors(ROW)},
    "/v2/models/{}/versions/live/infer": {"inputs": tensors(ROW), "id": "mine"},
    "/v1/models/{}:predict": {"instances": [ROW]},
    "/v1/models/{}/labels/live:classify": {"examples": [ROW]},
    "/endpoints/{}/invocations": {"instances": [[ROW[name] for name in scored.INPUTS]]},
}
BAD = {
    "/v1/deployments/{}/score": {"rows": [{}]},
    "/v1/deployments/{}/versions/9/score": {"rows": [ROW]},
    "/v2/models/{}/infer": {"inputs": []},
    "/v1/models/{}:regress": {"examples": [ROW]},
    "/v1/models/{}:predict": b"{",
    "/endpoints/{}/invocations": b"1,2",
}
CHANGING = re.compile(
    rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}"  # an id
    rb"|\d{4}-\d\d-\d\dT[0-9:.]+Z"
    rb"|(?<=as_of_us.:)\d+"
    rb"|(?<=319c-)[0-9a-f]{16}"  # our span
)


@pytest.fixture(scope="module", params=WAYS)
def scorer(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("isolated")
    workspace = Workspace(root)
    variant = workspace.variant(scored.package())
    workspace.publish_all(
        PlannedDeployment(name="near", variants=[variant]),
        PlannedDeployment(name="away", variants=[variant], isolate="process"),
    )
    with running("--root", root, "--queue-ms", 10_000, way=request.param) as scorer:
        until(lambda: scorer.score(name="away").status == 200)
        scorer.way = request.param
        yield scorer


def until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def constant(data):
    """What does not change from answer to answer."""
    return CHANGING.sub(b"#", data).replace(b"away", b"near")


def both(scorer, method, url, body=None, headers=None):
    """Ask both, and return the one answer that they give."""
    found = []
    for name in ("near", "away"):
        answer = scorer.ask(method, url.format(name), body, headers)
        told = json.dumps({**answer.headers, "date": "", "connection": ""}, sort_keys=True)
        found.append((answer.status, constant(told.encode()), constant(answer.body)))
    assert found[0] == found[1]
    return answer


@pytest.mark.parametrize("headers", [{}, IDS], ids=["plain", "ids"])
@pytest.mark.parametrize("url", GOOD)
def test_scores_are_the_same(scorer, url, headers):
    answer = both(scorer, "POST", url, GOOD[url], headers)
    assert answer.status == 200
    assert answer.headers.get("x-request-id") == headers.get("x-request-id")


@pytest.mark.parametrize("url", BAD)
def test_refusals_are_the_same(scorer, url):
    assert 400 <= both(scorer, "POST", url, BAD[url], {"x-request-id": "mine"}).status < 500


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "url", ["/v2/models/{}", "/v2/models/{}/ready", "/v1/models/{}", "/v1/models/{}/metadata"]
)
def test_what_is_told_of_a_model_is_the_same(scorer, method, url):
    assert both(scorer, method, url).status == 200


def test_limits_are_the_same(scorer):
    score = "/v1/deployments/{}/score"
    assert both(scorer, "POST", score, b" " * (9 << 20)).status == 413
    assert both(scorer, "POST", score, b"{}", {"host": "evil"}).status == 421
    assert both(scorer, "POST", score, b"{}", {"origin": "http://evil"}).status == 403
    assert both(scorer, "POST", score, b"{}", {"content-encoding": "gzip"}).status == 415
    assert both(scorer, "PUT", score, b"{}").status == 405


pieces = st.sampled_from(
    [b'{"rows":[', json.dumps(ROW).encode(), b"]}", b",", b'"as_of":', b"1", b"\xff", b"{", b"null"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(pieces, max_size=6).map(b"".join))
def test_whatever_the_body_is_the_answer_is_the_same(scorer, body):
    both(scorer, "POST", "/v1/deployments/{}/score", body)


def raw(name, number):
    body = json.dumps({"rows": [ROW], "ids": [f"request-{number}"]}).encode()
    head = f"POST /v1/deployments/{name}/score HTTP/1.1\r\nhost: localhost\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def test_requests_to_both_on_one_connection_are_answered_in_their_order(scorer):
    number = 40
    names = ["away" if at % 3 else "near" for at in range(number)]
    with socket.create_connection(("127.0.0.1", scorer.port), timeout=PATIENCE_S) as connection:
        connection.sendall(b"".join(raw(name, at) for at, name in enumerate(names)))
        found = b""
        while found.count(b'"id":"request-') < number:
            part = connection.recv(1 << 16)
            assert part
            found += part
    asked = re.findall(rb'"id":"request-(\d+)".*?"deployment":"(\w+)"', found)
    assert asked == [(b"%d" % at, name.encode()) for at, name in enumerate(names)]


def callers(scorer, number, ask):
    """Run `ask(connection, number)` in threads of their own; an exception fails the test."""
    failures = []

    def run(number):
        try:
            ask(scorer.connect(), number)
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(each,)) for each in range(number)]
    for thread in threads:
        thread.start()
    return threads, failures


def score(connection, identity):
    body = json.dumps({"rows": [ROW], "ids": [identity]})
    connection.request("POST", "/v1/deployments/away/score", body)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def test_callers_who_leave_early_disturb_nobody_elses_answers(scorer):
    stop = threading.Event()

    def leave(_, number):
        while not stop.is_set():
            with socket.create_connection(("127.0.0.1", scorer.port)) as connection:
                connection.sendall(raw("away", number))

    def stay(connection, number):
        for at in range(60):
            status, told = score(connection, f"{number}.{at}")
            assert status == 503 or told["predictions"][0]["id"] == f"{number}.{at}"

    leaving, failed = callers(scorer, 2, leave)
    staying, failures = callers(scorer, 4, stay)
    for thread in staying:
        thread.join()
    stop.set()
    for thread in leaving:
        thread.join()
    assert (failures, failed) == ([], [])


def test_a_process_that_is_killed_under_load_costs_coded_refusals_only(scorer):
    killed, seen = threading.Event(), set()

    def ask(connection, number):
        at, after = 0, 0
        while after < 20:
            status, told = score(connection, f"{number}.{at}")
            if status == 200:
                assert told["predictions"][0]["id"] == f"{number}.{at}"
                after += killed.is_set()
            else:
                assert status == 503
                seen.add(told["error"]["code"])
                time.sleep(0.02)
            at += 1

    asking, failures = callers(scorer, 6, ask)
    time.sleep(0.3)
    os.kill(scorer.get("/v1/status").json["processes"]["isolated"]["away"]["pid"], signal.SIGKILL)
    time.sleep(0.1)
    killed.set()
    while any(thread.is_alive() for thread in asking):
        assert scorer.score(name="near").status == 200
        time.sleep(0.05)
    assert failures == []
    # The second is for who comes while requests of callers that have left are still under way.
    assert {"TD-SCORER-013"} <= seen <= {"TD-SCORER-013", "TD-SCORER-010"}
