"""The pages of datasets in a real browser: both themes, no complaint, a patch by its button."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import threading

import pyarrow as pa
import pytest

import tondo
from tondo.faces.api.app import create_app
from tondo.faces.server.binding import address_of, bind
from tondo.faces.ui.routes import page_routes

CHROMIUM = next(
    (
        found
        for each in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(each))
    ),
    None,
)
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)

pytestmark = pytest.mark.browser


class Browser:
    """A Chromium that is spoken to over a pipe: JSON messages, each ended by a zero byte."""

    def __init__(self, profile) -> None:
        reads, self._out = (_high(each) for each in os.pipe())
        self._in, writes = (_high(each) for each in os.pipe())

        def give() -> None:
            os.dup2(reads, 3)
            os.dup2(writes, 4)

        self._process = subprocess.Popen(
            [CHROMIUM, *QUIET, f"--user-data-dir={profile}"],
            preexec_fn=give,  # noqa: PLW1509 - the pipe is 3 and 4 in the child, whatever runs here
            pass_fds=(3, 4),
            stderr=subprocess.DEVNULL,
        )
        os.close(reads)
        os.close(writes)
        self._kept = b""
        self._number = 0
        self._session = None
        self.complaints: list[str] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            heard = self._hear()
            if heard.get("id") == self._number:
                assert "error" not in heard, heard
                return heard["result"]

    def open(self, address: str) -> None:
        self.ask("Page.navigate", url=address)
        self.wait_for_load()

    def wait_for_load(self) -> None:
        while self._hear().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, expression: str):
        return self.ask("Runtime.evaluate", expression=expression)["result"].get("value")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        os.close(self._out)
        os.close(self._in)

    def _hear(self):
        while b"\0" not in self._kept:
            part = os.read(self._in, 65_536)
            assert part, "the browser ended"
            self._kept += part
        first, _, self._kept = self._kept.partition(b"\0")
        heard = json.loads(first)
        method, parameters = heard.get("method"), heard.get("params", {})
        if method == "Runtime.exceptionThrown" or (
            method == "Log.entryAdded" and parameters["entry"]["level"] == "error"
        ):
            self.complaints.append(json.dumps(parameters))
        return heard


def _high(descriptor: int) -> int:
    """Return the descriptor moved out of the way of 3 and 4."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 20)
    os.close(descriptor)
    return moved


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if CHROMIUM is None:
        reason = "no Chromium is installed: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


PROJECT = """\
project: small
owner: me
---
source: flights
owner: me
description: Flights.
path: flights.csv
---
entity: origin
key: origin
owner: me
description: An airport.
---
view: delays
entity: origin
source: flights
owner: me
description: The last delay at an airport with a long name for a narrow page.
freshness: 1h
every: 1h
tags: [delays]
features: {delay_of_the_last_flight_in_minutes: "delay + 0.0"}
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "project.yaml").write_text(PROJECT)
    with tondo.open(str(folder)) as opened:
        opened.data.commit_table("flights", pa.table({"origin": ["EWR", "JFK"], "delay": [1.0, 2]}))
        opened.data.infer_schema("flights")
        opened.data.commit_table("flights", pa.table({"origin": ["EWR", "SFO"], "delay": [3.0, 9]}))
        opened.data.check("flights")
        opened.features.sync_definitions()
        yield opened


@pytest.fixture(scope="module")
def address(workspace):
    import uvicorn

    listener = bind("127.0.0.1", 0)
    app = create_app(workspace, pages=page_routes())
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield address_of("127.0.0.1", listener)
    server.should_exit = True
    thread.join(10)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "place",
    [
        "/data",
        "/data/flights",
        "/data/flights/compare",
        "/data/flights/anomalies",
        "/data/flights/schema",
        "/features",
        "/data/flights/labels",
    ],
)
def test_a_page_opens_without_complaint_and_fits_a_phone(browser, address, place, theme):
    browser.complaints.clear()
    browser.ask(
        "Emulation.setDeviceMetricsOverride",
        width=360,
        height=800,
        deviceScaleFactor=1,
        mobile=False,
    )
    browser.open(f"{address}{place}?theme={theme}")
    assert browser.complaints == []
    assert browser.evaluate("document.documentElement.dataset.theme") == theme
    assert browser.evaluate("document.documentElement.scrollWidth") <= 360
    assert "data.css" in browser.evaluate("[...document.styleSheets].map(s => s.href).join()")


def test_a_column_opens_by_keyboard(browser, address):
    browser.open(f"{address}/data/flights")
    browser.evaluate("document.querySelector('.column summary').focus()")
    for kind in ("keyDown", "keyUp"):
        browser.ask("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r")
    assert browser.evaluate("document.querySelector('.column').open") is True


def test_a_patch_is_accepted_by_its_button(browser, address, workspace):
    (wanted,) = workspace.data.anomalies(state="open")
    browser.complaints.clear()
    browser.open(f"{address}/data/flights/anomalies")
    browser.evaluate("document.querySelector('form[action$=accept] input').value = 'a new airport'")
    browser.evaluate("document.querySelector('form[action$=accept] button').click()")
    browser.wait_for_load()
    assert browser.evaluate("document.querySelector('.anomaly .state').textContent") == "accepted"
    assert browser.evaluate("location.hash") == f"#{wanted.id}"
    assert browser.complaints == []
    assert "SFO" in workspace.data.schema("flights").columns["origin"].domain
