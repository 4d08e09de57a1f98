"""Pages hold what they must, escape what they are given, and reach for nothing outside."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import msgspec
import pytest

from tondo.core.errors import CallerError
from tondo.faces.ui.overview import overview_page
from tondo.faces.ui.render import STATIC, breakable, render, shown

EVIL = "<script>alert(1)</script>"


class Structure(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def ids(self):
        return [each["id"] for _, each in self.tags if each.get("id")]


@pytest.fixture(params=["full_overview", "empty_overview", "long_overview"])
def page(request, painted):
    return render("overview.html", **overview_page(getattr(painted, request.param)()))


@pytest.fixture
def prediction_page(painted):
    return render("prediction.html", detail=painted.detail(painted.full_overview().predictions[0]))


@pytest.fixture(params=["full_overview", "empty_overview", "long_overview", "prediction"])
def any_page(request, painted, prediction_page):
    if request.param == "prediction":
        return prediction_page
    return render("overview.html", **overview_page(getattr(painted, request.param)()))


def test_every_section_is_there_whatever_there_is(page):
    ids = Structure(page).ids()
    for section in (
        "models",
        "quality",
        "traffic",
        "drift",
        "consistency",
        "alerts",
        "executions",
        "loop",
    ):
        assert section in ids


def test_ids_are_unique(any_page):
    ids = Structure(any_page).ids()
    assert len(ids) == len(set(ids))


def test_a_page_has_no_inline_script_no_inline_style_and_no_foreign_address(any_page):
    for tag, attributes in Structure(any_page).tags:
        assert "style" not in attributes, (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")]
        assert tag != "script" or attributes.get("src", "").startswith("/static/")
        for name in ("src", "href"):
            assert (attributes.get(name) or "/").startswith(("/", "#"))


def test_every_chart_has_its_data_in_a_table(painted):
    page = render("overview.html", **overview_page(painted.full_overview()))
    assert page.count("<summary>View data</summary>") == 2
    for row in painted.months():
        assert f'<td class="n">{row.auc:.3f}</td>' in page


def test_promotions_are_marked(painted):
    page = render("overview.html", **overview_page(painted.full_overview()))
    wide = page.partition('id="auc-late_arrival"')[2].partition("</svg>")[0]
    assert re.findall(r'data-promotion="(\d+)"', wide) == [str(each) for each in range(1, 10)]


def test_the_notes_that_keep_the_chart_honest_are_shown(painted):
    overview = painted.full_overview()
    page = render("overview.html", **overview_page(overview))
    assert all(note.replace("'", "&#39;") in page for note in overview.notes)


def test_a_month_so_far_says_so(painted):
    full = painted.full_overview()
    last = msgspec.structs.replace(full.months[-1], is_open=True, static_auc=None, static_low=None)
    months = [*full.months[:-1], last]
    page = render("overview.html", **overview_page(msgspec.structs.replace(full, months=months)))
    assert "December 2013</th>" not in page
    assert "December 2013 <small>so far</small></th>" in page
    assert page.count("open-dot") == 2  # at two widths
    assert "so far: outcomes still come" in page


def test_what_is_not_there_is_not_in_the_legend(painted):
    full = painted.full_overview()
    months = [msgspec.structs.replace(each, static_auc=None) for each in full.months]
    bare = msgspec.structs.replace(full, months=months, promotions=[])
    page = render("overview.html", **overview_page(bare))
    assert "first model left alone</span>" not in page
    assert "a version comes live</span>" not in page
    assert "so far: outcomes still come" not in page


def test_a_project_of_another_time_says_so_beside_the_time(painted):
    full = painted.full_overview()
    page = render("overview.html", **overview_page(full))
    assert "the project's own time" not in page
    moved = msgspec.structs.replace(full, machine_us=full.now_us * 2)
    assert "the project's own time" in render("overview.html", **overview_page(moved))


def test_an_empty_project_is_told_how_to_begin(painted):
    page = render("overview.html", **overview_page(painted.empty_overview()))
    assert "tondo init --data FILE --label COLUMN" in page
    assert page.count('class="empty"') == 7


def test_lineage_goes_from_the_prediction_to_the_source_rows_in_order(prediction_page):
    kinds = re.findall(r'data-kind="(\w+)"', prediction_page)
    assert list(dict.fromkeys(kinds)) == [
        "deployment",
        "model_version",
        "run",
        "training_set",
        "snapshot",
        "commit",
        "rows",
    ]
    assert "<td>UA257-EWR</td>" in prediction_page


def test_a_pending_outcome_and_an_unlogged_row_are_said(painted):
    detail = painted.detail(painted.full_overview().predictions[0])
    bare = msgspec.structs.replace(
        detail, outcome=None, inputs={}, vector={}, stages=[], score=None, decision=None
    )
    page = render("prediction.html", detail=bare)
    assert "pending" in page
    assert "The row was not logged." in page


def test_names_from_outside_are_escaped(painted):
    full = painted.full_overview()
    hostile = msgspec.structs.replace(
        full,
        project=EVIL,
        models=[msgspec.structs.replace(full.models[0], name=EVIL, why=EVIL, tags=[EVIL])],
        alerts=[msgspec.structs.replace(full.alerts[0], message=EVIL, subject=EVIL)],
        notes=[EVIL],
        curl=EVIL,
        predictions=[EVIL],
    )
    assert EVIL not in render("overview.html", **overview_page(hostile))


def test_an_error_is_a_page(painted):
    error = CallerError("TD-X-001", f"no {EVIL}", expected="a name", fix="Look it up.")
    page = render("error.html", error=error)
    assert "tondo explain TD-X-001" in page
    assert EVIL not in page


def test_breaks_are_offered_inside_long_names():
    assert breakable("a_b<c@d") == "a_<wbr>b&lt;c@<wbr>d"


def test_figures_stay_whole():
    assert [shown(each) for each in (18.4125, "N713TW_a", None)] == [
        "18.4125",
        "N713TW_<wbr>a",
        "null",
    ]


def test_own_files_reach_for_nothing_outside():
    for path in STATIC.iterdir():
        # What others wrote says in its first comment where it comes from.
        text = re.sub(r"\A/\*!.*?\*/", "", path.read_text())
        addresses = re.findall(r"https?://[^\s\"')]+|url\([^)]*\)|@import", text)
        assert [each for each in addresses if not each.startswith("http://www.w3.org/")] == [], (
            path.name
        )


def channel(part: str) -> float:
    value = int(part, 16) / 255
    return value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4


def luminance(colour: str) -> float:
    red, green, blue = (channel(colour[at : at + 2]) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [":root {", ':root[data-theme="dark"] {'])
@pytest.mark.parametrize("ground", ["paper", "card"])
@pytest.mark.parametrize("ink", ["ink", "muted", "lapis", "bad", "good", "gilt"])
def test_text_has_contrast_in_both_themes(theme, ground, ink):
    block = (STATIC / "tondo.css").read_text().partition(theme)[2].partition("}")[0]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    lighter, darker = sorted((luminance(colours[ground]), luminance(colours[ink])), reverse=True)
    # WCAG 2.2, 1.4.3: 4.5 for text; gilt is for short large words and lines: 3.
    assert (lighter + 0.05) / (darker + 0.05) >= (3.0 if ink == "gilt" else 4.5)


def test_the_dark_theme_is_the_same_asked_or_preferred():
    css = (STATIC / "tondo.css").read_text()
    asked = css.partition(':root[data-theme="dark"] {')[2].partition("}")[0]
    preferred = css.partition(":root:not([data-theme]) {")[2].partition("}")[0]
    assert asked.split() == preferred.split()
