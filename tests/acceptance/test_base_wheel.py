"""The wheel in environments of its own: what the base install scores, and what it refuses."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from shop import ROW, TREES, bring_live, write_shop
from tondo.workspace.bootstrap import open_workspace

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
HEAVY = {"duckdb", "pyarrow", "sklearn", "lightgbm", "sqlalchemy", "litestar"}
ROWS = [
    {"pages": float(at % 13), "minutes": None if at % 7 == 0 else at / 3, "device": device}
    for at in range(100)
    for device in ("phone", "desktop", None)
]
SCORES = """
import json, sys, tondo
model = tondo.load(sys.argv[1])
print(json.dumps([model.predict(row).hex() for row in json.load(sys.stdin)]))
"""


WAYS = """
import http.server, json, sys, threading, numpy, tondo
from pathlib import Path

class Quiet(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *arguments):
        super().__init__(*arguments, directory=str(Path(sys.argv[1]).parent))
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_address[1]}/{Path(sys.argv[1]).name}"
rows = json.load(sys.stdin)
columns = {name: [row[name] for row in rows] for name in rows[0]}
arrays = {**columns, "minutes": numpy.array([row["minutes"] for row in rows], dtype=float)}
found = {}
for place in (sys.argv[1], Path(sys.argv[1]).as_uri(), address):
    model = tondo.load(place)
    for way, data in (("rows", rows), ("columns", columns), ("arrays", arrays)):
        found[f"{place[:4]} {way}"] = [each.hex() for each in model.predict(data)]
print(json.dumps(found))
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


class Environment:
    """A virtual environment, and what runs in it."""

    def __init__(self, folder):
        self.folder = folder
        self.bin = folder / "bin"

    def run(self, program, *arguments, stdin="", check=True):
        clean = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [self.bin / program, *map(str, arguments)],
            cwd=self.folder.parent,
            env=clean,
            input=stdin,
            capture_output=True,
            text=True,
            check=check,
            timeout=600,
        )

    def install(self, *what):
        # The present pip puts in from outside: an environment without one is made in no time.
        pip = [sys.executable, "-m", "pip", "--python", self.bin / "python", "install", "--quiet"]
        limits = ["--disable-pip-version-check", "-c", ROOT / "constraints.txt"]
        subprocess.run([*map(str, [*pip, *limits, *what])], check=True, timeout=600)

    def scores(self, package, rows, *, check=True):
        return self.run("python", "-c", SCORES, package, stdin=json.dumps(rows), check=check)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True, timeout=300)
    (found,) = folder.glob("tondo-*.whl")
    return found


@pytest.fixture(scope="module")
def base(wheel, tmp_path_factory):
    environment = Environment(tmp_path_factory.mktemp("base") / "venv")
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(environment.folder)], check=True
    )
    environment.install(wheel)
    return environment


