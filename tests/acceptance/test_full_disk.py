"""A disk that is full: a coded error, the old state stays, and with room again all goes on."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from scorer_process import running
from shop import HABITS, ROW, bring_live, write_shop, write_visits
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.core.errors import PlatformError
from tondo.faces.cli.start import main
from tondo.scoring.frames import decode
from tondo.workspace.bootstrap import open_workspace

STREAM = "predictions/buys"
_CODES = {"TD-LEDGER-006", "TD-BLOB-003", "TD-LOG-001", "TD-ONLINE-005", "TD-PLAN-006"}
EVENTS = [
    {"visit": f"v9{at:03d}", "customer": "c01", "at": "2026-03-01T00:00:00Z"} for at in range(500)
]


def can_mount(folder):
    if os.getuid() != 0:
        return False
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    return done.returncode == 0


class SmallDisk:
    """A shop whose state lies on a file system of its own, with a ballast to fill it by."""

    def __init__(self, folder):
        self.folder = folder
        self.state = folder / ".tondo"
        self._ballast = self.state / "ballast"

    @contextlib.contextmanager
    def left(self, room):
        """Leave `room` bytes on the disk."""
        found = os.statvfs(self.state)
        self._ballast.write_bytes(b"x" * max(0, found.f_bavail * found.f_frsize - room))
        try:
            yield
        finally:
            self._ballast.unlink()

    def seen(self):
        """What the ledger, the plan and the log say."""
        with open_workspace(self.folder) as shop:
            log, parts = shop.parts.eventlog, shop.parts
            return (
                [(each.name, each.target, each.number) for each in parts.ledger.pointers("")],
                parts.plan_pointer.read_bytes(),
                [
                    payload
                    for stream in (STREAM, "outcomes/buys")
                    for _, payload in log.read(stream)
                ],
            )


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("small"), HABITS)
    (folder / ".tondo").mkdir()
    if not can_mount(folder / ".tondo"):
        pytest.skip("a small file system can be mounted by root only")
    try:
        bring_live(folder)
        with open_workspace(folder) as shop:
            shop.features.sync_definitions()
            shop.features.materialise("habits")
            shop.deployment.predict("buys", ROW)
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder / ".tondo")], check=True)


def commit(shop):
    shop.data.commit_source("visits")


def train(shop):
    shop.training.train("buys")


def deploy(shop):
    shop.deployment.deploy("buys", "1", why="again")


def predict(shop):
    shop.deployment.predict("buys", ROW)


def outcomes(shop):
    told = [{"prediction_id": f"p{at}", "label": 1} for at in range(3_000)]
    shop.monitoring.record_outcomes("buys", told)


def push(shop):
    shop.features.push("habits", EVENTS)


def materialise(shop):
    shop.features.materialise("habits")


@pytest.mark.parametrize("room", [0, 4_096, 16_384, 65_536])
@pytest.mark.parametrize("verb", [commit, train, deploy, predict, outcomes, push, materialise])
def test_a_verb_does_all_or_refuses_and_does_nothing(verb, room, disk):
    write_visits(disk.folder / "visits.csv", seed=room + 1)  # so that a commit has what to write
    before = disk.seen()
    refused = False
    with disk.left(room), open_workspace(disk.folder) as shop:
        try:
            verb(shop)
        except PlatformError as error:
            refused = True
            assert error.code in _CODES
            assert "space" in error.message
    if refused:
        assert disk.seen() == before
    with open_workspace(disk.folder) as shop:
        verb(shop)
    assert room or refused


def test_the_command_line_says_so_in_a_coded_line(disk, capsys, monkeypatch):
    monkeypatch.chdir(disk.folder)
    write_visits(disk.folder / "visits.csv", seed=99)
    before = disk.seen()
    with disk.left(30_000):
        assert main(["source", "commit", "visits"]) == 3
        assert main(["up", "--exit", "--json"]) == 3
    out, said = capsys.readouterr()
    assert said.count("TD-LEDGER-006: ") == 2
    assert "Traceback" not in out + said
    assert disk.seen()[0] == before[0]


def test_the_scorer_answers_503_and_goes_on_when_there_is_room_again(disk):
    with running("--root", disk.state) as scorer:
        assert scorer.score(ROW, name="buys", ids=["before"]).status == 200
        with disk.left(0):
            answers = [scorer.score(ROW, name="buys", ids=[f"f{at}"]) for at in range(200)]
        assert scorer.score(ROW, name="buys", ids=["after"]).status == 200
    kept = [f"f{at}" for at, each in enumerate(answers) if each.status == 200]
    refused = [each for each in answers if each.status != 200]
    assert {(each.status, each.code) for each in refused} == {(503, "TD-LOG-001")}
    logged = ids_of(FilesEventLog(disk.state / "eventlog"))
    ours = [each for each in logged if each in {"before", "after"} or each.startswith("f")]
    assert ours == ["before", *kept, "after"]


def ids_of(log):
    return [row.prediction_id for _, data in log.read(STREAM) for row in decode(data).rows]


LIMITED = """
import resource, sys
from tondo.faces.scorer.start import main
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
sys.exit(main(sys.argv[1:]))
"""


def test_every_acknowledged_prediction_is_whole_in_the_log_of_a_limited_scorer(tmp_path):
    """Runs everywhere: the system's own limit on the size of a file stands for the disk."""
    import urllib.error
    import urllib.request

    folder = write_shop(tmp_path / "shop")
    version = bring_live(folder)
    with open_workspace(folder) as shop:
        package = shop.parts.blobs.get(version.package)
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "buys.tondo").write_bytes(package)
    where = ["--packages", str(tmp_path / "packages"), "--log", str(tmp_path / "log")]
    command = [sys.executable, "-c", LIMITED, *where, "--port", "0"]
    kept, refused = [], []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as scorer:
        address = json.loads(scorer.stdout.readline())["ready"]
        for at in range(60):
            body = json.dumps({"rows": [ROW], "ids": [f"p{at}"]}).encode()
            request = urllib.request.Request(f"{address}/v1/deployments/buys/score", body)
            try:
                with urllib.request.urlopen(request, timeout=30):
                    kept.append(f"p{at}")
            except urllib.error.HTTPError as error:
                with error:
                    refused.append((error.code, json.load(error)["error"]["code"]))
        scorer.terminate()
        assert b"Traceback" not in scorer.stderr.read()
    assert set(refused) == {(503, "TD-LOG-001")}
    assert ids_of(FilesEventLog(tmp_path / "log")) == kept
