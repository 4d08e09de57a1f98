"""A broken definition file: the file, the line and the cure are told, and nothing is written."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from shop import HABITS, PROJECT, write_shop
from tondo.core.errors import TondoError
from tondo.faces.cli.start import main
from tondo.workspace.bootstrap import open_workspace
from tondo.workspace.pipelines.up import up

RETRAINING = "retraining: buys\nwindow: 28d\n"
CIRCLE = (
    "dataset: first\ninputs: [second]\nsql: select * from second\n---\n"
    "dataset: second\ninputs: [first]\nsql: select * from first\n"
)


def bring_up(shop):
    up(shop.parts, by="ana", why="a test")


def train(shop):
    shop.training.train("buys")


def commit(shop):
    shop.data.commit_source("visits")


def sync(shop):
    shop.features.sync_definitions()


def deploy(shop):
    shop.deployment.deploy("buys")


def policy(shop):
    shop.retraining.check_policy("buys")


def derive(shop):
    shop.data.derive("first")


# What a whole file says instead, its code, and what must be named.
FILES = {
    "unclosed": ("model: [open\n", "TD-PROJECT-001", "more.yaml:2"),
    "tabs": ("model: x\n\towner: a\n", "TD-PROJECT-001", "more.yaml:2"),
    "not UTF-8": (b"\xff\xfe\x00model", "TD-PROJECT-001", "more.yaml"),
    "a control character": ("model: x\nowner: a\0b\n", "TD-PROJECT-001", "more.yaml:2"),
    "a Python object": ("model: !!python/name:os.system x\n", "TD-PROJECT-001", "more.yaml:1"),
    "an anchor in itself": ("model: x\na: &a [*a]\n", "TD-PROJECT-001", "more.yaml:2"),
    "a list as key": ("model: x\n? [a]\n: b\n", "TD-PROJECT-001", "more.yaml:2"),
    "a key twice": ("model: x\nowner: a\nowner: b\n", "TD-PROJECT-001", "more.yaml:3"),
    "an unknown kind": ("modle: x\n", "TD-PROJECT-002", "'model'"),
    "no mapping": ("- a\n- b\n", "TD-PROJECT-002", "more.yaml:1"),
    "a model defined twice": ("model: buys\n", "TD-PROJECT-003", "more.yaml:1 and shop0.yaml:14"),
    "a number as name": ("model: 5\n", "TD-CORE-006", "more.yaml:1"),
}

# A text of the good files, what stands there instead, the verb that meets it, code and place.
CHANGES = {
    "unknown key of a source": ("event_time:", "event_tme:", commit, "TD-DATA-001", "shop0.yaml:5"),
    "unknown type": ("at: timestamp", "at: timestmp", commit, "TD-CORE-005", "'timestamp'"),
    "declared column not there": ("bought: bool}", "bougt: bool}", commit, "TD-DATA-006", "bougt"),
    "key column not there": ("key: [visit]", "key: [vist]", commit, "TD-DATA-006", "'visit'"),
    "file not there": ("visits.csv", "vists.csv", commit, "TD-DATA-002", "'visits.csv'"),
    "cells of another type": ("visit: string", "visit: double", commit, "TD-DATA-004", "row 1"),
    "unknown key of a model": ("algorithm:", "algoritm:", train, "TD-SPEC-001", "shop0.yaml:14"),
    "unknown key below": ("by: time", "buy: time", train, "TD-SPEC-001", "'split.buy'"),
    "unknown algorithm": ("logistic", "logisti", train, "TD-SPEC-004", "'logistic'"),
    "unknown source of a model": (
        "source: visits\nrow_id",
        "source: vists\nrow_id",
        train,
        "TD-PROJECT-004",
        "shop0.yaml:14",
    ),
    "unknown row id": ("row_id: visit", "row_id: vist", train, "TD-SPEC-006", "shop0.yaml:14"),
    "unknown time": ("time: at\nlabel", "time: att\nlabel", train, "TD-SPEC-006", "'at'"),
    "text as time": (
        "label_known_at: ended_at",
        "label_known_at: device",
        train,
        "TD-SPEC-006",
        "string, not timestamp",
    ),
    "unknown label": ("label: bought", "label: bougt", train, "TD-LANG-003", "label"),
    "text as label": ("label: bought", "label: device", train, "TD-FEATURE-011", "shop0.yaml:14"),
    "unknown column of a feature": (
        "fill_mean(pages)",
        "fill_mean(pagse)",
        train,
        "TD-LANG-003",
        "shop0.yaml:14: feature 'pages'",
    ),
    "a feature cut short": (
        "fill_mean(pages))",
        "fill_mean(pages)",
        train,
        "TD-LANG-001",
        "shop0.yaml:14: feature 'pages'",
    ),
    "unknown view of a feature": (
        "fill_mean(pages)",
        "fill_mean(@habit.visits_7d)",
        train,
        "TD-LANG-004",
        "shop0.yaml:14: feature 'pages'",
    ),
    "text as parameter": (
        "threshold: 0.5",
        "parameters: {c: lots}",
        train,
        "TD-SPEC-005",
        "expected a number",
    ),
    "parameter out of range": (
        "threshold: 0.5",
        "parameters: {c: -1}",
        train,
        "TD-SPEC-005",
        "scikit-learn",
    ),
    "unknown slice": ("threshold: 0.5", "slices: [devic]", train, "TD-SPEC-006", "'device'"),
    "unknown entity of a view": (
        "entity: customer\nsource",
        "entity: custmer\nsource",
        sync,
        "TD-PROJECT-004",
        "shop1.yaml:6",
    ),
    "unknown source of a view": (
        "source: visits\nowner: ana\ndescription: What",
        "source: vists\nowner: ana\ndescription: What",
        sync,
        "TD-PROJECT-004",
        "shop1.yaml:6",
    ),
    "unknown key of a view": ("freshness:", "freshnes:", sync, "TD-FEATURE-001", "shop1.yaml:6"),
    "no duration": ("freshness: 1d", "freshness: soon", sync, "TD-CORE-002", "shop1.yaml:6"),
    "no window": ("over 7d", "over soon", sync, "TD-CORE-002", "feature 'visits_7d'"),
    "unknown column of a view": (
        "count(*)",
        "count(pagse)",
        sync,
        "TD-LANG-003",
        "shop1.yaml:6: feature 'visits_7d'",
    ),
    "key of another type": (
        "key: customer",
        "key: customer\ntype: id",
        sync,
        "TD-FEATURE-007",
        "shop1.yaml:7",
    ),
    "unknown key of a policy": ("window:", "windw:", policy, "TD-RETRAIN-001", "shop2.yaml:1"),
    "no duration in a policy": ("window: 28d", "window: soon", policy, "TD-CORE-002", "shop2.yaml"),
    "unknown column in SQL": (
        "inputs: [second]\nsql: select * from second",
        "inputs: [visits]\nsql: select pagse from visits",
        derive,
        "TD-ENGINE-001",
        "shop3.yaml:1",
    ),
    "datasets made from each other": ("first", "first", derive, "TD-PROJECT-006", "shop3.yaml"),
    "unknown key of the project": (
        "project: shop",
        "project: shop\nownr: a",
        commit,
        "TD-PROJECT-005",
        "shop0.yaml:1",
    ),
}


@pytest.fixture
def folder(tmp_path):
    """A shop whose visits are committed."""
    write_shop(tmp_path, HABITS, RETRAINING, CIRCLE, rows=300)
    with open_workspace(tmp_path) as shop:
        shop.data.commit_source("visits")
    return tmp_path


def pointers(folder):
    """Every name with what it points at: the ledger as others see it."""
    (folder / "more.yaml").unlink(missing_ok=True)
    with open_workspace(folder) as shop:
        return [(each.name, each.target) for each in shop.parts.ledger.pointers("")]


def break_file(folder, text):
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "more.yaml").write_bytes(data)


def change(folder, before, after):
    found = [each for each in sorted(folder.glob("*.yaml")) if before in each.read_text()]
    found[0].write_text(found[0].read_text().replace(before, after))


@pytest.mark.parametrize(("text", "code", "place"), FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_read_stops_everything_at_once(text, code, place, folder):
    before = pointers(folder)
    break_file(folder, text)
    with open_workspace(folder) as shop, pytest.raises(TondoError) as raised:
        bring_up(shop)
    assert raised.value.code == code
    assert place in raised.value.message
    assert pointers(folder) == before


@pytest.mark.parametrize(("old", "new", "verb", "code", "place"), CHANGES.values(), ids=CHANGES)
def test_what_is_defined_wrongly_is_told_with_its_place(old, new, verb, code, place, folder):
    before = pointers(folder)
    change(folder, old, new)
    with open_workspace(folder) as shop, pytest.raises(TondoError) as raised:
        verb(shop)
    assert raised.value.code == code
    assert place in raised.value.message
    assert pointers(folder) == before


@pytest.mark.parametrize("key", ["log_mod: written", "log_mode: loud", "log_mode: off"])
def test_a_deployments_settings_are_read_before_anything_goes_live(key, folder):
    with open_workspace(folder) as shop:
        shop.registry.register(shop.training.train("buys").id, override="few rows")
    change(folder, "deployment: buys\n", f"deployment: buys\n{key}\n")
    with open_workspace(folder) as shop, pytest.raises(TondoError, match=r"shop0.yaml:32.*log_mod"):
        deploy(shop)
    with open_workspace(folder) as shop:
        assert shop.deployment.deployments() == []


def test_settings_of_a_wrong_type_name_the_file(folder):
    change(folder, "project: shop\n", "project: shop\nsettings: {threads: many}\n")
    with (
        open_workspace(folder) as shop,
        pytest.raises(TondoError, match=r"TD-SETTING-001.*0.yaml:1"),
    ):
        train(shop)


@pytest.mark.parametrize("words", [["up", "--exit"], ["status"], ["source", "commit", "visits"]])
def test_the_command_line_says_file_and_line(words, folder, capsys, monkeypatch):
    break_file(folder, "model: x\nowner: a\nowner: b\n")
    monkeypatch.chdir(folder)
    assert main(words) == 2
    out, said = capsys.readouterr()
    assert said.startswith("TD-PROJECT-001: more.yaml:3: the key 'owner' stands twice")
    assert "Traceback" not in out + said


def test_the_doctor_tells_a_broken_file_among_what_is_well(folder, capsys, monkeypatch):
    break_file(folder, "model: [open\n")
    monkeypatch.chdir(folder)
    assert main(["doctor", "--json"]) == 1
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert "more.yaml:2" in found["project"]["detail"]
    assert found["ledger"]["ok"]


def test_up_leaves_no_dataset_where_a_spec_is_wrong(tmp_path, capsys, monkeypatch):
    write_shop(tmp_path, rows=300)
    change(tmp_path, "fill_mean(pages)", "fill_mean(pagse)")
    monkeypatch.chdir(tmp_path)
    assert main(["up", "--exit", "--json"]) == 2
    assert "shop0.yaml:14: feature 'pages': there is no column 'pagse'" in capsys.readouterr().err
    assert [name for name, _ in pointers(tmp_path) if name.startswith(("model/", "deploy"))] == []


def test_a_running_server_answers_a_file_broken_under_it_and_goes_on(folder):
    arguments = ["--project", str(folder), "--port", "0"]
    command = [sys.executable, "-m", "tondo.faces.server", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        address = json.loads(server.stdout.readline())["ready"]
        break_file(folder, "view: [open\n")
        refused = asked(f"{address}/v1/definitions")
        (folder / "more.yaml").unlink()
        applied = asked(f"{address}/v1/definitions")
        server.terminate()
        assert "Traceback" not in server.stderr.read()
    assert (
        "TD-PROJECT-001: more.yaml:2" in f"{refused['error']['code']}: {refused['error']['what']}"
    )
    assert applied == ["view habits: new"]


def asked(address):
    request = urllib.request.Request(address, b"{}", {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return json.load(refused)


def test_the_good_files_are_good(folder):
    assert PROJECT in (folder / "shop0.yaml").read_text()
    with open_workspace(folder) as shop:
        sync(shop)
        train(shop)
