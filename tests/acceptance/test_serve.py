"""`tondo serve` with several workers: what is killed is replaced, and all ends with it."""

import http.client
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from shop import bring_live, write_shop
from tondo.scoring.presence import present_scorers
from tondo.workspace.bootstrap import open_workspace

SERVE = (sys.executable, "-m", "tondo.faces.cli", "serve", "--port", "0", "--scorer-port", "0")
ROW = b'{"rows": [{"pages": 3, "minutes": 4.5, "device": "phone"}]}'
PATIENCE_S = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("serve") / "shop")
    bring_live(folder)
    return folder


class Served:
    """What `tondo serve` has started."""

    def __init__(self, folder, process, said, trusted):
        self.folder, self.process, self.said, self.trusted = folder, process, said, trusted
        self.pages, self.scorer = re.findall(r"https?://\S+", said)

    def ask(self, method, path, body=None, *, at=None):
        parts = urlsplit(at or self.scorer)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else None
        trusted = {} if kind is None else {"context": self.trusted}
        made = (kind or http.client.HTTPConnection)(
            parts.hostname, parts.port, timeout=PATIENCE_S, **trusted
        )
        with closing(made) as connection:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def status(self):
        return msgspec.json.decode(self.ask("GET", "/v1/status")[1])

    def score(self, number=1):
        for _ in range(number):
            assert self.ask("POST", "/v1/deployments/buys/score", ROW)[0] == 200

    def requests(self):
        return self.status()["counters"]["buys/rows"]["requests"]

    def pids(self):
        return [each["pid"] for each in self.status()["workers"]]


@contextmanager
def serving(folder, *options, trusted=None):
    environment = {**os.environ, "COLUMNS": "120"}
    process = subprocess.Popen(
        [*SERVE, "--project", folder, *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    said = ""
    try:
        while "Ctrl-C ends both" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        yield Served(folder, process, said, trusted)
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def awaited(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_workers_and_their_supervisor_may_be_killed_and_all_ends_with_serve(folder):
    with serving(folder, "--workers", 2) as served:
        first = awaited(lambda: len(pids := served.pids()) == 2 and pids)
        served.score(20)
        supervisor = served.status()["processes"]["supervisor"]
        os.kill(supervisor, signal.SIGKILL)
        awaited(lambda: served.status()["processes"]["supervisor"] != supervisor)
        os.kill(first[0], signal.SIGKILL)
        second = awaited(lambda: len(pids := served.pids()) == 2 and first[0] not in pids and pids)
        served.score(5)
        assert served.requests() == 25
        time.sleep(1.0)  # longer than serve looks whether its processes run
        assert served.process.poll() is None
        everybody = {*first, *second, served.status()["processes"]["supervisor"]}
    assert not any(map(alive, everybody))
    assert present_scorers(folder / ".tondo") == []


def test_it_says_so_when_nobody_is_left(folder):
    with serving(folder, "--workers", 1) as served:
        os.kill(served.status()["pid"], signal.SIGKILL)
        assert served.process.wait(PATIENCE_S) == 3
        assert "TD-CLI-008" in served.process.stdout.read()


def test_tls_and_grpc_are_spoken_and_the_pages_find_it(folder, tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    names = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    trusted = ssl.create_default_context(cafile=certificate)
    options = ("--workers", 2, "--tls-cert", certificate, "--tls-key", key, "--grpc-port", 0)
    with serving(folder, *options, trusted=trusted) as served:
        assert served.scorer.startswith("https://")
        assert re.search(r"gRPC +127\.0\.0\.1:\d+", served.said)
        awaited(lambda: len(served.pids()) == 2)
        served.score(10)
        (state,) = msgspec.json.decode(served.ask("GET", "/v1/scorers", at=served.pages)[1])
        assert (state["address"], state["problem"]) == (served.scorer, "")
        assert len(state["workers"]) == 2
        with open_workspace(folder) as workspace:
            rates = workspace.live.rates(seconds=0.1).rates
        assert sum(each.requests for each in rates) == 10


def test_a_number_of_workers_that_cannot_be_is_told(folder):
    done = subprocess.run(
        [*SERVE, "--project", folder, "--workers", "4..1"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 3
    assert "TD-SCORER-017: '4..1' is no number of workers" in done.stderr


def test_settings_say_the_same_as_options(folder, monkeypatch):
    monkeypatch.setenv("TONDO_SCORER_WORKERS", "1..2")
    with serving(folder) as served:
        assert served.status()["processes"]["bounds"] == [1, 2]
