"""`tondo top` as a process: in a terminal until q, and for scripts."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from shop import bring_live, write_shop

TOP = (sys.executable, "-m", "tondo.faces.cli", "top")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("top") / "shop")
    bring_live(folder)
    return folder


def started(shop):
    """Start it in a terminal of 60 columns; return the process and our end."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "60", "LINES": "20", "TERM": "xterm"}
    process = subprocess.Popen(
        TOP, cwd=shop, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    return process, ours


def heard(ours, wanted, seconds=30):
    found = b""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and wanted not in found:
        if select.select([ours], [], [], 0.2)[0]:
            found += os.read(ours, 65_536)
    assert wanted in found, found
    return found


@pytest.mark.parametrize("way", ["q", "Ctrl-C"])
def test_it_draws_itself_and_ends_by_a_key(shop, way):
    process, ours = started(shop)
    heard(ours, b"buys")
    if way == "q":
        os.write(ours, b"q")
    else:  # a terminal makes a signal of it
        process.send_signal(signal.SIGINT)
    heard(ours, b"\x1b[?1049l")  # the screen before is back
    assert process.wait(20) == 0
    os.close(ours)


def test_scripts_get_one_look(shop):
    answer = subprocess.run([*TOP, "--json"], cwd=shop, capture_output=True, check=True)
    told = json.loads(answer.stdout)
    assert told["project"] == "shop"
    assert [(each["variant"], each["version"], each["share"]) for each in told["rows"]] == [
        ("live", 1, 1.0)
    ]
    assert told["scorers"] == []
    text = subprocess.run([*TOP, "--once"], cwd=shop, capture_output=True, check=True, text=True)
    assert "No scorer runs: tondo serve starts one." in text.stdout
