"""Exported models scored in other languages: Java, and JavaScript by onnxruntime for Node.

Java calls the C interface of the library that comes with onnxruntime for Python; no jar is needed.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import onnxruntime
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from shop import TREES, bring_live, write_shop
from tondo.faces.cli.start import main
from tondo.workspace.bootstrap import open_workspace

pytestmark = pytest.mark.long

PACKAGE = "onnxruntime-node@1.30.0"
HERE = Path(__file__).parent
FIRST_JAVA = 22
"""From here on Java calls libraries without further flags (JEP 454) and runs a single file."""
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


def by_java(_):
    """The command that checks in Java."""
    for home in [os.environ.get("JAVA_HOME", "/nowhere"), *sorted(Path("/usr/lib/jvm").glob("*"))]:
        java = Path(home) / "bin" / "java"
        if not java.exists():
            continue
        version = re.search(r'version "(\d+)', run(java, "-version").stderr)
        if version and int(version[1]) >= FIRST_JAVA:
            folder = Path(onnxruntime.__file__).parent / "capi"
            (library,) = folder.glob("libonnxruntime.so.*")
            return [java, "--enable-native-access=ALL-UNNAMED", HERE / "OnnxCheck.java", library]
    return pytest.skip(f"no Java of {FIRST_JAVA} or newer in JAVA_HOME or /usr/lib/jvm")


def by_node(tmp_path_factory):
    """The command that checks in JavaScript; the binary comes with the package."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed: no second language to check the export from")
    folder = tmp_path_factory.mktemp("node")
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
    done = run("npm", "install", *options, PACKAGE)
    if done.returncode != 0:
        pytest.skip(f"npm has no {PACKAGE} here: {done.stderr.strip().splitlines()[-1:]}")
    return ["node", HERE / "onnx_check.mjs", folder]


@pytest.fixture(scope="module", params=[by_java, by_node])
def check(request, tmp_path_factory):
    """What checks: a graph and its samples are the last words of its command."""
    command = request.param(tmp_path_factory)
    return lambda graph, samples: run(*command, graph, samples)


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
def test_every_sample_is_answered_as_the_package_does(name, check, shop, tmp_path):
    graph = tmp_path / f"{name}.onnx"
    main(["model", "export", name, "1", "--onnx", str(graph), "--project", str(shop)])
    done = check(graph, graph.with_suffix(".samples.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["rows"] >= 25
    assert told["largestScoreDifference"] <= 1e-12
    assert told["wrong"] == 0


def test_a_graph_that_answers_otherwise_is_found(check, shop, tmp_path):
    graph = tmp_path / "buys.onnx"
    main(["model", "export", "buys", "1", "--onnx", str(graph), "--project", str(shop)])
    samples = graph.with_suffix(".samples.json")
    told = json.loads(samples.read_text())
    told["samples"][3]["score"] += 0.01
    samples.write_text(json.dumps(told))
    done = check(graph, samples)
    assert done.returncode == 1
    assert "row 3: score" in done.stderr
