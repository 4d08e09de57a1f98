"""Statistics, schema and check of bare files: no project, no ledger, the same in Python."""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow as pa
import pytest

import tondo

DAYS = "origin,delay\nJFK,1.5\nLGA,\nJFK,20\nEWR,3\n"
SPOILED = "origin,delay\nJFK,1.5\nNYC,2\nNYC,20\nEWR,3\n"


def run(*words, folder):
    command = [sys.executable, "-m", "tondo.faces.cli", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "days.csv").write_text(DAYS)
    (tmp_path / "spoiled.csv").write_text(SPOILED)
    done = run("schema", "infer", "days.csv", "--out", "days.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_statistics_of_a_file_are_those_of_the_table(tmp_path):
    (tmp_path / "days.csv").write_text(DAYS)
    done = run("stats", "days.csv", "--json", folder=tmp_path)
    table = pa.table({"origin": ["JFK", "LGA", "JFK", "EWR"], "delay": [1.5, None, 20.0, 3.0]})
    said = json.loads(done.stdout)
    assert said["columns"]["delay"]["missing"] == 1
    assert said == json.loads(json.dumps(_plain(tondo.statistics(table))))


def _plain(value):
    import msgspec

    return msgspec.to_builtins(value)


def test_a_file_meets_the_schema_inferred_from_it(files):
    done = run("schema", "check", "days.csv", "--schema", "days.yaml", "--json", folder=files)
    assert (done.returncode, json.loads(done.stdout)["anomalies"]) == (0, [])


def test_an_anomaly_ends_with_one_and_says_how_to_accept_it(files):
    done = run("schema", "check", "spoiled.csv", "--schema", "days.yaml", "--json", folder=files)
    (anomaly,) = json.loads(done.stdout)["anomalies"]
    assert done.returncode == 1
    assert anomaly["column"] == "origin"
    assert anomaly["tfdv"] == "ENUM_TYPE_UNEXPECTED_STRING_VALUES"
    assert anomaly["patch"][0]["path"] == ["columns", "origin", "domain"]


def test_a_person_reads_the_anomaly_and_its_patch(files):
    done = run("schema", "check", "spoiled.csv", "--schema", "days.yaml", folder=files)
    assert "'NYC'" in done.stdout
    assert "to accept it: columns.origin.domain" in done.stdout


def test_a_person_reads_a_distance_as_one_line(files):
    words = ("spoiled.csv", "--schema", "days.yaml", "--previous", "days.csv")
    done = run("schema", "check", *words, folder=files)
    assert "drift of origin: l_infinity 0.5 (no threshold), most at 'NYC'" in done.stdout


def test_distances_are_told_when_the_schema_asks_for_them(files):
    text = (files / "days.yaml").read_text()
    asked = text.replace("  origin:\n", "  origin:\n    drift: {l_infinity: 0.3}\n")
    (files / "asked.yaml").write_text(asked)
    words = ("spoiled.csv", "--schema", "asked.yaml", "--previous", "days.csv", "--json")
    done = run("schema", "check", *words, folder=files)
    found = json.loads(done.stdout)["distances"]
    distance = next(each for each in found if each["measure"] == "l_infinity")
    assert distance["column"] == "origin"
    assert distance["against"] == "drift"
    assert distance["value"] == 0.5
    assert distance["threshold"] == 0.3


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("schema", "check", "days.csv"), "TD-CLI-003"),
        (("schema", "check", "days.csv", "--schema", "no.yaml"), "TD-DATA-002"),
        (("schema", "check", "no.csv", "--schema", "days.yaml"), "TD-DATA-002"),
        (
            ("schema", "check", "days.csv", "--schema", "days.yaml", "--environment", "SERVNG"),
            "TD-SCHEMA-004",
        ),
        (("schema", "check", "days.csv", "--schema", "days.csv"), "TD-DATA-001"),
    ],
)
def test_bad_use_is_one_coded_line_and_ends_with_two(files, words, code):
    done = run(*words, folder=files)
    assert done.returncode == 2
    assert code in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_of_the_ledger_is_imported(tmp_path):
    (tmp_path / "days.csv").write_text(DAYS)
    code = "import sys, tondo; tondo.statistics('days.csv'); print('sqlalchemy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_what_is_no_table_is_refused():
    with pytest.raises(tondo.CallerError, match="TD-WORKSPACE-021"):
        tondo.statistics({"a": [1]})


