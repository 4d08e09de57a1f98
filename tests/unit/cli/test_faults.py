"""Every fault on the command line is a coded line and an exit code, never a traceback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tondo.core.errors import (
    CallerError,
    ConflictError,
    DataError,
    DefinitionError,
    MissingExtraError,
    NotFoundError,
    OutsideError,
    PlatformError,
)
from tondo.faces.cli import start
from tondo.faces.cli.faults import error_text, exit_code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataError("TD-X-001", "bad"), 1),
        (CallerError("TD-X-001", "bad"), 2),
        (NotFoundError("TD-X-001", "bad"), 2),
        (ConflictError("TD-X-001", "bad"), 2),
        (DefinitionError("TD-X-001", "bad"), 2),
        (PlatformError("TD-X-001", "bad"), 3),
        (OutsideError("TD-X-001", "bad"), 3),
        (MissingExtraError.of("lightgbm", "the model"), 2),
    ],
)
def test_the_exit_code_says_whose_fault_it_is(error, code):
    assert exit_code(error) == code


def test_an_error_tells_code_what_expected_and_fix_on_lines_of_their_own():
    error = CallerError(
        "TD-X-001", "no model 'lat'", expected="a model", fix="Did you mean 'late'?"
    )
    assert error_text(error).splitlines() == [
        "TD-X-001: no model 'lat'",
        "  expected: a model",
        "  fix: Did you mean 'late'?",
        "  more: tondo explain TD-X-001",
    ]


def test_colours_change_no_word():
    error = CallerError("TD-X-001", "no model", expected="a model", fix="Look.")
    assert re.sub(r"\x1b\[[\d;]*m", "", error_text(error, colour=True)) == error_text(error)


@pytest.mark.parametrize(
    ("words", "code", "near"),
    [
        (["datset", "list"], "TD-CLI-002", "'dataset'"),
        (["dataset", "lst"], "TD-CLI-002", "'list'"),
        (["dataset", "commits"], "TD-CLI-003", "DATASET"),
        (["dataset", "list", "--jsn"], "TD-CLI-003", "--json"),
        (["predict", "late", "JFK"], "TD-CLI-006", "key=value"),
        (["explain", "TD-CORE-1"], "TD-CLI-007", "'TD-CORE-001'"),
        (["sql", "query", "select 1", "--limit", "many"], "TD-CLI-003", "limit"),
    ],
)
def test_a_mistyped_command_is_told_what_was_meant(words, code, near, capsys):
    assert start.main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith(code)
    assert near.lower() in said.lower()
    assert "Traceback" not in said


def test_a_folder_that_is_no_project_is_left_alone(tmp_path, capsys):
    assert start.main(["dataset", "list", "--project", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("TD-CLI-005")
    assert list(tmp_path.iterdir()) == []


def test_without_the_platform_the_install_command_is_told(monkeypatch, capsys):
    monkeypatch.setattr(start, "_PLATFORM", ("typer", "a_library_that_is_not_there"))
    assert start.main(["dataset", "list"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("TD-INSTALL-001")
    assert "pip install 'tondo[platform]'" in said


def test_a_fault_of_ours_is_one_line_and_a_log(monkeypatch, capsys):
    def break_down(*_):
        raise ZeroDivisionError("far inside")

    monkeypatch.setattr(start, "_check_names", break_down)
    assert start.main(["dataset", "list"]) == 70
    said = capsys.readouterr().err
    assert said.startswith("TD-CLI-001")
    assert said.count("\n") == 1
    log = Path(re.search(r"are in (\S+\.log)", said)[1])
    assert "far inside" in log.read_text()
    log.unlink()


def test_every_page_of_a_code_can_be_explained(capsys):
    for page in sorted((Path(__file__).parents[3] / "docs" / "codes").glob("TD-CLI-*.md")):
        assert start.main(["explain", page.stem.lower()]) == 0
        assert capsys.readouterr().out == page.read_text()
