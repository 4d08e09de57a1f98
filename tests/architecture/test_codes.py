"""Every error code has a page, and every page a code."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = re.compile(r'"(TD-[A-Z]+-\d{3})"')
HEADINGS = ("## What", "## Why", "## Example", "## Fix")


def codes_in_source() -> set[str]:
    return {
        code for path in (ROOT / "src").rglob("*.py") for code in CODE.findall(path.read_text())
    }


def test_every_code_that_is_raised_has_a_page():
    pages = {path.stem for path in (ROOT / "docs" / "codes").glob("TD-*.md")}
    assert codes_in_source() - pages == set()


def test_every_page_is_of_a_code_that_is_raised():
    pages = {path.stem for path in (ROOT / "docs" / "codes").glob("TD-*.md")}
    assert pages - codes_in_source() == set()


def test_every_page_says_what_why_an_example_and_the_fix():
    for path in sorted((ROOT / "docs" / "codes").glob("TD-*.md")):
        text = path.read_text()
        assert text.startswith(f"# {path.stem}: "), path.name
        assert [heading for heading in HEADINGS if heading not in text] == [], path.name
