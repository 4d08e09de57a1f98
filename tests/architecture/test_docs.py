"""What the docs show exists: commands, files that are linked to, lines of the demo's definitions."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tondo.faces.cli.index import load

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text()
DEFINITIONS = ROOT / "src" / "tondo" / "workspace" / "demo" / "project"
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+?)(?:#[^)]*)?\)|src(?:set)?=\"([^\"]+)\"")


def commands(text):
    """The commands that a page shows, in blocks of their own and within lines, as words."""
    found = re.findall(r"`tondo ([^`\n]+)`", FENCE.sub("", text))
    for block in FENCE.findall(text):
        found += re.findall(r"^(?:\$ )?tondo ([a-z].*)$", block, re.MULTILINE)
    return [each.split() for each in found if re.match("[a-z]", each)]


def is_command(words):
    known = load()["commands"]
    if words[0] in known[""]:
        return True
    if words[0] not in known:
        return False
    # A noun alone, or with a verb in capitals that stands for any, is a way to speak of it.
    return len(words) == 1 or not re.fullmatch("[a-z]+", words[1]) or words[1] in known[words[0]]


@pytest.mark.parametrize("path", PAGES, ids=lambda each: str(each.relative_to(ROOT)))
def test_every_command_that_is_shown_exists(path):
    assert [" ".join(each) for each in commands(path.read_text()) if not is_command(each)] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda each: str(each.relative_to(ROOT)))
def test_every_file_that_is_linked_to_exists(path):
    targets = [first or second for first, second in LINK.findall(path.read_text())]
    local = [each for each in targets if "://" not in each]
    assert [each for each in local if not (path.parent / each).exists()] == []


def test_the_tutorial_shows_the_definitions_as_they_are():
    known = {
        line.strip() for path in DEFINITIONS.glob("*.yaml") for line in path.read_text().split("\n")
    }
    shown = [
        line.strip()
        for block in re.findall(r"```yaml\n(.*?)```", TUTORIAL, re.DOTALL)
        for line in block.splitlines()
    ]
    left_out = {"", "...", "with timed as (...)"}
    joined = {"thresholds: {auc: {min: 0.60}, log_loss: {max: 0.65}}"}  # two lines there
    assert [each for each in shown if each not in known | left_out | joined] == []


def test_images_are_small():
    sizes = {each.name: each.stat().st_size for each in (ROOT / "docs" / "images").iterdir()}
    assert {name: size for name, size in sizes.items() if size > 200_000} == {}


def test_every_benchmark_has_a_place_for_its_figures():
    list_them = [sys.executable, "-m", "benchmarks", "--list"]
    told = subprocess.run(list_them, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = {line.split()[0] for line in told.splitlines()}
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    assert set(re.findall(r"<!-- figures of (\w+): ", page)) == names
    assert page.count("<!-- figures of ") == page.count("<!-- end of figures -->") == len(names)


def test_writing_figures_leaves_the_rest_of_the_page_alone():
    code = (
        "from benchmarks.__main__ import CLOSING, OPENING, replaced;"
        "page = f'a\\n{OPENING.format(name=\"x\")}\\nold\\n{CLOSING}\\nb \\\\1';"
        "once = replaced(page, 'x', '| 1 |');"
        "print(replaced(once, 'x', '| 1 |') == once, once.endswith('b \\\\1'), '| 1 |' in once)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "True", "True"], done.stderr
