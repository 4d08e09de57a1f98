"""docs/reference/serving-protocols.md is true: every line to try gives the one score."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from scorer_process import ROW, running
from tondo.faces.scorer.bootstrap import load

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "serving-protocols.md"
LINES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for line in re.findall(r"curl .*?(?=^curl |\Z)", block, re.DOTALL | re.MULTILINE)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    (folder / "late.tondo").write_bytes(scored.package())
    return folder


@pytest.fixture(scope="module")
def scorer(folder):
    with running("--packages", folder) as scorer:
        yield scorer


def scores_in(value):
    """Every number that may be a score."""
    if isinstance(value, dict):
        return [found for each in value.values() for found in scores_in(each)]
    if isinstance(value, list):
        return [found for each in value for found in scores_in(each)]
    return [value] if isinstance(value, float) else []


@pytest.mark.parametrize("line", LINES, ids=[line.split()[2] for line in LINES])
def test_a_line_to_try_is_answered(scorer, folder, line):
    done = subprocess.run(
        ["sh", "-c", line.replace("localhost:8461", f"127.0.0.1:{scorer.port}")],
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, line
    if " -d " in line:
        score = load(folder / "late.tondo").predict(ROW)
        found = json.loads(done.stdout)
        assert score in (scores_in(found) if not isinstance(found, float) else [found])


def test_every_shape_has_a_line():
    for place in ("/v1/deployments/", "/v2/models/", "/v1/models/", "/endpoints/", "/invocations"):
        assert [line for line in LINES if place in line]
