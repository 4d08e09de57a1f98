"""Help is written from the index, at once and without a library."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tondo.faces.cli.everyday import EVERYDAY
from tondo.faces.cli.help import help_text
from tondo.faces.cli.index import load
from tondo.faces.cli.start import main

HEAVY = (
    "typer",
    "rich",
    "duckdb",
    "pyarrow",
    "sqlalchemy",
    "litestar",
    "msgspec",
    "numpy",
    "yaml",
    "jinja2",
)


def commands():
    return [(noun, verb) for noun, verbs in load()["commands"].items() for verb in verbs]


@pytest.mark.parametrize("words", [[], ["dataset"], ["model", "deploy"], ["up"]])
def test_help_loads_no_library(words):
    code = (
        "import sys; from tondo.faces.cli.start import main; "
        f"code = main({[*words, '--help']!r}); "
        f"loaded = [each for each in {HEAVY!r} if each in sys.modules]; "
        "loaded += [each for each in sys.modules if each.startswith(('tondo.workspace', 'tondo.stages'))]; "
        "sys.exit(code or ','.join(loaded) or 0)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("Usage: tondo")


@pytest.mark.parametrize(("noun", "verb"), commands())
def test_every_command_has_help_with_words_for_every_parameter(noun, verb):
    words = [noun, verb] if noun else [verb]
    page = help_text(words, load())
    assert page.startswith(f"Usage: tondo {' '.join(words)}")
    command = load()["commands"][noun][verb]
    assert command["about"].endswith((".", "key=value..."))
    assert all(each["about"] for each in command["parameters"])


def test_every_noun_has_help():
    for noun, about in load()["nouns"].items():
        assert about in help_text([noun], load())


def test_a_noun_alone_shows_its_verbs(capsys):
    assert main(["dataset"]) == 0
    assert "commits" in capsys.readouterr().out


def test_no_words_at_all_show_the_help(capsys):
    assert main([]) == 0
    assert "tondo explain CODE" in capsys.readouterr().out


def test_the_demos_own_flags_are_those_that_help_lists():
    from tondo.workspace.demo.run import _parser

    flags = {option for action in _parser()._actions for option in action.option_strings}
    listed = {f"--{each['name']}" for each in load()["commands"][""]["demo"]["parameters"]}
    assert flags - {"-h", "--help"} == listed


def test_the_version_is_told(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("tondo 0.")


def test_everyday_verbs_are_listed_in_their_order():
    page = help_text([], load())
    places = [page.index(f"\n  {verb}") for verb in EVERYDAY]
    assert places == sorted(places)
