"""Pages of deployments in a real browser, over a real scorer: charts, sliders, a row tried."""

from __future__ import annotations

import http.client
import threading
import time
from urllib.parse import urlsplit

import msgspec
import pytest

from shop import write_shop
from tondo.faces.api.app import create_app
from tondo.faces.server.binding import address_of, bind
from tondo.faces.ui.routes import page_routes
from tondo.workspace.bootstrap import open_workspace

pytestmark = pytest.mark.browser

PLACE = "/deployments/buys"
ROW = {"pages": 7.0, "minutes": 12.5, "device": "phone"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A shop with two versions that share the traffic."""
    with open_workspace(write_shop(tmp_path_factory.mktemp("live") / "shop")) as opened:
        opened.data.commit_source("visits")
        for _ in range(2):
            opened.registry.register(opened.training.train("buys").id)
        opened.deployment.deploy("buys", "1", by="ann", why="the first")
        opened.deployment.traffic("buys", {"v1": 75, "v2": 25}, by="ann", why="a try")
        yield opened


@pytest.fixture(scope="module")
def scorer(workspace):
    parts = workspace.parts
    process = parts.launcher.start(["--root", str(parts.state), "--port", "0"])
    process.wait_ready(60)
    yield process.address
    process.stop()


@pytest.fixture(scope="module")
def address(workspace):
    import uvicorn

    listener = bind("127.0.0.1", 0)
    app = create_app(workspace, pages=page_routes())
    config = uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield address_of("127.0.0.1", listener)
    server.should_exit = True
    thread.join(10)


@pytest.fixture(autouse=True)
def _leave(browser):
    """No stream stays open behind a test."""
    browser.complaints.clear()
    yield
    browser.open("about:blank")


def ask(scorer, times):
    connection = http.client.HTTPConnection(urlsplit(scorer).netloc, timeout=30)
    for _ in range(times):
        body = msgspec.json.encode({"rows": [ROW]})
        connection.request("POST", "/v1/deployments/buys/score", body)
        assert connection.getresponse().read()
    connection.close()


def wait_until(browser, expression, seconds=15):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if browser.evaluate(expression):
            return
        time.sleep(0.1)
    raise AssertionError(expression)


def size(browser, width):
    browser.ask(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=800,
        deviceScaleFactor=1,
        mobile=False,
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("place", ["/deployments", PLACE, f"{PLACE}/try"])
def test_a_page_opens_without_complaint_and_fits_a_phone(browser, address, scorer, place, theme):
    size(browser, 360)
    browser.open(f"{address}{place}?theme={theme}")
    assert browser.complaints == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= 360
    assert browser.evaluate("document.documentElement.dataset.theme") == theme


def test_live_figures_arrive_and_are_drawn(browser, address, scorer):
    size(browser, 1200)
    browser.open(f"{address}{PLACE}")
    wait_until(browser, "document.querySelectorAll('[data-chart] canvas').length === 3")
    so_far = "Number(document.querySelector('[data-variant=v1] [data-what=requests]').textContent)"
    ask(scorer, 40)
    wait_until(browser, f"{so_far} > 0")
    p99 = "document.querySelector('[data-variant=v1] [data-what=p99_us]').textContent"
    assert browser.evaluate(p99).endswith(("s", "s"))
    assert scorer in browser.evaluate("document.querySelector('[data-scorers]').textContent")
    assert browser.complaints == []


def test_every_look_is_also_in_a_table(browser, address, scorer):
    browser.open(f"{address}{PLACE}")
    browser.evaluate("document.querySelector('details:has([data-lately])').open = true")
    wait_until(browser, "document.querySelectorAll('[data-lately] tr').length >= 2")


def test_the_list_tells_rates_of_all_variants_together(browser, address, scorer):
    browser.open(f"{address}/deployments")
    wait_until(browser, "/\\d/.test(document.querySelector('[data-what=requests_s]').textContent)")
    assert browser.complaints == []


def test_sliders_share_a_hundred_per_cent_and_the_button_does_it(browser, address, workspace):
    size(browser, 1200)
    browser.open(f"{address}{PLACE}")
    browser.evaluate(
        "const s = document.querySelector('[data-slider]'); s.value = '40';"
        "s.dispatchEvent(new Event('input'))"
    )
    numbers = "[...document.querySelectorAll('.percent')].map(e => e.value).join()"
    assert browser.evaluate(numbers) == "40,60"
    browser.evaluate("document.querySelector('#traffic-why').value = 'the slider says so'")
    browser.evaluate("document.querySelector('.share button').click()")
    browser.wait_for_load()
    assert browser.evaluate("location.hash") == "#traffic"
    (state,) = workspace.deployment.deployments()
    assert {each.version: round(each.weight, 3) for each in state.desired.variants} == {
        1: 0.4,
        2: 0.6,
    }
    assert state.why == "the slider says so"
    assert browser.complaints == []


def test_a_row_is_tried_and_explained(browser, address, scorer, workspace):
    browser.open(f"{address}{PLACE}/try")
    browser.evaluate("document.querySelector('.try-form button').click()")
    browser.wait_for_load()
    assert float(browser.evaluate("document.querySelector('.score').textContent.slice(0, 6)")) < 1
    assert browser.evaluate("document.querySelectorAll('.effect').length") == 4
    assert "need not sum" in browser.evaluate("document.querySelector('#why').textContent")
    prediction = browser.evaluate("document.querySelector('#answer dd a').pathname.split('/')[2]")
    assert workspace.monitoring.prediction(prediction).purpose == "try"
    assert browser.complaints == []


def test_a_scorer_that_comes_and_goes_is_seen(browser, address, scorer, workspace):
    size(browser, 1200)
    browser.open(f"{address}{PLACE}")
    listed = "document.querySelectorAll('[data-scorers] .state.good').length"
    wait_until(browser, f"{listed} === 1")
    parts = workspace.parts
    second = parts.launcher.start(["--root", str(parts.state), "--port", "0"])
    second.wait_ready(60)
    wait_until(browser, f"{listed} === 2")
    second.kill()
    wait_until(browser, f"{listed} === 1")
    assert browser.complaints == []


def test_the_end_of_a_rollout_is_seen_without_loading_the_page(browser, address, scorer, workspace):
    workspace.deployment.deploy("buys", "1", by="ann", why="alone again")
    workspace.rollouts.start("buys", "2", no_shadow=True, why="it is newer")
    browser.open(f"{address}{PLACE}")
    assert "is tried on 1 %" in browser.evaluate("document.querySelector('.lead').textContent")
    workspace.rollouts.abort("buys", why="seen enough")
    wait_until(
        browser, "document.querySelector('[data-rollout]').dataset.rollout.includes('aborted')"
    )
    assert "seen enough" in browser.evaluate("document.querySelector('#history').textContent")
    assert browser.complaints == []
