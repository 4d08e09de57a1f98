"""Commands on a real project: the same operations, said in words."""

from __future__ import annotations

import json

import pytest

from tondo.faces.cli.start import main

ROWS = "city,temperature\nOslo,3.5\nRome,18.25\nCairo,\n"
PROJECT = """\
project: small
owner: me
---
source: cities
owner: me
description: Three cities.
path: cities.csv
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "cities.csv").write_text(ROWS)
    (tmp_path / "project.yaml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tell(capsys):
    """Run a command that must succeed and return its JSON."""

    def run(*words):
        assert main([*words, "--json"]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return run


def test_a_source_is_committed_and_read_back(project, tell):
    commit = tell("source", "commit", "cities", "--why", "first look")
    assert (commit["rows"], commit["why"]) == (3, "first look")
    assert [each["name"] for each in tell("dataset", "list")] == ["cities"]
    assert tell("dataset", "commits", "cities")[0]["id"] == commit["id"]


def test_a_plan_changes_nothing(project, tell):
    plan = tell("source", "commit", "cities", "--plan")
    assert plan["operation"] == "source.commit"
    assert plan["arguments"] == {"source": "cities"}
    assert tell("dataset", "list") == []


def test_sql_answers_over_the_datasets(project, tell):
    tell("source", "commit", "cities")
    question = "select count(temperature) as known from cities"
    assert tell("sql", "query", question) == [{"known": 2}]


def test_json_values_come_from_the_line_or_from_a_file(project, tell):
    (project / "columns.json").write_text('{"t": "double"}')
    on_the_line = tell("expression", "check", "t + 1", "--columns", '{"t": "double"}')
    assert tell("expression", "check", "t + 1", "--columns", "@columns.json") == on_the_line
    assert on_the_line["type"] == "double"


def test_a_table_is_shown_to_people(project, tell, capsys):
    tell("source", "commit", "cities")
    assert main(["dataset", "list"]) == 0
    shown = capsys.readouterr().out
    assert "cities" in shown
    assert "snapshot" in shown


def test_bad_json_is_a_coded_error(project, capsys):
    assert main(["expression", "check", "t", "--columns", "{t"]) == 2
    assert capsys.readouterr().err.startswith("TD-CLI-004")


def test_an_error_of_a_stage_keeps_its_code(project, capsys):
    assert main(["source", "commit", "citees"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("TD-PROJECT-004")
    assert "'cities'" in said


def test_status_and_doctor_speak_of_a_new_project(project, capsys):
    assert main(["status"]) == 0
    assert "nothing is live" in capsys.readouterr().out
    assert main(["doctor"]) == 0
    assert "ledger" in capsys.readouterr().out


def test_lineage_is_drawn_and_told(project, tell, capsys):
    commit = tell("source", "commit", "cities")
    assert main(["lineage", commit["id"]]) == 0
    assert commit["snapshot"][:12] in capsys.readouterr().out
    kinds = {each["kind"] for each in tell("lineage", commit["id"])["nodes"]}
    assert kinds >= {"commit", "snapshot"}


def test_executions_are_listed(project, capsys):
    assert main(["executions"]) == 0
    assert capsys.readouterr().out.strip() == "Nothing has been run yet."


def test_a_planned_inference_keeps_no_schema(project, tell, capsys):
    tell("source", "commit", "cities")
    assert tell("schema", "infer", "cities", "--plan")["operation"] == "schema.infer"
    assert main(["schema", "show", "cities"]) != 0
    assert "TD-SCHEMA-005" in capsys.readouterr().err


def test_a_folder_named_like_a_dataset_is_not_taken_for_a_file(project, tell):
    tell("source", "commit", "cities")
    (project / "cities").mkdir()
    assert tell("stats", "cities")["rows"] == 3
