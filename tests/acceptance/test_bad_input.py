"""Bad input through Python, the command line, REST and the scorer.

Each time: a coded error that names the place and what to do, no traceback, nothing half written.
"""

import contextlib
import json
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from shop import HABITS, ROW, bring_live, write_shop
from tondo.core.errors import TondoError
from tondo.faces.cli.start import main
from tondo.workspace.bootstrap import open_workspace

CHEATS = """\
model: cheats
owner: ana
description: Reads what is known only after the visit.
source: visits
row_id: visit
time: at
label: bought
algorithm: logistic
features: {told: "case when bought then 1.0 else 0.0 end"}
"""
EVENT = {"visit": "v9001", "customer": "c01", "at": "2026-03-01T00:00:00Z"}
NO_TIME = {"visit": "v9002", "customer": "c01"}
WORD_AS_TIME = {**EVENT, "visit": "v9003", "at": "tomorrow"}
TOLD = {"prediction_id": "one", "label": 1}


class Case:
    """One mistake: how Python, the command line and REST make it, and what must be said."""

    def __init__(self, code, says, python, words, rest):
        self.code, self.says, self.python, self.words, self.rest = code, says, python, words, rest


def predict(code, says, row, name="buys"):
    return Case(
        code,
        says,
        lambda shop: shop.deployment.predict(name, row),
        ["predict", name, *(f"{column}={json.dumps(value)}" for column, value in row.items())],
        ("POST", f"/v1/deployments/{name}/predictions", {"row": row}),
    )


def push(code, says, view, *events):
    return Case(
        code,
        says,
        lambda shop: shop.features.push(view, list(events)),
        ["view", "push", view, json.dumps(events)],
        ("POST", f"/v1/views/{view}/events", {"events": events}),
    )


def outcome(code, says, name, *told):
    return Case(
        code,
        says,
        lambda shop: shop.monitoring.record_outcomes(name, list(told)),
        ["outcome", "record", name, json.dumps(told)],
        ("POST", f"/v1/deployments/{name}/outcomes", {"outcomes": told}),
    )


def read(code, says, python, words, path):
    return Case(code, says, python, words.split(), ("GET", path, None))


def write(code, says, python, words, path, **body):
    return Case(code, says, python, words.split(), ("POST", path, body))


def sql(code, says, text):
    return Case(
        code,
        says,
        lambda shop: shop.data.sql(text),
        ["sql", "query", text],
        ("POST", "/v1/sql", {"text": text}),
    )


