"""Schemas, tracked anomalies and statistics of snapshots by command."""

from __future__ import annotations

import json

import pytest

from tondo.faces.cli.start import main

PROJECT = "project: small\nowner: me\n---\nsource: flights\npath: flights.csv\n"
GOOD = "origin,delay\nEWR,1\nJFK,9\n"
BAD = "origin,delay\nEWR,1\nLGA,9\n"


@pytest.fixture
def tell(capsys):
    """Run a command that must succeed and return its JSON."""

    def run(*words):
        assert main([*words, "--json"]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def say(capsys):
    """Run a command that must succeed and return what a person reads."""

    def run(*words):
        assert main([*words]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return run


@pytest.fixture
def project(tmp_path, monkeypatch, tell):
    (tmp_path / "project.yaml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    for text in (GOOD, BAD):
        (tmp_path / "flights.csv").write_text(text)
        tell("source", "commit", "flights")
        if text == GOOD:
            tell("schema", "infer", "flights", "--why", "the first look")
    return tmp_path


def test_a_check_opens_an_anomaly_that_is_assigned_and_accepted(project, tell, say):
    assert tell("dataset", "check", "flights", "--plan")["present"][0]["column"] == "origin"
    assert tell("anomaly", "list") == []
    tell("dataset", "check", "flights")
    (item,) = tell("anomaly", "list", "flights", "--state", "open")
    assert tell("anomaly", "assign", item["id"], "--owner", "bob")["owner"] == "bob"
    assert tell("anomaly", "show", item["id"])["patch"][0]["value"] == ["EWR", "JFK", "LGA"]
    assert tell("anomaly", "accept", item["id"], "--plan")["present"]["state"] == "open"
    assert tell("anomaly", "accept", item["id"], "--why", "new airport")["state"] == "accepted"
    assert tell("anomaly", "list", "--state", "open") == []
    assert "accepted" in say("anomaly", "list")


def test_what_was_set_aside_is_given_up_with_a_reason(project, tell, capsys):
    tell("batch", "sift", "flights")
    (item,) = tell("anomaly", "list", "flights", "--state", "open")
    assert [each["name"] for each in item["files"]] == [""]
    assert main(["anomaly", "dismiss", item["id"], "--why", " "]) != 0
    assert "TD-ANOMALY-004" in capsys.readouterr().err
    assert tell("anomaly", "dismiss", item["id"], "--why", "a test")["state"] == "dismissed"
    assert tell("alert", "list")[0]["status"] == "closed"


def test_a_schema_is_edited_shown_and_logged(project, tell, say):
    assert say("schema", "set", "flights", "delay.min=-60", "--plan").splitlines() == [
        "Planned; nothing was done",
        "+ columns.delay.min: -60",
    ]
    tell("schema", "set", "flights", "delay.min=-60", "delay.stage=beta", "--by", "eva")
    assert "min: -60" in say("schema", "show", "flights", "--yaml")
    assert "from -60" in say("schema", "show", "flights")
    log = say("schema", "log", "flights")
    assert "eva: delay.min=-60, delay.stage=beta" in log
    assert "  + columns.delay.min: -60" in log
    assert [each["number"] for each in tell("schema", "log", "flights")] == [2, 1]
    assert tell("schema", "diff", "flights@v1", "flights@v2")[0] == "+ columns.delay.min: -60"
    assert tell("schema", "suggest", "flights") == ["delay.max=9.0"]


def test_a_schema_goes_out_to_a_file_and_comes_back_edited(project, tell, say):
    main(["schema", "export", "flights", "--out", "flights.schema.yaml"])
    file = project / "flights.schema.yaml"
    file.write_text(file.read_text() + "max_rows: 99\n")
    assert "+ max_rows: 99" in say("schema", "import", "flights", str(file), "--plan")
    assert tell("schema", "import", "flights", str(file))["changes"] == ["+ max_rows: 99"]
    assert tell("schema", "log", "flights")[0]["why"] == "imported flights.schema.yaml"
    assert "max_rows: 99" in say("schema", "export", "flights")


def test_an_edit_of_a_place_that_is_not_there_is_a_coded_error(project, capsys):
    assert main(["schema", "set", "flights", "dely.min=3"]) == 2
    assert "Did you mean 'delay'?" in capsys.readouterr().err


def test_statistics_of_a_snapshot_of_its_slices_and_of_any_version(project, tell, say):
    whole = tell("snapshot", "statistics", "flights@v1")
    assert whole == tell("stats", "flights@v1")
    words = ("--slice", "origin", "--where", "delay > 5")
    slices = tell("snapshot", "statistics", "flights", *words)
    assert [each["slice"] for each in slices] == [
        {"origin": "EWR"},
        {"origin": "LGA"},
        {"delay > 5": True},
    ]
    assert "origin = LGA" in say("snapshot", "statistics", "flights", *words)
    assert "delay" in say("snapshot", "statistics", "flights")


def test_crosses_and_comparisons_of_snapshots(project, tell, say):
    assert tell("snapshot", "crosses", "flights", "--label", "origin")["label"] == "origin"
    assert "pairs of numbers" in say("snapshot", "crosses", "flights")
    compared = tell("snapshot", "compare", "flights@v1", "flights")
    assert compared["columns"]["origin"]["new_values"] == ["LGA"]
    assert "new LGA" in say("snapshot", "compare", "flights@v1", "flights")
