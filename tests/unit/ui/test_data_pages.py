"""Pages of datasets, served whole over a real project: what they say, refuse and change."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser

import msgspec
import pyarrow as pa
import pytest
from litestar.testing import TestClient

import tondo
from tondo.faces.api.app import create_app
from tondo.faces.ui.routes import page_routes
from tondo.stages.data.statistics import ColumnStatistics, Statistics

EVIL = "<script>alert(1)</script>"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Structure(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def table(origins, delays):
    columns = {"origin": origins, "delay": delays}
    return pa.table(columns, schema=pa.schema({"origin": pa.string(), "delay": pa.float64()}))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with two versions of one dataset, the second of which breaks its schema."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "project.yaml").write_text("project: small\nowner: me\n")
    with tondo.open(str(folder)) as opened:
        first = table(["EWR", "JFK", "EWR", "LGA"], [1.0, 2.5, None, 12.0])
        opened.data.commit_table("flights", first, by="ann", why="the first")
        opened.data.infer_schema("flights", why="as seen")
        second = table(["EWR", "JFK", "SFO", "LGA"], [1.0, 30.5, None, 12.0])
        opened.data.commit_table("flights", second, by="bob", why="the second")
        opened.data.check("flights")
        opened.data.statistics("flights@v1")
    return folder


@pytest.fixture(scope="module")
def workspace(project):
    with tondo.open(str(project)) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser(workspace):
    with browsing(workspace) as client:
        yield client


@pytest.fixture
def own(project, tmp_path):
    """A copy of the project, to be changed."""
    with tondo.open(str(shutil.copytree(project, tmp_path / "own"))) as opened:
        yield opened


@pytest.fixture
def press(own):
    with browsing(own) as client:
        yield client


def browsing(opened):
    return TestClient(create_app(opened, pages=page_routes()), base_url="http://127.0.0.1")


def open_ids(workspace):
    return [each.id for each in workspace.data.anomalies(dataset="flights", state="open")]


PLACES = [
    "/data",
    "/data/flights",
    "/data/flights?version=v1",
    "/data/flights/compare?before=v1&after=v2",
    "/data/flights/anomalies",
    "/data/flights/schema",
    "/data/flights/labels",
]


@pytest.mark.parametrize("place", PLACES)
def test_a_page_has_no_inline_script_no_inline_style_and_unique_ids(browser, place):
    answer = browser.get(place)
    assert answer.status_code == 200
    tags = Structure(answer.text).tags
    ids = [each["id"] for _, each in tags if each.get("id")]
    assert len(ids) == len(set(ids))
    for tag, attributes in tags:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert tag != "script" or attributes["src"].startswith("/static/")


@pytest.mark.parametrize("place", PLACES)
def test_every_picture_says_what_it_shows(browser, place):
    tags = Structure(browser.get(place).text).tags
    pictures = [each for tag, each in tags if tag == "svg"]
    assert all(each.get("aria-label") or each.get("aria-hidden") for each in pictures)


@pytest.mark.parametrize("place", PLACES)
def test_every_field_has_a_label(browser, place):
    tags = Structure(browser.get(place).text).tags
    labelled = {each.get("for") for tag, each in tags if tag == "label"}
    for tag, each in tags:
        if tag in {"input", "select", "textarea"} and each.get("type") != "hidden":
            assert each["id"] in labelled


def test_the_list_tells_rows_columns_and_open_anomalies(browser, workspace):
    page = browser.get("/data").text
    assert 'href="/data/flights"' in page
    assert "Rows of the last 2 commits, from 4 to 4" in page
    assert f"{len(open_ids(workspace))} error" in page


def test_a_version_shows_its_facts_and_its_columns(browser):
    page = browser.get("/data/flights").text
    assert "Version 2" in page
    assert "the second" in page
    assert "1 to 30.5" in page
    assert "25.0 %" in page  # one of four delays is missing


def test_an_older_version_is_asked_for_by_any_reference(browser, workspace):
    first = workspace.data.commits("flights")[-1]
    for word in ("v1", first.id, first.snapshot[:12]):
        page = browser.get("/data/flights", params={"version": word}).text
        assert "the first" in page
        assert "1 to 12" in page


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("/data/fligths", "TD-DATA-009"),
        ("/data/flights?version=v9", "TD-DATA-020"),
        ("/data/flights/compare?before=nothing", "TD-DATA-020"),
        ("/data/nothing/schema", "TD-DATA-009"),
        ("/data/nothing/anomalies", "TD-DATA-009"),
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(browser, place, code):
    answer = browser.get(place)
    assert answer.status_code == 404
    assert code in answer.text


def test_a_comparison_shows_both_versions_and_what_moved_most_first(browser):
    page = browser.get("/data/flights/compare?before=v1&after=v2").text
    names = re.findall(r"<h3><bdi>(\w+)</bdi> ", page)
    assert names == ["delay", "origin"]
    assert "new SFO" in page
    row = page.partition("<bdi>SFO</bdi>")[2].partition("</tr>")[0]
    assert re.findall(r'class="n">([^<]+)', row) == ["0 %", "25.0 %", "+25.0 %"]


def test_a_patch_is_accepted_by_its_button(press, own):
    (wanted,) = [each for each in own.data.anomalies() if each.column == "origin"]
    page = press.get("/data/flights/anomalies").text
    assert "added &#34;SFO&#34;" in page
    place = f"/data/flights/anomalies/{wanted.id}/accept"
    assert f'action="{place}"' in page
    answer = press.post(place, content="why=a+new+airport", headers=FORM, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/data/flights/anomalies#{wanted.id}"
    assert own.data.anomaly(wanted.id).state == "accepted"
    assert "SFO" in own.data.schema("flights").columns["origin"].domain
    assert "a new airport" in press.get("/data/flights/schema").text


def test_an_anomaly_is_given_an_owner(press, own):
    wanted = open_ids(own)[0]
    press.post(f"/data/flights/anomalies/{wanted}/assign", content="owner=ann", headers=FORM)
    assert own.data.anomaly(wanted).owner == "ann"
    assert "looks after it" in press.get("/data/flights/anomalies").text


def test_a_file_that_was_set_aside_is_given_up_with_a_reason(press, own):
    wanted = next(each for each in own.data.anomalies() if each.column == "origin")
    assert "Give up the file</button>" not in press.get("/data/flights/anomalies").text
    own.batches.sift("flights")
    page = press.get("/data/flights/anomalies").text
    place = f"/data/flights/anomalies/{wanted.id}/dismiss"
    assert f'action="{place}"' in page
    assert press.post(place, content="why=", headers=FORM).status_code == 400
    press.post(place, content="why=sent+twice", headers=FORM)
    assert own.data.anomaly(wanted.id).state == "dismissed"
    assert "sent twice" in press.get("/data/flights/anomalies").text


def test_the_rows_that_have_an_anomaly_are_shown_with_its_column_first(browser, workspace):
    (wanted,) = [each for each in workspace.data.anomalies() if each.column == "origin"]
    page = browser.get("/data/flights/anomalies", params={"rows": wanted.id}).text
    rows = page.partition("Rows that have it")[2].partition("</table>")[0]
    assert re.findall(r"<bdi>(\w+)</bdi>", rows) == ["origin", "delay", "SFO"]


def test_a_page_of_another_site_cannot_press_a_button(press, own):
    wanted = open_ids(own)[0]
    answer = press.post(
        f"/data/flights/anomalies/{wanted}/accept",
        content="why=x",
        headers={**FORM, "Origin": "http://evil.example"},
    )
    assert answer.status_code == 403
    assert wanted in open_ids(own)


def test_what_is_no_form_is_refused(press, own):
    place = f"/data/flights/anomalies/{open_ids(own)[0]}/accept"
    answer = press.post(place, json={"why": "x"})
    assert answer.status_code == 400
    assert "TD-UI-003" in answer.text


def edit(browser, **typed):
    page = browser.get("/data/flights/schema").text
    base = re.search(r'name="base" value="([^"]*)"', page)[1]
    return browser.post("/data/flights/schema", data={"base": base, **typed})


SCHEMA = "schema: flights\ncolumns:\n  origin: {type: string}\n  delay: {type: double, max: 99}\n"


def test_an_edited_schema_is_a_new_version_with_its_reason(press, own):
    answer = edit(press, text=SCHEMA.replace("\n", "\r\n"), why="delays are short")
    assert answer.status_code == 200
    assert own.schemas.log("flights")[0].why == "delays are short"
    assert own.data.schema("flights").columns["delay"].max == 99
    assert "columns.delay.max: 99" in answer.text


@pytest.mark.parametrize(
    ("text", "code", "status"),
    [
        ("schema: [", "TD-DATA-001", 422),
        ("just words", "TD-DATA-001", 422),
        (SCHEMA.replace("double", "duoble"), "TD-CORE-005", 422),
        (SCHEMA + "min_rows: 9\nmax_rows: 1\n", "TD-SCHEMA-003", 422),
    ],
)
def test_a_refused_edit_loses_nothing_of_what_was_typed(press, own, text, code, status):
    before = own.data.schema("flights")
    answer = edit(press, text=text + f"# {EVIL}", why="because")
    assert answer.status_code == status
    assert code in answer.text
    assert EVIL not in answer.text
    typed = answer.text.partition("<textarea")[2].partition(">\n")[2].partition("</textarea>")[0]
    assert typed.startswith(text)
    assert 'value="because"' in answer.text
    assert own.data.schema("flights") == before


def test_an_edit_needs_a_reason(press):
    answer = edit(press, text=SCHEMA, why=" ")
    assert answer.status_code == 400
    assert "TD-UI-001" in answer.text


def test_an_edit_of_an_older_version_is_refused(press):
    page = press.get("/data/flights/schema").text
    base = re.search(r'name="base" value="([^"]*)"', page)[1]
    assert edit(press, text=SCHEMA, why="one").status_code == 200
    typed = {"base": base, "text": SCHEMA + "max_rows: 5\n", "why": "two"}
    answer = press.post("/data/flights/schema", data=typed)
    assert answer.status_code == 409
    assert "TD-UI-002" in answer.text


def test_names_and_values_from_outside_are_escaped_and_cut(own, press):
    rows = [EVIL, "a\x00b", "\u202eevil", "x" * 5_000, "", None]
    hostile = pa.table({EVIL: rows, "y" * 300: range(6), "a\nb": [float("nan")] * 6})
    own.data.commit_table("hostile", hostile, by=EVIL, why=EVIL)
    own.data.commit_table("hostile", hostile.slice(2), by=EVIL, why=EVIL)
    own.data.infer_schema("hostile", why=EVIL)
    for below in ("", "/compare", "/anomalies", "/schema"):
        answer = press.get(f"/data/hostile{below}")
        assert answer.status_code == 200
        assert EVIL not in answer.text
        assert "\x00" not in answer.text
    page = press.get("/data/hostile").text
    assert "y" * 300 not in re.sub(r'title="[^"]*"|aria-label="[^"]*"', "", page)
    assert "empty text" in page
    assert "(5,000 characters)" in page


def test_many_columns_come_in_pages_and_are_found_by_name(own, press):
    names = [f"column_{number:05d}" for number in range(250)]
    wide = pa.table({name: [1.0] for name in names})
    commit = own.data.commit_table("wide", wide)
    column = ColumnStatistics(type="double", rows=1, missing=0, distinct=1)
    statistics = Statistics(rows=1, columns=dict.fromkeys(names, column))
    own.parts.ledger.put("statistics", commit.snapshot, statistics)
    shown = press.get("/data/wide?page=2").text
    assert shown.count('<details class="column">') == 100
    assert "Page 2 of 3" in shown
    assert 'href="/data/wide?page=3"' in shown
    found = press.get("/data/wide?search=_00042").text
    assert found.count('<details class="column">') == 1
    assert "1 of 250 columns" in found


def test_a_schema_of_too_many_columns_is_edited_elsewhere(own, press):
    own.data.commit_table("wide", pa.table({f"column_{number}": [1.0] for number in range(1001)}))
    own.data.infer_schema("wide", why="as seen")
    page = press.get("/data/wide/schema").text
    assert "1,001 columns is too long to edit here" in page
    assert "<textarea" not in page
    assert "tondo schema export wide" in page


@pytest.mark.parametrize("page", ["0", "-1", "99999999999999999999", "x", "²"])
def test_any_page_number_leads_somewhere(browser, page):
    assert browser.get("/data/flights", params={"page": page}).status_code == 200


def test_a_project_without_data_is_told_how_to_begin(tmp_path):
    (tmp_path / "project.yaml").write_text("project: small\nowner: me\n")
    with tondo.open(str(tmp_path)) as empty, browsing(empty) as client:
        assert "Nothing is committed yet" in client.get("/data").text


def test_a_dataset_without_a_schema_is_shown_and_gets_one_by_page(own, press):
    own.data.commit_table("bare", table(["EWR"], [1.0]))
    assert "There is no schema yet" in press.get("/data/bare/schema").text
    assert press.get("/data/bare/anomalies").status_code == 200
    text = "schema: bare\ncolumns:\n  origin: {type: string}\n  delay: {type: double}\n"
    answer = press.post("/data/bare/schema", data={"base": "", "text": text, "why": "first"})
    assert answer.status_code == 200
    assert own.data.schema("bare").columns["delay"].type == "double"


def test_a_branch_is_a_version_too(own, press):
    own.snapshots.create_branch("flights", "trial", at="v1")
    own.data.commit_table("flights", table(["SFO"], [9.0]), branch="trial", why="on trial")
    assert "on trial" in press.get("/data/flights?version=trial").text
    assert 'href="/data/flights?version=trial"' in press.get("/data").text


def test_what_a_derived_dataset_was_made_from_is_linked(tmp_path):
    (tmp_path / "project.yaml").write_text(
        "project: small\nowner: me\n---\ndataset: late\nowner: me\ndescription: Late ones.\n"
        "inputs: [flights]\nsql: select origin from flights where delay > 5\n"
    )
    with tondo.open(str(tmp_path)) as opened:
        commit = opened.data.commit_table("flights", table(["EWR"], [9.0]))
        opened.data.derive("late")
        with browsing(opened) as client:
            page = client.get("/data/late").text
    assert f'href="/data/flights?version={commit.snapshot[:12]}"' in page
    assert "Late ones." in page


def test_the_figures_of_a_page_are_those_of_the_statistics(browser, workspace):
    delay = workspace.data.statistics("flights").columns["delay"]
    page = browser.get("/data/flights?search=delay").text
    assert f"mean {delay.mean:.4g}, sd {delay.sd:.4g}" in page
    shown = re.findall(r"<title>[^<]*: (\d+)</title>", page)
    assert [int(each) for each in shown] == [count for _, _, count in delay.histogram]
    assert msgspec.to_builtins(delay)["missing"] == 1
