"""The scorer as a process: how it starts, refuses, ends, and what it never imports."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from scorer_process import ROW, Scorer, running
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.adapters.launchers.processes import ProcessLauncher
from tondo.core.errors import PlatformError
from tondo.scoring.frames import decode


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    (folder / "late.tondo").write_bytes(scored.package())
    (folder / "forest.tondo").write_bytes(scored.package("forest", runtime="lightgbm"))
    return folder


def run(*arguments):
    command = [sys.executable, "-m", "tondo.faces.scorer", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def refusal(*arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return done.stderr


FORBIDDEN = [
    "duckdb",
    "pyarrow",
    "sklearn",
    "lightgbm",
    "sqlalchemy",
    "litestar",
    "pandas",
    "scipy",
    "sqlglot",
    "onnx",
    "jinja2",
]
CODE = """
import sys
from pathlib import Path
from tondo.faces.scorer import server, start
from tondo.faces.scorer.bootstrap import Settings, load, make_service
service = make_service(Settings(packages=Path(sys.argv[1])))
service.load()
assert service.problem is None, service.problem
print(*(name for name in sys.modules if name.count(".") < 2))
"""


def test_it_reaches_nothing_of_the_platform(folder):
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(folder)], capture_output=True, text=True, check=True
    )
    modules = set(done.stdout.split())
    assert not modules & set(FORBIDDEN)
    rooms = {"tondo.ledger", "tondo.flow", "tondo.stages", "tondo.workspace"}
    assert not modules & rooms
    assert "tondo.scoring" in modules


def test_a_port_in_use_is_named():
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refusal("--packages", "/nowhere", "--port", port)
    assert "TD-SCORER-001" in said
    assert str(port) in said


def test_a_folder_that_is_not_there_is_named(tmp_path):
    for option in ("--packages", "--root"):
        said = refusal(option, tmp_path / "gone", "--port", 0)
        assert "TD-SCORER-005" in said
        assert "gone" in said


def test_a_corrupt_package_in_a_bare_folder_ends_the_start(tmp_path):
    (tmp_path / "late.tondo").write_bytes(scored.package()[:-1])
    assert "TD-PACKAGE-001" in refusal("--packages", tmp_path, "--port", 0)


def test_two_packages_of_one_name_are_refused(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.tondo").write_bytes(scored.package())
    said = refusal("--packages", tmp_path, "--port", 0)
    assert "TD-SCORER-006" in said
    assert "a.tondo and b.tondo" in said


def test_beyond_this_machine_a_token_is_demanded(folder):
    assert "TD-SCORER-004" in refusal("--packages", folder, "--host", "0.0.0.0", "--port", 0)


def test_a_token_too_short_is_refused(folder, tmp_path):
    (tmp_path / "token").write_text("short")
    assert "TD-SCORER-009" in refusal("--packages", folder, "--token-file", tmp_path / "token")


@pytest.mark.parametrize("way", ["fast", "starlette"])
def test_with_a_token_nobody_else_is_answered(folder, tmp_path, way):
    (tmp_path / "token").write_text("0123456789abcdef\n")
    with running("--packages", folder, "--token-file", tmp_path / "token", way=way) as scorer:
        assert (scorer.score().status, scorer.score().code) == (401, "TD-WEB-003")
        for _ in range(2):
            answer = scorer.post(
                "/v1/deployments/late/score",
                {"rows": [ROW]},
                headers={"authorization": "Bearer 0123456789abcdef"},
            )
            assert answer.status == 200
        assert scorer.score().status == 401


def test_it_ends_in_order_when_asked(folder):
    scorer = Scorer("--packages", folder)
    scorer.score()
    assert scorer.stop() == 0


def test_a_request_that_has_begun_is_answered_before_the_end(folder, tmp_path):
    scorer = Scorer("--packages", folder, "--log", tmp_path)
    connection = scorer.connect()
    body = json.dumps({"rows": [ROW], "ids": ["last"]}).encode()
    connection.putrequest("POST", "/v1/deployments/late/score")
    connection.putheader("content-length", str(len(body)))
    connection.endheaders()
    connection.send(body[:10])
    time.sleep(0.2)
    os.kill(scorer.process.pid, signal.SIGTERM)
    time.sleep(0.3)
    connection.send(body[10:])
    response = connection.getresponse()
    assert json.loads(response.read())["predictions"][0]["id"] == "last"
    assert scorer.stop() == 0
    (request,) = [decode(each) for _, each in FilesEventLog(tmp_path).read("predictions/late")]
    assert request.rows[0].prediction_id == "last"


PARENT = """
import sys, time
from tondo.adapters.launchers.processes import ProcessLauncher
process = ProcessLauncher().start(["--packages", sys.argv[1], "--port", "0"])
process.wait_ready(60)
print(process.pid, flush=True)
time.sleep(600)
"""


def test_it_ends_when_its_parent_was_killed(folder):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder)], stdout=subprocess.PIPE, text=True
    )
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and alive(child):
        time.sleep(0.05)
    assert not alive(child)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_a_start_that_fails_says_why(tmp_path):
    process = ProcessLauncher().start(["--packages", str(tmp_path / "gone"), "--port", "0"])
    with pytest.raises(PlatformError, match="TD-LAUNCH-001.*TD-SCORER-005"):
        process.wait_ready(60)


def test_an_address_is_known_only_when_ready(folder):
    process = ProcessLauncher().start(["--packages", str(folder), "--port", "0"])
    with pytest.raises(PlatformError, match="TD-LAUNCH-002"):
        _ = process.address
    process.wait_ready(60)
    assert process.address.startswith("http://127.0.0.1:")
    process.stop()


def test_a_memory_limit_holds(folder):
    process = ProcessLauncher().start(["--packages", str(folder), "--port", "0"], memory_mb=4096)
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    process.stop()
    assert str(4096 << 20) in limits


def test_a_full_disk_is_503_and_nothing_is_acknowledged(folder, tmp_path):
    import resource

    scorer = Scorer("--packages", folder, "--log", tmp_path)
    resource.prlimit(scorer.process.pid, resource.RLIMIT_FSIZE, (2_000, 2_000))
    answered, refused = [], []
    for number in range(30):
        answer = scorer.score(ROW, ids=[f"p{number}"])
        (answered if answer.status == 200 else refused).append(answer)
    assert {(each.status, each.code) for each in refused} == {(503, "TD-LOG-001")}
    assert scorer.stop() == 0
    logged = [decode(each) for _, each in FilesEventLog(tmp_path).read("predictions/late")]
    ids = [row.prediction_id for request in logged for row in request.rows]
    assert ids == [each.json["predictions"][0]["id"] for each in answered]


def test_slow_callers_do_not_hold_up_others(folder):
    with running("--packages", folder) as scorer:
        slow = scorer.connect()
        slow.putrequest("POST", "/v1/deployments/late/score")
        slow.putheader("content-length", "100")
        slow.endheaders()
        slow.send(b"{")
        done = threading.Event()

        def ask():
            if scorer.score().status == 200:
                done.set()

        threading.Thread(target=ask).start()
        assert done.wait(10)


def seen_workers(scorer, number):
    """Return the process ids of the workers once one of them knows of `number`."""
    last = time.monotonic() + 20
    while time.monotonic() < last:
        workers = scorer.get("/v1/status").json["processes"]["workers"]
        if len(workers) == number:
            return {each["pid"] for each in workers}
        time.sleep(0.05)
    raise AssertionError(f"{workers} are not {number} workers")


def test_several_workers_share_the_port(folder):
    with running("--packages", folder, "--workers", 2) as scorer:
        pids = seen_workers(scorer, 2)
        answered = {scorer.get("/v1/status").json["pid"] for _ in range(60)}
        assert answered <= pids
        assert scorer.score().status == 200
    assert not any(alive(pid) for pid in pids)
