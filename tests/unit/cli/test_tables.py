"""Tables of commands fit every terminal; names stay whole, and what has no room is named."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tondo.faces.cli.show import renderable

ROWS = [
    {
        "deployment": "late_arrival_staging",
        "since_us": 1_364_774_400_000_000,
        "share": 0.25,
        "model_version_id": "0192f0aa-7c3e-7def-8000-0123456789ab",
        "why": "newer; the one before has missed most thunderstorms",
    },
    {"deployment": "late", "since_us": None, "share": 1.0, "model_version_id": "", "why": "[red]"},
]


def drawn(value, width):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(renderable(value))
    return console.file.getvalue()


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 120, 240])
@pytest.mark.parametrize("value", [ROWS, {"rows": ROWS, "name": "nested"}])
def test_no_line_is_longer_than_the_terminal_and_no_name_is_broken(width, value):
    text = drawn(value, width)
    assert max(map(len, text.splitlines())) <= width
    if value is ROWS:
        assert "late_arrival_staging" in text


def test_what_has_no_room_is_named():
    text = drawn(ROWS, 60)
    assert "2013-04-01T00:00:00Z" in text
    assert "--json: model version id, why" in " ".join(text.split())
    assert "--json" not in drawn(ROWS, 120)


def test_sentences_break_at_words_and_signs_of_markup_are_data():
    text = drawn(ROWS, 110)
    assert "thunderstorms" in text
    assert "[red]" in text
