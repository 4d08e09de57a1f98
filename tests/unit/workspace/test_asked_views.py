"""Features that an outside service gives: within a limit, or a default that is flagged and logged."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from feature_service import BAD_MANNERS, Service
from scorer_process import Scorer
from shop import write_shop
from tondo.adapters.clocks.manual import ManualClock
from tondo.core.errors import CallerError, DefinitionError
from tondo.core.instants import parse_instant
from tondo.workspace.bootstrap import open_workspace

VIEWS = """\
source: level_log
owner: ana
description: What the service answered.
path: level_log.csv
columns: {at: timestamp}
event_time: at
---
entity: device
key: device
owner: ana
description: What is visited with.
---
view: levels
entity: device
source: level_log
owner: ana
description: How busy the shop is on a kind of device, as the load service tells.
freshness: 1d
arrival: asked
service: {url: "URL", timeout: 3s, failures: 3, pause: 60s, token_env: SHOP_TOKEN, defaults: {level: 0.5}}
features: {level: level}
"""
MODEL = """\
model: asked
owner: ana
description: Bought, knowing how busy the shop is.
source: visits
row_id: visit
time: at
label: bought
label_known_at: ended_at
algorithm: logistic
split: {by: time, validation: 0.25}
features: {pages: pages, level: "coalesce(@levels.level, -1)"}
gate: {thresholds: {auc: {min: 0.5}}}
---
deployment: asked
model: asked
"""
NOW_US = parse_instant("2026-02-26T00:00:00Z")
ROW = {"pages": 3.0, "device": "phone"}
LEVEL = "@levels.level[device]"


def write_log(path):
    begin = datetime(2025, 12, 20, tzinfo=UTC)
    lines = ["at,device,level"]
    for hour in range(0, 24 * 80, 6):
        at = begin + timedelta(hours=hour)
        for device in ("phone", "desktop"):
            lines.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{device},{(hour % 17) / 17:.3f}")
    path.write_text("\n".join(lines) + "\n")


def make(folder, url, **changes):
    text = VIEWS.replace("URL", url)
    for old, new in changes.items():
        text = text.replace(old, new)
    write_shop(folder, text, MODEL)
    write_log(folder / "level_log.csv")
    return folder


@pytest.fixture(scope="module")
def service():
    found = Service()
    yield found
    found.close()


@pytest.fixture(autouse=True)
def well(service):
    service.behave()


@pytest.fixture(scope="module")
def folder(service, tmp_path_factory):
    folder = make(tmp_path_factory.mktemp("asked") / "shop", service.url)
    with open_workspace(folder, clock=ManualClock(NOW_US)) as opened:
        for source in ("visits", "level_log"):
            opened.data.commit_source(source, by="ana", why="first load")
        opened.features.sync_definitions(by="ana")
        run = opened.training.train("asked")
        version = opened.registry.register(run.id, by="ana", why="first")
        opened.deployment.deploy("asked", str(version.number), by="ana", why="passed")
    return folder


@pytest.fixture
def shop(folder):
    with open_workspace(folder, clock=ManualClock(NOW_US)) as opened:
        yield opened


@pytest.fixture(scope="module")
def scorer(folder):
    found = Scorer("--root", folder / ".tondo")
    yield found
    found.stop()


def looked_up(shop, answer):
    return shop.monitoring.prediction(answer.predictions[0].id).looked_up


def test_the_value_is_asked_for_and_logged(shop, service):
    answer = shop.deployment.predict("asked", ROW)
    assert service.asked == [
        {"keys": ["phone"], "features": ["level"], "as_of": "2026-02-26T00:00:00Z"}
    ]
    assert looked_up(shop, answer) == {LEVEL: 0.25}
    assert answer.defaulted == ()


@pytest.mark.parametrize("manner", BAD_MANNERS)
def test_a_service_that_misbehaves_costs_its_limit_and_gives_the_flagged_default(
    shop, service, manner
):
    service.manner = manner
    answer = shop.deployment.predict("asked", ROW)
    assert answer.defaulted == ("levels",)
    assert looked_up(shop, answer) == {LEVEL: 0.5, "@levels.defaulted[device]": True}


def test_an_entity_that_the_service_does_not_know_is_null_and_no_default(shop):
    answer = shop.deployment.predict("asked", {**ROW, "device": "watch"})
    assert (looked_up(shop, answer), answer.defaulted) == ({LEVEL: None}, ())


def test_a_null_key_asks_nobody(shop, service):
    answer = shop.deployment.predict("asked", {**ROW, "device": None})
    assert (looked_up(shop, answer), service.asked) == ({LEVEL: None}, [])


def test_the_token_comes_from_the_environment(shop, service, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", "abc")
    shop.deployment.predict("asked", ROW)
    assert service.tokens == ["Bearer abc"]


def test_a_scorer_asks_once_for_the_keys_of_a_request_in_both_protocols(scorer, service):
    rows = [ROW, {**ROW, "device": "desktop"}, ROW]
    answer = scorer.score(*rows, name="asked").json
    assert [each["keys"] for each in service.asked] == [["phone", "desktop"]]
    assert "defaulted" not in answer
    tensors = [
        {"name": "pages", "datatype": "FP64", "shape": [1], "data": [3.0]},
        {"name": "device", "datatype": "BYTES", "shape": [1], "data": ["phone"]},
    ]
    v2 = scorer.post("/v2/models/asked/infer", {"inputs": tensors}).json
    assert v2["outputs"][0]["data"][0] == answer["predictions"][0]["score"]


def test_a_scorer_flags_defaults_opens_the_breaker_and_serves_others_meanwhile(scorer, service):
    service.manner = "fails"
    for _ in range(3):
        assert scorer.score(ROW, name="asked").json["defaulted"] == ["levels"]
    asked = len(service.asked)
    answer = scorer.score(ROW, name="asked").json
    assert (answer["defaulted"], len(service.asked)) == (["levels"], asked)


def test_logged_answers_become_history_once_and_defaults_do_not(shop, service):
    shop.deployment.predict("asked", ROW)
    service.manner = "fails"
    shop.deployment.predict("asked", ROW)
    before = shop.data.snapshot("level_log").rows
    first = shop.features.collect("levels", by="ana", why="a week of answers")
    again = shop.features.collect("levels", by="ana", why="again")
    assert first.rows > 0
    assert first.defaults > 0
    assert (again.rows, again.commit) == (0, None)
    assert shop.data.snapshot("level_log").rows == before + first.rows
    # The file has seventeenths only: 0.25 is what the service says, 0.5 the default.
    found = shop.data.sql(
        "select level, count(*) > 0 as found from level_log"
        " where device = 'phone' and level in (0.25, 0.5) group by level"
    )
    assert found == [{"level": 0.25, "found": True}]


def test_what_was_served_is_no_inconsistency(shop):
    assert shop.monitoring.recompute("asked").report.exact


def test_nothing_of_it_lies_in_the_store(shop):
    for verb, arguments in ((shop.features.materialise, {}), (shop.features.push, {"events": []})):
        with pytest.raises(CallerError, match="TD-FEATURE-093"):
            verb("levels", **arguments)


def test_a_package_alone_takes_the_value_from_the_row(shop, tmp_path):
    import tondo

    version = shop.registry.version("asked", "1")
    path = tmp_path / "asked.tondo"
    path.write_bytes(shop.parts.blobs.get(version.package))
    model = tondo.load(path)
    assert (
        model.predict({**ROW, LEVEL: 0.25})
        == shop.deployment.predict("asked", ROW).predictions[0].score
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"features: {level: level}": "features: {level: level * 2}"}, "TD-FEATURE-090"),
        ({"features: {level: level}": "features: {defaulted: level}"}, "TD-FEATURE-090|091"),
        ({"event_time: at\n": ""}, "TD-FEATURE-090"),
        ({"defaults: {level: 0.5}": "defaults: {levl: 0.5}"}, "TD-FEATURE-091.*'level'"),
        (
            {"defaults: {level: 0.5}": "defaults: {level: high}"},
            "TD-LANG-008.*default of 'level'|default of 'level'",
        ),
        ({"timeout: 3s": "timeout: 20s"}, "TD-FEATURE-091"),
        ({"http://": "ftp://"}, "TD-FEATURE-091"),
        ({"http://": "http://me:secret@"}, "TD-FEATURE-091"),
        ({"arrival: asked": "arrival: pushed"}, "TD-FEATURE-004"),
    ],
)
def test_a_service_that_cannot_be_asked_is_refused_where_it_is_defined(
    tmp_path, service, changes, code
):
    folder = make(tmp_path / "shop", service.url, **changes)
    with open_workspace(folder, clock=ManualClock(NOW_US)) as opened:
        opened.data.commit_source("level_log", by="ana", why="first load")
        with pytest.raises(Exception, match=f"(?s){code}") as caught:
            opened.features.sync_definitions(by="ana")
    assert "secret" not in str(caught.value)
    assert isinstance(caught.value, DefinitionError) or caught.value.code == "TD-LANG-008"


def test_the_address_is_in_the_plan_and_not_in_the_package(shop, service):
    version = shop.registry.version("asked", "1")
    assert service.url.encode() not in shop.parts.blobs.get(version.package)
    pointer = json.loads((shop.parts.plan_pointer).read_text())
    assert service.url.encode() in shop.parts.blobs.get(pointer["digest"])