def prices(rows, *, factor=1):
    """A made-up shop: prices go round, so every block of the rows looks alike."""
    return "price,shop\n" + "".join(
        f"{(10 + 7 * at % 90) * factor},{'ns'[at % 2]}\n" for at in range(rows)
    )


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "accepted.csv").write_text(prices(2_000))
    (tmp_path / "monday.csv").write_text(prices(300))
    (tmp_path / "cents.csv").write_text(prices(300, factor=1000))
    done = run("schema", "infer", "accepted.csv", "--out", "shop.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_a_change_of_unit_is_found_beside_accepted_rows(shop):
    words = ("--schema", "shop.yaml", "--reference", "accepted.csv", "--json")
    done = run("schema", "check", "cents.csv", *words, folder=shop)
    first = json.loads(done.stdout)["anomalies"][0]
    assert (done.returncode, first["column"], first["code"]) == (1, "price", "TD-SCHEMA-062")


def test_a_batch_of_the_same_kind_passes_beside_accepted_rows(shop):
    words = ("--schema", "shop.yaml", "--reference", "accepted.csv", "--json")
    done = run("schema", "check", "monday.csv", *words, folder=shop)
    assert (done.returncode, json.loads(done.stdout)["anomalies"]) == (0, [])


def test_a_reference_of_few_rows_is_bad_use(shop):
    (shop / "few.csv").write_text(prices(50))
    words = ("--schema", "shop.yaml", "--reference", "few.csv")
    done = run("schema", "check", "monday.csv", *words, folder=shop)
    assert done.returncode == 2
    assert "TD-WORKSPACE-022" in done.stderr


def test_sketches_of_parts_merge_and_are_kept_as_bytes(shop):
    whole = tondo.sketch(shop / "accepted.csv")
    part = tondo.read_sketch(tondo.sketch(shop / "monday.csv").to_bytes())
    merged = whole.merge(part).statistics().statistics
    assert merged.rows == 2_300
    exact = tondo.statistics(shop / "monday.csv").columns["price"]
    assert merged.columns["price"].max == exact.max


SEMICOLONS = DAYS.replace(",", ";")


def test_cells_parted_by_another_sign_are_read_where_it_is_said(files):
    (files / "others.csv").write_text(SEMICOLONS)
    assert tondo.statistics(files / "others.csv", delimiter=";") == tondo.statistics(
        files / "days.csv"
    )
    done = run("stats", "others.csv", "--delimiter", ";", "--json", folder=files)
    assert json.loads(done.stdout)["columns"]["delay"]["missing"] == 1
    done = run("schema", "infer", "others.csv", "--delimiter", ";", folder=files)
    assert "delay:" in done.stdout
    words = ["--schema", "days.yaml", "--previous", "others.csv", "--delimiter", ";", "--json"]
    done = run("schema", "check", "others.csv", *words, folder=files)
    assert (done.returncode, json.loads(done.stdout)["anomalies"]) == (0, [])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["stats", "days.csv", "--delimiter", ";;"], "TD-DATA-046"),
        (["stats", "days.csv", "--delimiter", ";"], "TD-DATA-041"),
        (["schema", "infer", "days", "--delimiter", ";"], "TD-CLI-003"),
        (["stats", "days", "--delimiter", ";"], "TD-CLI-003"),
    ],
)
def test_a_delimiter_that_cannot_be_meant_is_refused(files, words, code):
    done = run(*words, folder=files)
    assert done.stderr.startswith(code)


def test_a_batch_before_it_in_parquet_needs_no_delimiter(files):
    import pyarrow.parquet as pq

    (files / "others.csv").write_text(SEMICOLONS)
    table = pa.table({"origin": ["JFK", "LGA", "JFK", "EWR"], "delay": [1.5, None, 20.0, 3.0]})
    pq.write_table(table, files / "before.parquet")
    found = tondo.check_schema(
        files / "others.csv", files / "days.yaml", previous=files / "before.parquet", delimiter=";"
    )
    assert {each.value for each in found.distances} == {0.0}
