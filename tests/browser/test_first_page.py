"""The first page in a real browser: it draws itself, in both themes, and asks nobody else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading

import pytest
from chromium import CHROMIUM, QUIET

from tondo.faces.api.app import create_app
from tondo.faces.server.binding import address_of, bind
from tondo.faces.ui.routes import page_routes

TIME = "--virtual-time-budget=3000"

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("_chromium_there")]


@pytest.fixture(scope="module")
def address(painted):
    """Serve the painted workspace on a free port."""
    import uvicorn

    listener = bind("127.0.0.1", 0)
    app = create_app(painted.PaintedWorkspace(), pages=page_routes())
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield address_of("127.0.0.1", listener)
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def browse(tmp_path):
    """Open an address; return the page as the browser holds it after its scripts ran."""

    def run(address: str, *flags: str) -> str:
        profile = tmp_path / "profile"
        command = [CHROMIUM, *QUIET, TIME, f"--user-data-dir={profile}", *flags]
        found = subprocess.run(
            [*command, "--dump-dom", address],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return found.stdout

    return run


def test_the_charts_and_sections_are_drawn(address, browse):
    page = browse(address)
    for wanted in (
        "loop",
        "models",
        "auc-late_arrival",
        "traffic-late_arrival",
        "drift",
        "alerts",
        "executions",
    ):
        assert f'id="{wanted}"' in page
    assert page.count('data-promotion="') == 18  # nine, at two widths
    assert "version&nbsp;9 is live" in page


def test_the_scripts_ran_under_the_policy(address, browse):
    page = browse(address)
    assert re.search(r'<button class="theme"[^>]*aria-pressed="(true|false)"', page)
    assert not re.search(r'<button class="theme"[^>]*hidden', page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_can_be_asked_for(theme, address, browse):
    page = browse(f"{address}/?theme={theme}")
    assert f'data-theme="{theme}"' in page
    assert f'aria-pressed="{str(theme == "dark").lower()}"' in page


def test_no_request_leaves_the_host(address, browse, tmp_path):
    log = tmp_path / "net.json"
    browse(address, f"--log-net-log={log}")
    asked = {
        str(event["params"]["url"])
        for event in json.loads(log.read_text())["events"]
        if "url" in event.get("params", {})
        and event["params"].get("initiator", "not an origin") == address
    }
    assert {each.partition("?")[0].rpartition("/")[2] for each in asked} >= {
        "tondo.css",
        "theme.js",
        "page.js",
    }
    assert [each for each in asked if not each.startswith(address)] == []


def test_a_prediction_shows_the_way_to_its_source_rows(address, browse, painted):
    page = browse(f"{address}/predictions/{painted.full_overview().predictions[0]}")
    kinds = list(dict.fromkeys(re.findall(r'data-kind="(\w+)"', page)))
    assert kinds == [
        "deployment",
        "model_version",
        "run",
        "training_set",
        "snapshot",
        "commit",
        "rows",
    ]


def test_an_unknown_prediction_is_a_page_that_says_so(address, browse):
    assert "TD-MONITOR-001" in browse(f"{address}/predictions/nothing")


def test_a_real_project_with_nothing_in_it_opens(browse, tmp_path):
    (tmp_path / "project.yaml").write_text("project: small\nowner: me\n")
    command = [sys.executable, "-m", "tondo.faces.api", "--project", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        page = browse(json.loads(process.stdout.readline())["ready"])
        process.terminate()
    assert "The loop has not begun" in page
