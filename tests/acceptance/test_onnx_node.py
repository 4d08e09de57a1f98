"""An exported model scored in another language: JavaScript, by onnxruntime for Node."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from shop import TREES, bring_live, write_shop
from tondo.faces.cli.start import main
from tondo.workspace.bootstrap import open_workspace

pytestmark = pytest.mark.long

PACKAGE = "onnxruntime-node@1.30.0"
CHECK = Path(__file__).with_name("onnx_check.mjs")
TIMES = """\
model: buys_times
owner: ana
description: Asked of times, texts and truth values.
source: visits
row_id: visit
time: at
label: bought
algorithm: lightgbm
parameters: {trees: 40, leaves: 15}
categorical: [who]
threshold: 0.5
split: {by: time, validation: 0.25}
features:
  hour: hour(at, 'America/New_York')
  month: "epoch(date_trunc('month', at, 'America/New_York')) / 86400"
  pages: round(pages * 1.115, 2)
  minutes: "case when minutes is null then null else ln(minutes) end"
  phone: "device = 'phone' and pages > 3"
  p: device like 'p%'
  who: vocab(customer, 50)
"""


def run(*command):
    words = list(map(str, command))
    return subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """A folder with onnxruntime for Node; its binary comes with the package."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed: no second language to check the export from")
    folder = tmp_path_factory.mktemp("node")
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
    done = run("npm", "install", *options, PACKAGE)
    if done.returncode != 0:
        pytest.skip(f"npm has no {PACKAGE} here: {done.stderr.strip().splitlines()[-1:]}")
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A folder with a version of each of three models."""
    folder = write_shop(tmp_path_factory.mktemp("shop"), TREES, TIMES)
    bring_live(folder)
    with open_workspace(folder) as workspace:
        for name in ("buys_trees", "buys_times"):
            workspace.registry.register(workspace.training.train(name).id)
    return folder


@pytest.mark.parametrize("name", ["buys", "buys_trees", "buys_times"])
def test_javascript_answers_every_sample_as_the_package_does(name, modules, shop, tmp_path):
    graph = tmp_path / f"{name}.onnx"
    main(["model", "export", name, "1", "--onnx", str(graph), "--project", str(shop)])
    done = run("node", CHECK, modules, graph, graph.with_suffix(".samples.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["rows"] >= 25
    assert told["largestScoreDifference"] <= 1e-12
    assert told["wrong"] == []


def test_a_graph_that_answers_otherwise_is_found(modules, shop, tmp_path):
    graph = tmp_path / "buys.onnx"
    main(["model", "export", "buys", "1", "--onnx", str(graph), "--project", str(shop)])
    samples = graph.with_suffix(".samples.json")
    told = json.loads(samples.read_text())
    told["samples"][3]["score"] += 0.01
    samples.write_text(json.dumps(told))
    done = run("node", CHECK, modules, graph, samples)
    assert done.returncode == 1
    assert "row 3: score" in done.stdout