@pytest.fixture(scope="module")
def with_lightgbm(base, wheel):
    """The base environment with the extra put in: take this after what asks for the base."""
    base.install(f"tondo[lightgbm] @ {wheel.as_uri()}")
    return base


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The folder with the packages of both models, and what the workspace answers."""
    folder = tmp_path_factory.mktemp("shop")
    bring_live(write_shop(folder, TREES))
    with open_workspace(folder) as workspace:
        run = workspace.training.train("buys_trees")
        workspace.deployment.deploy("buys_trees", str(workspace.registry.register(run.id).number))
        blobs, answers = workspace.parts.blobs, {}
        for name in ("buys", "buys_trees"):
            package = workspace.registry.version(name, "1").package
            (folder / name).mkdir()
            (folder / name / f"{name}.tondo").write_bytes(blobs.get(package))
            predict = workspace.deployment.predict
            answers[name] = [predict(name, row).predictions[0].score.hex() for row in ROWS[:30]]
    return folder, answers


@contextlib.contextmanager
def scorer_of(environment, packages):
    command = [environment.bin / "tondo-scorer", "--packages", packages, "--port", "0"]
    with subprocess.Popen(
        [*map(str, command)], stdout=subprocess.PIPE, text=True, cwd=environment.folder
    ) as process:
        try:
            yield json.loads(process.stdout.readline())["ready"]
        finally:
            process.terminate()


def post(address, body):
    request = urllib.request.Request(
        address, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_the_base_install_brings_none_of_the_platform(base):
    code = f"import importlib.util as u; print(*(n for n in {sorted(HEAVY)!r} if u.find_spec(n)))"
    assert base.run("python", "-c", code).stdout.split() == []


def test_the_base_install_scores_a_logistic_package_as_the_workspace_does(base, shop):
    folder, answers = shop
    found = base.scores(folder / "buys" / "buys.tondo", ROWS[:30])
    assert json.loads(found.stdout) == answers["buys"]


def test_the_base_install_scores_every_make_of_table_from_every_place(base, shop):
    folder, answers = shop
    package = folder / "buys" / "buys.tondo"
    found = base.run("python", "-c", WAYS, package, stdin=json.dumps(ROWS[:30]))
    scores, modules = map(json.loads, found.stdout.splitlines())
    assert len(scores) == 9
    assert all(each == answers["buys"] for each in scores.values()), scores
    assert not set(modules) & HEAVY


def test_the_base_install_refuses_trees_and_names_the_extra(base, shop):
    found = base.scores(shop[0] / "buys_trees" / "buys_trees.tondo", ROWS[:1], check=False)
    last = found.stderr.splitlines()[-1]
    assert last.startswith("tondo.core.errors.MissingExtraError: TD-INSTALL-001")
    assert "pip install 'tondo[lightgbm]'" in last


def test_the_base_installs_scorer_refuses_trees_in_one_coded_line(base, shop):
    command = ("tondo-scorer", "--packages", shop[0] / "buys_trees", "--port", "0")
    found = base.run(*command, check=False)
    assert found.returncode == 2
    assert "TD-INSTALL-001" in found.stderr
    assert "pip install 'tondo[lightgbm]'" in found.stderr
    assert "Traceback" not in found.stderr


def test_the_base_installs_scorer_answers_both_protocols_alike(base, shop):
    folder, answers = shop
    with scorer_of(base, folder / "buys") as address:
        native = post(f"{address}/v1/deployments/buys/score", {"rows": [ROWS[1], ROW]})
        tensors = [
            {"name": "pages", "shape": [1], "datatype": "FP64", "data": [ROW["pages"]]},
            {"name": "minutes", "shape": [1], "datatype": "FP64", "data": [ROW["minutes"]]},
            {"name": "device", "shape": [1], "datatype": "BYTES", "data": [ROW["device"]]},
        ]
        v2 = post(f"{address}/v2/models/buys/infer", {"inputs": tensors})
    first, second = (each["score"] for each in native["predictions"])
    assert first.hex() == answers["buys"][1]
    scores = {each["name"]: each["data"] for each in v2["outputs"]}
    assert scores["score"] == [second]


def test_without_the_platform_the_command_line_helps_and_tells_the_install_command(base):
    assert base.run("tondo", "--help").stdout.startswith("Usage: tondo")
    found = base.run("tondo", "dataset", "list", check=False)
    assert found.returncode == 2
    assert "pip install 'tondo[platform]'" in found.stderr
    assert "Traceback" not in found.stderr


def test_a_code_is_explained_from_the_wheel_alone(base):
    page = (ROOT / "docs" / "codes" / "TD-KNOWN-001.md").read_text()
    assert base.run("tondo", "explain", "TD-KNOWN-001").stdout == page


@pytest.mark.parametrize("where", ["base", "everything"])
def test_import_tondo_loads_nothing_heavy(where, base):
    python = base if where == "base" else Environment(Path(sys.prefix))
    code = "import sys, tondo; print(*(name.partition('.')[0] for name in sys.modules))"
    assert not set(python.run("python", "-c", code).stdout.split()) & HEAVY


@pytest.mark.parametrize("where", ["base", "everything"])
def test_start_up_is_measured_and_told(where, base, capsys):
    python = base if where == "base" else Environment(Path(sys.prefix))
    commands = {
        "python -c pass": ("python", "-c", "pass"),
        "import tondo": ("python", "-c", "import tondo"),
        "tondo --help": ("tondo", "--help"),
    }
    for said, command in commands.items():
        spent = []
        for _ in range(7):
            begun = time.perf_counter()
            python.run(*command)
            spent.append(time.perf_counter() - begun)
        with capsys.disabled():
            print(f"\n{where}: {said}: {statistics.median(spent):.3f} s (aim: below 0.3 s)", end="")


def test_with_the_extra_the_same_environment_scores_the_trees(with_lightgbm, shop):
    folder, answers = shop
    found = with_lightgbm.scores(folder / "buys_trees" / "buys_trees.tondo", ROWS[:30])
    assert json.loads(found.stdout) == answers["buys_trees"]
