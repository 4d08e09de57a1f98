"""The control plane's process: one ready line, coded refusals, a quiet end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest


@pytest.fixture
def project(tmp_path):
    (tmp_path / "project.yaml").write_text("project: small\nowner: me\n")
    return tmp_path


def command(project, *more):
    return [sys.executable, "-m", "tondo.faces.api", "--project", str(project), *more]


def test_it_says_its_address_answers_and_ends_when_told(project):
    with subprocess.Popen(command(project, "--port", "0"), stdout=subprocess.PIPE) as process:
        ready = json.loads(process.stdout.readline())
        with urllib.request.urlopen(ready["ready"] + "/v1/overview") as answer:
            assert json.load(answer)["project"] == "small"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_it_ends_with_its_parent(project):
    child_end, lifeline = os.pipe()
    arguments = command(project, "--port", "0", "--parent-fd", str(child_end))
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, pass_fds=(child_end,)) as process:
        os.close(child_end)
        process.stdout.readline()
        os.close(lifeline)
        assert process.wait(10) == 0


def refused(project, *more):
    return subprocess.run(
        command(project, *more), check=False, capture_output=True, text=True, timeout=30
    )


def test_a_port_in_use_is_a_coded_line(project):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = refused(project, "--port", str(taken.getsockname()[1]))
    assert (found.returncode, found.stderr.split(":")[0]) == (2, "TD-API-006")


def test_beyond_this_machine_it_wants_a_token(project):
    found = refused(project, "--port", "0", "--host", "0.0.0.0")
    assert (found.returncode, found.stderr.split(":")[0]) == (2, "TD-API-007")


def test_a_short_token_is_refused(project, tmp_path):
    (tmp_path / "token").write_text("short\n")
    found = refused(project, "--port", "0", "--token-file", str(tmp_path / "token"))
    assert (found.returncode, found.stderr.split(":")[0]) == (2, "TD-API-008")


def test_a_folder_that_is_not_there_is_a_coded_line(tmp_path):
    found = refused(tmp_path / "gone", "--port", "0")
    assert (found.returncode, found.stderr.split(":")[0]) == (2, "TD-WORKSPACE-001")
