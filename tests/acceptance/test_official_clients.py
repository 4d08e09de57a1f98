"""Official clients, unchanged, against a scorer: tritonclient over HTTP and gRPC, boto3."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from scorer_process import ROW, WAYS, free_port, running
from tondo.core.canonical import digest_bytes
from tondo.faces.scorer.bootstrap import load

pytestmark = pytest.mark.long

TESTS = Path(__file__).parents[1]
ROWS = [ROW, {**ROW, "distance": 5.0, "rush": False}]
TOKEN = "0123456789abcdef"


@pytest.fixture(scope="module")
def python(request):
    """The Python of an environment with the clients, kept until what it holds changes."""
    wanted = TESTS / "clients.txt"
    folder = request.config.cache.mkdir("clients") / digest_bytes(wanted.read_bytes())[:16]
    if not (folder / "whole").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--disable-pip-version-check", "-r", wanted], check=True, timeout=900)
        (folder / "whole").touch()
    return folder / "bin" / "python"


@pytest.fixture(scope="module", params=[(way, token) for way in WAYS for token in ("", TOKEN)])
def asked(request, python, tmp_path_factory):
    """What the clients got, and the scores of library mode."""
    way, token = request.param
    folder = tmp_path_factory.mktemp("packages")
    (folder / "late.tondo").write_bytes(scored.package())
    options = ["--packages", folder, "--grpc-port", free_port()]
    if token:
        (folder / "token").write_text(token)
        options += ["--token-file", folder / "token"]
    with running(*options, way=way) as scorer:
        addresses = [f"127.0.0.1:{scorer.port}", f"127.0.0.1:{options[3]}"]
        clean = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            [python, TESTS / "official_clients.py", *addresses, token, json.dumps(ROWS)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=clean,
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), load(folder / "late.tondo").predict(ROWS)


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_tritonclient_works_unchanged(asked, protocol):
    found, expected = asked
    got = found[protocol]
    assert (got["id"], got["inputs"]) == ("mine", sorted(scored.INPUTS))
    assert got["default"] == got["asked"] == got.get("json", expected) == expected
    assert "TD-PLAN-004" in got["error"]


def test_boto3_invokes_an_endpoint_unchanged(asked):
    found, expected = asked
    got = found["boto3"]
    assert got["csv"] == got["json"] == expected
    assert (got["variant"], got["attributes"]) == ("live", "a=b")
    for name, code in (("lat", "TD-PLAN-004"), ("late", "TD-SCORE-005")):
        type_, message = got[f"error of {name}"]
        assert (type_, message.partition(":")[0]) == ("ValidationError", code)
