from __future__ import annotations

import platform
import subprocess

import pytest

from tondo.core.canonical import canonical_json
from tondo.stages.training import surroundings


@pytest.fixture(autouse=True)
def _forgotten():
    surroundings._code.cache_clear()
    yield
    surroundings._code.cache_clear()


def test_the_record_names_python_and_every_package():
    found = surroundings.environment_record()
    assert found["python"] == platform.python_version()
    assert {"numpy", "pyarrow", "tondo"} <= found["packages"].keys()


def test_the_record_has_one_canonical_form():
    first, second = (canonical_json(surroundings.environment_record()) for _ in range(2))
    assert first == second


def test_outside_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert surroundings.environment_record()["code"] == {}


def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert surroundings.environment_record()["code"] == {}


def test_inside_a_repository_commit_and_changes_are_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text("1")
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], check=True, cwd=tmp_path)
    (tmp_path / "model.py").write_text("2")
    code = surroundings.environment_record()["code"]
    assert len(code["commit"]) == 40
    assert code["dirty"] is True
