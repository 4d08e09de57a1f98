"""Looking at real scorer processes: rates, workers, a scorer that is killed, a token."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from load import Load
from scorer_process import ROW, Workspace, running
from tondo.adapters.clocks.system import SystemClock
from tondo.scoring.package import seal
from tondo.scoring.presence import Presence, present_scorers
from tondo.workspace.live.feed import Feed
from tondo.workspace.live.scorers import Scorers


@pytest.fixture
def workspace(tmp_path):
    made = Workspace(tmp_path)
    made.publish(made.variant(scored.package()))
    return made


def feed_of(root, **named):
    return Feed(Scorers(lambda: present_scorers(root), **named), SystemClock())


def test_rates_of_a_running_scorer_and_none_when_it_has_ended(workspace):
    feed = feed_of(workspace.root)
    with running("--root", workspace.root) as scorer:
        (state,) = feed.look().scorers
        assert (state.address, state.problem) == (scorer.process.address, "")
        assert state.workers[0].plan == 1
        for _ in range(20):
            assert scorer.score().status == 200
        assert scorer.score({"distance": "far"}).status == 400
        view = feed.look()
        assert sum(each.requests for each in view.rates) == 21
        assert sum(each.refused for each in view.rates) == 1
        assert sum(each.requests_s for each in view.rates) > 0
        assert max(each.p99_us or 0 for each in view.rates) > 0
    assert feed.look().scorers == []
    feed.close()


def test_a_killed_scorer_is_known_as_gone(workspace):
    feed = feed_of(workspace.root)
    with running("--root", workspace.root) as scorer:
        feed.look()
        os.kill(scorer.process.pid, signal.SIGKILL)
        scorer.process.kill()
        assert feed.look().scorers == []
    feed.close()


def test_any_worker_tells_of_all(workspace):
    with (
        closing(feed_of(workspace.root)) as feed,
        running("--root", workspace.root, "--workers", "2") as scorer,
    ):
        for _ in range(40):
            assert scorer.score().status == 200
        view = feed.look()
        (state,) = view.scorers
        assert len(state.workers) == 2
        assert sum(each.requests for each in view.rates) == 40
        os.kill(state.workers[0].pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while (workers := feed.look().scorers) and len(workers[0].workers) != 1:
            assert time.monotonic() < deadline  # the dead one is missed at once, if not replaced
        assert sum(each.requests for each in feed.look().rates) == 40


def test_what_is_shed_is_seen(workspace):
    with (
        closing(feed_of(workspace.root)) as feed,
        running("--root", workspace.root, "--queue-ms", "0.001") as scorer,
    ):
        feed.look()
        url = "/v1/deployments/late/score"
        load = Load(scorer.port, url, {"rows": [ROW]}, rate=3000, seconds=1, connections=32)
        load.run()
        rates = feed.look().rates
        assert load.statuses[503] > 0
        counters = scorer.get("/v1/status").json["counters"]["late/rows"]
        assert sum(each.shed for each in rates) == counters["shed"] > 0
        assert sum(each.shed_s for each in rates) > 0


def test_what_does_not_answer_or_wants_a_token_is_said(workspace, tmp_path):
    token = tmp_path / "token"
    token.write_text("a-token-of-enough-characters")
    with running("--root", workspace.root, "--token-file", token):
        with closing(feed_of(workspace.root)) as feed:
            (shut,) = feed.look().scorers
        with closing(feed_of(workspace.root, token=token.read_text())) as feed:
            (open_,) = feed.look().scorers
    assert "401" in shut.problem
    assert open_.workers[0].ready
    nobody = Scorers(lambda: [Presence(address="http://127.0.0.1:9", pid=1, host="elsewhere")])
    assert nobody.look()[0][0].problem == "nothing listens there"


@pytest.mark.parametrize("processes", [(), ("--workers", "2")], ids=["one", "workers"])
def test_variants_of_an_isolated_deployment_are_counted_apart_where_they_answer(
    workspace, processes
):
    data = scored.package()
    workspace.publish(
        workspace.variant(data, weight=0.7),
        workspace.variant(data, name="candidate", version=2, weight=0.3, tags=()),
        isolate="process",
    )
    options = ("--root", workspace.root, *processes)
    with running(*options) as scorer, closing(feed_of(workspace.root)) as feed:
        failed = 0
        while scorer.score().status != 200:
            failed += 1
        answered = [scorer.score().json["variant"] for _ in range(60)]
        assert scorer.score({"distance": "far"}).status == 400
        found = {each.variant: each for each in feed.look().rates}
        assert found["live"].requests + found["candidate"].requests == 61
        assert found["candidate"].requests - answered.count("candidate") in (0, 1)
        assert (found[""].requests, found[""].refused) == (1, 1)
        whole = found["*"]
        assert (whole.requests, whole.refused, whole.errors) == (62 + failed, 1, failed)
        os.kill(scorer.get("/v1/status").json["processes"]["isolated"]["late"]["pid"], 9)
        while scorer.score().status != 200:
            pass
        again = {each.variant: each for each in feed.look().rates}
        assert again["live"].requests + again["candidate"].requests == 62


def test_variants_are_counted_apart_and_a_slow_one_does_not_slow_the_others(workspace):
    trees = scored.contents(runtime="lightgbm", samples=())
    files = {"model.txt": scored.forest_text(4, trees=2_000, leaves=31)}
    slow = seal(msgspec.structs.replace(trees, files=files))
    workspace.publish(
        workspace.variant(scored.package(), weight=0.7),
        workspace.variant(slow, name="candidate", version=2, weight=0.3, tags=()),
    )
    with running("--root", workspace.root) as scorer, closing(feed_of(workspace.root)) as feed:
        feed.look()
        answered = [scorer.score().json["variant"] for _ in range(60)]
        several = scorer.score(*[ROW] * 40).json
        assert several["variant"] is None
        refused = scorer.score({"distance": "far"})
        found = {each.variant: each for each in feed.look().rates}
    assert refused.status == 400
    assert found["live"].requests == answered.count("live") > 0
    assert found["candidate"].requests == answered.count("candidate") > 0
    assert (found["several"].requests, found[""].refused) == (1, 1)
    assert found["candidate"].p50_us > found["live"].p50_us


def test_a_scorer_behind_tls_is_trusted_by_the_certificate_that_it_names(workspace, tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    names = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    options = ("--root", workspace.root, "--tls-cert", certificate, "--tls-key", key)
    with running(*options), closing(feed_of(workspace.root)) as feed:
        (state,) = feed.look().scorers
        (told,) = present_scorers(workspace.root)
        stranger = msgspec.structs.replace(told, certificate=None)
        with closing(Scorers(lambda: [stranger])) as scorers:
            ((refused,), _) = scorers.look()
    assert (state.address[:8], state.problem) == ("https://", "")
    assert "CERTIFICATE_VERIFY_FAILED" in refused.problem
