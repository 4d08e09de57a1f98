"""Schemas, statistics and anomalies of other tools on bare files: by command and in Python."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from tondo.core.errors import DefinitionError, MissingExtraError
from tondo.workspace import bare, exchange

DAYS = (
    "origin,delay,seats,day\nJFK,1.5,100,2020-01-01\nLGA,,200,2020-01-02\nJFK,20,100,2020-01-02\n"
)
SPOILED = DAYS.replace("LGA,,200", "NYC,,200")
THEIRS = """
feature { name: "origin" type: BYTES value_count { min: 1 max: 1 } domain: "airports" }
feature { name: "delay" type: FLOAT value_count { min: 1 max: 1 } }
feature { name: "seats" type: INT value_count { min: 1 max: 1 } int_domain { min: 1 } }
feature { name: "day" type: BYTES value_count { min: 1 max: 1 } natural_language_domain { } }
string_domain { name: "airports" value: "JFK" value: "LGA" }
"""


def run(*words, folder):
    command = [sys.executable, "-m", "tondo.faces.cli", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "days.csv").write_text(DAYS)
    (tmp_path / "spoiled.csv").write_text(SPOILED)
    (tmp_path / "theirs.pbtxt").write_text(THEIRS)
    message = text_format.Parse(THEIRS, schema_pb2.Schema())
    (tmp_path / "theirs.pb").write_bytes(message.SerializeToString())
    (tmp_path / "ours.yaml").write_text(bare.write_schema(bare.infer_schema(tmp_path / "days.csv")))
    return tmp_path


@pytest.mark.parametrize("schema", ["theirs.pbtxt", "theirs.pb"])
def test_a_file_is_checked_against_a_schema_of_tensorflow(files, schema):
    assert bare.check_schema(files / "days.csv", files / schema).anomalies == []
    found = bare.check_schema(files / "spoiled.csv", files / schema)
    assert [each.code for each in found.anomalies] == ["TD-SCHEMA-013"]
    assert found.left_out == ("feature 'day': natural_language_domain is not understood",)


def test_the_command_says_what_it_does_not_understand_and_ends_with_one(files):
    done = run("schema", "check", "spoiled.csv", "--schema", "theirs.pb", "--json", folder=files)
    assert done.returncode == 1
    assert b"natural_language_domain is not understood" in done.stderr
    (anomaly,) = json.loads(done.stdout)["anomalies"]
    assert anomaly["tfdv"] == "ENUM_TYPE_UNEXPECTED_STRING_VALUES"


def test_a_check_is_printed_as_a_message_that_the_official_package_reads(files):
    words = ("schema", "check", "spoiled.csv", "--schema", "ours.yaml", "--as")
    done = run(*words, "tensorflow-binary", folder=files)
    found = anomalies_pb2.Anomalies()
    found.ParseFromString(done.stdout)
    assert done.returncode == 1
    assert found.anomaly_info["origin"].reason[0].type == (
        anomalies_pb2.AnomalyInfo.ENUM_TYPE_UNEXPECTED_STRING_VALUES
    )


def test_a_schema_is_converted_to_text_and_back(files):
    out = ("--out", "there.pbtxt")
    done = run("schema", "convert", "ours.yaml", "--to", "tensorflow-text", *out, folder=files)
    assert (done.returncode, done.stderr) == (0, b"")
    read = text_format.Parse((files / "there.pbtxt").read_text(), schema_pb2.Schema())
    assert [each.name for each in read.feature] == ["origin", "delay", "seats", "day"]
    done = run("schema", "convert", "there.pbtxt", "--to", "yaml", folder=files)
    assert done.stdout.decode() == (files / "ours.yaml").read_text()


def test_statistics_are_printed_as_a_message_and_checked_again(files):
    done = run("stats", "spoiled.csv", "--as", "tensorflow-binary", folder=files)
    read = statistics_pb2.DatasetFeatureStatisticsList()
    read.ParseFromString(done.stdout)
    assert read.datasets[0].num_examples == 3
    assert b"left out: quantiles of delay, seats" in done.stderr
    (files / "spoiled.pb").write_bytes(done.stdout)
    found = bare.check_schema(files / "spoiled.pb", files / "ours.yaml").anomalies
    assert [each.column for each in found] == ["origin"]


def test_sagemaker_files_go_out_and_come_in(files):
    constraints = run("schema", "convert", "ours.yaml", "--to", "sagemaker", folder=files)
    (files / "constraints.json").write_bytes(constraints.stdout)
    words = ("schema", "check", "spoiled.csv", "--schema", "constraints.json", "--as", "sagemaker")
    done = run(*words, folder=files)
    # Days have no type there, so their column is one that the constraints do not know.
    assert {
        each["feature_name"]: each["constraint_check_type"]
        for each in json.loads(done.stdout)["violations"]
    } == {"origin": "categorical_values_check", "day": "extra_column_check"}
    (files / "violations.json").write_bytes(done.stdout)
    assert exchange.read_anomalies(files / "violations.json").value[0].column == "origin"
    statistics = run("stats", "days.csv", "--as", "sagemaker", folder=files)
    (files / "statistics.json").write_bytes(statistics.stdout)
    assert exchange.read_statistics(files / "statistics.json").value.rows == 3
    assert b"origin" in run("stats", "statistics.json", folder=files).stdout


def test_a_form_that_is_not_there_is_bad_use(files):
    done = run("stats", "days.csv", "--as", "tensorflow", folder=files)
    assert done.returncode == 2
    assert b"TD-EXCHANGE-002" in done.stderr


def test_a_dataset_takes_no_schema_of_another_tool_unseen(files):
    with pytest.raises(DefinitionError, match="tondo schema convert"):
        bare.read_schema(files / "theirs.pb")


def test_without_the_extra_the_error_names_it(files, monkeypatch):
    adapter = "tondo.adapters.messages.tensorflow_metadata.messages"
    monkeypatch.delitem(sys.modules, adapter, raising=False)
    for name in [each for each in sys.modules if each.startswith("tensorflow_metadata")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorflow_metadata", None)
    with pytest.raises(MissingExtraError, match=r"tondo\[metadata\]"):
        exchange.read_schema(files / "theirs.pb")
