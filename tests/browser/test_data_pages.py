"""The pages of datasets in a real browser: both themes, no complaint, a patch by its button."""

from __future__ import annotations

import threading

import pyarrow as pa
import pytest

import tondo
from tondo.faces.api.app import create_app
from tondo.faces.server.binding import address_of, bind
from tondo.faces.ui.routes import page_routes

pytestmark = pytest.mark.browser


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