CASES = {
    "wrong column of a row": predict("TD-SCORE-003", "rows[0].pagse", {**ROW, "pagse": 1.0}),
    "missing column of a row": predict("TD-SCORE-001", "rows[0].device", {"pages": 1.0}),
    "wrong type in a row": predict("TD-SCORE-002", "rows[0].pages", {**ROW, "pages": "many"}),
    "unknown deployment": predict("TD-PLAN-004", "'buys'", ROW, name="bys"),
    "wrong column of an event": push("TD-FEATURE-016", "events[1]", "habits", EVENT, NO_TIME),
    "wrong type in an event": push("TD-LANG-008", "events[1]", "habits", EVENT, WORD_AS_TIME),
    "events of an unknown view": push("TD-WORKSPACE-014", "'habits'", "habit", EVENT),
    "wrong column of an outcome": outcome(
        "TD-MONITOR-001", "outcomes[1]", "buys", TOLD, {"prediction": "two", "label": 1}
    ),
    "wrong type in an outcome": outcome(
        "TD-MONITOR-001", "outcomes[1]", "buys", TOLD, {**TOLD, "label": "yes"}
    ),
    "wrong time of an outcome": outcome(
        "TD-CORE-004", "outcomes[0].event_time", "buys", {**TOLD, "event_time": "soon"}
    ),
    "outcome of an unknown deployment": outcome("TD-DEPLOY-001", "'buys'", "bys", TOLD),
    "wrong column in SQL": sql("TD-ENGINE-001", "pagse", "select pagse from visits"),
    "a file in SQL": sql("TD-ENGINE-004", "/etc/passwd", "select * from read_text('/etc/passwd')"),
    "writing in SQL": sql("TD-ENGINE-002", "CREATE", "create table t as select 1"),
    "unknown entity": read(
        "TD-PROJECT-004",
        "'customer'",
        lambda shop: shop.features.entity("custmer"),
        "entity show custmer",
        "/v1/entities/custmer",
    ),
    "unknown view": read(
        "TD-WORKSPACE-014",
        "'habits'",
        lambda shop: shop.features.read_online("habit", ["c01"]),
        "view read habit c01",
        "/v1/views/habit/rows?keys=c01",
    ),
    "unknown source": write(
        "TD-PROJECT-004",
        "'visits'",
        lambda shop: shop.data.commit_source("vists"),
        "source commit vists",
        "/v1/sources/vists/commits",
    ),
    "unknown dataset": read(
        "TD-WORKSPACE-003",
        "'visits'",
        lambda shop: shop.data.statistics("vists"),
        "snapshot statistics vists",
        "/v1/snapshots/vists/statistics",
    ),
    "unknown model to train": write(
        "TD-PROJECT-004",
        "'buys'",
        lambda shop: shop.training.train("bys"),
        "model train bys",
        "/v1/models/bys/runs",
    ),
    "unknown model to deploy": write(
        "TD-REGISTRY-001",
        "'buys'",
        lambda shop: shop.deployment.deploy("bys"),
        "model deploy bys",
        "/v1/models/bys/deployments",
    ),
    "unknown version": read(
        "TD-REGISTRY-001",
        "'live'",
        lambda shop: shop.registry.version("buys", "lvie"),
        "model version buys lvie",
        "/v1/models/buys/versions/lvie",
    ),
    "unknown version to try": write(
        "TD-REGISTRY-001",
        "'1'",
        lambda shop: shop.rollouts.start("buys", "99"),
        "rollout start buys 99",
        "/v1/deployments/buys/rollouts",
        version="99",
    ),
    "unknown deployment's metrics": read(
        "TD-DEPLOY-001",
        "'buys'",
        lambda shop: shop.monitoring.live_metrics("bys"),
        "deployment metrics bys",
        "/v1/deployments/bys/metrics",
    ),
    "unknown run": write(
        "TD-WORKSPACE-008",
        "'zzz'",
        lambda shop: shop.registry.register("zzz"),
        "run register zzz",
        "/v1/runs/zzz/versions",
    ),
    "unknown prediction": read(
        "TD-WORKSPACE-007",
        "'zzz'",
        lambda shop: shop.monitoring.prediction("zzz"),
        "prediction show zzz",
        "/v1/predictions/zzz",
    ),
    "a spec that reads what is known only later": write(
        "TD-KNOWN-001",
        "shop2.yaml:1: feature 'told' reads 'bought', which becomes known at 'ended_at'",
        lambda shop: shop.training.train("cheats"),
        "model train cheats",
        "/v1/models/cheats/runs",
    ),
}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@contextlib.contextmanager
def process(log, module, *arguments):
    """A server's process; at its end its own log must not hold a traceback."""
    command = [sys.executable, "-m", module, *map(str, arguments), "--port", "0"]
    with (
        log.open("w") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as running,
    ):
        try:
            yield json.loads(running.stdout.readline())["ready"]
        finally:
            running.terminate()
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A live shop in a folder, served: its REST and its scorer answer."""
    folder = write_shop(tmp_path_factory.mktemp("shop"), HABITS, CHEATS)
    bring_live(folder)
    with open_workspace(folder) as workspace:
        workspace.features.sync_definitions()
        workspace.features.materialise("habits")
    logs = tmp_path_factory.mktemp("logs")
    with (
        process(logs / "web", "tondo.faces.server", "--project", folder) as web,
        process(logs / "scorer", "tondo.faces.scorer", "--root", folder / ".tondo") as scorer,
    ):
        yield SimpleNamespace(folder=folder, web=web, scorer=scorer)


@pytest.fixture
def untouched(shop):
    """Hold that the test leaves no row in the ledger, no blob, no frame."""
    before = written(shop.folder / ".tondo")
    yield
    assert written(shop.folder / ".tondo") == before


def written(state):
    with contextlib.closing(sqlite3.connect(state / "ledger.db")) as ledger:
        tables = ledger.execute("select name from sqlite_master where type = 'table'").fetchall()
        rows = {
            name: ledger.execute(f"select count(*) from {name}").fetchone() for (name,) in tables
        }
        rows["moved"] = ledger.execute("select * from pointers order by 1").fetchall()
    folders = (state / name for name in ("blobs", "eventlog", "serving"))
    files = [each for folder in folders for each in folder.rglob("[!.]*") if each.is_file()]
    return rows, sorted((str(each), each.stat().st_size) for each in files)


def ask(method, address, body):
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(address, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


@each_case
def test_python_raises_a_coded_error_that_names_the_place(case, shop, untouched):
    with open_workspace(shop.folder) as workspace, pytest.raises(TondoError) as raised:
        case.python(workspace)
    assert raised.value.code == case.code
    assert case.says in raised.value.message


@each_case
def test_the_command_line_says_the_same_without_a_traceback(
    case, shop, untouched, capsys, monkeypatch
):
    monkeypatch.chdir(shop.folder)
    assert main(case.words) in {1, 2}
    out, said = capsys.readouterr()
    assert said.startswith(f"{case.code}: ")
    assert case.says in said
    assert f"tondo explain {case.code}" in said
    assert "Traceback" not in out + said


@each_case
def test_rest_answers_the_same_in_its_one_shape(case, shop, untouched):
    method, path, body = case.rest
    status, answer = ask(method, shop.web + path, body)
    assert 400 <= status < 500
    assert answer["error"]["code"] == case.code
    assert case.says in answer["error"]["message"]


def test_an_unknown_key_reads_as_nothing_known(shop, untouched):
    with open_workspace(shop.folder) as workspace:
        (row,) = workspace.features.read_online("habits", ["nobody"])
    assert row == {"customer": "nobody", "visits_7d": 0.0}


TENSOR = {"name": "pages", "shape": [1], "datatype": "FP64", "data": [1.0]}
SCORER = {
    "wrong column": ("/v1/deployments/buys/score", {"rows": [{**ROW, "pagse": 1}]}, "TD-SCORE-003"),
    "wrong type": ("/v1/deployments/buys/score", {"rows": [{**ROW, "pages": "x"}]}, "TD-SCORE-002"),
    "missing column": ("/v1/deployments/buys/score", {"rows": [{}]}, "TD-SCORE-001"),
    "unknown deployment": ("/v1/deployments/bys/score", {"rows": [ROW]}, "TD-PLAN-004"),
    "not JSON": ("/v1/deployments/buys/score", b"{rows", None),
    "no object": ("/v1/deployments/buys/score", [ROW], None),
    "no rows": ("/v1/deployments/buys/score", {"rows": []}, None),
    "unknown field": ("/v1/deployments/buys/score", {"rows": [ROW], "asof": 1}, None),
    "wrong time": ("/v1/deployments/buys/score", {"rows": [ROW], "as_of": "soon"}, None),
    "unknown model in V2": ("/v2/models/bys/infer", {"inputs": [TENSOR]}, "TD-PLAN-004"),
    "unknown version in V2": (
        "/v2/models/buys/versions/99/infer",
        {"inputs": [TENSOR]},
        "TD-PLAN-003",
    ),
    "missing column in V2": ("/v2/models/buys/infer", {"inputs": [TENSOR]}, "TD-SCORE-001"),
    "wrong column in V2": (
        "/v2/models/buys/infer",
        {"inputs": [{**TENSOR, "name": "pagse"}]},
        "TD-SCORE-003",
    ),
    "wrong type in V2": (
        "/v2/models/buys/infer",
        {"inputs": [{**TENSOR, "datatype": "BYTES", "data": ["x"]}]},
        None,
    ),
}


@pytest.mark.parametrize(("path", "body", "code"), SCORER.values(), ids=SCORER)
def test_the_scorer_refuses_with_a_code_and_logs_no_prediction(path, body, code, shop, untouched):
    status, answer = ask("POST", shop.scorer + path, body)
    error = answer["error"]
    said = error if isinstance(error, str) else f"{error['code']}: {error['message']}"
    assert 400 <= status < 500
    assert said.startswith(code or "TD-")


def test_after_all_of_it_good_input_is_answered(shop):
    status, answer = ask("POST", f"{shop.scorer}/v1/deployments/buys/score", {"rows": [ROW]})
    assert status == 200
    _, told = ask("POST", f"{shop.web}/v1/deployments/buys/predictions", {"row": ROW})
    assert told["predictions"][0]["score"] == answer["predictions"][0]["score"]
