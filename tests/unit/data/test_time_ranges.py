"""Ranges of times: ISO text for people, instants in sentences, patches that widen them."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
import yaml

from tondo.core.errors import DefinitionError
from tondo.stages.data.constraints import ColumnSchema
from tondo.stages.data.schema import Schema, parse_schema, to_document
from tondo.stages.data.schema_edits import parse_edit
from tondo.stages.data.statistics import statistics
from tondo.stages.data.validation import apply_changes, apply_patches, validate

YAML = """\
schema: flights
columns:
  at: {type: timestamp, min: 2013-01-01, max: 2013-12-31}
  day: {type: date, min: 2013-01-01}
"""
TIME = pa.timestamp("us", tz="UTC")


def read(text):
    return parse_schema(yaml.safe_load(text))


def table(*instants, days=(date(2013, 1, 1),)):
    days = [*days, *[days[-1]] * (len(instants) - len(days))]
    return pa.table({"at": pa.array(instants, TIME), "day": pa.array(days, pa.date32())})


def found(engine, rows, schema):
    reported = validate(statistics(rows, engine=engine), schema)
    patched = apply_patches(schema, reported)
    assert validate(statistics(rows, engine=engine), patched) == []
    return reported, patched


def test_yaml_reads_and_writes_iso_text():
    schema = read(YAML)
    assert schema.columns["at"].min == datetime(2013, 1, 1, tzinfo=UTC).timestamp() * 1e6
    assert schema.columns["day"].min == (date(2013, 1, 1) - date(1970, 1, 1)).days
    written = to_document(schema)
    assert written["columns"]["at"]["min"] == "2013-01-01T00:00:00Z"
    assert written["columns"]["day"]["min"] == "2013-01-01"
    again = parse_schema(yaml.safe_load(yaml.safe_dump(written)))
    assert (again, again.id) == (schema, schema.id)


def test_a_date_as_the_end_of_instants_holds_until_its_day_is_over(engine):
    last = datetime(2013, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert found(engine, table(last), read(YAML))[0] == []


def test_a_sentence_shows_instants_and_the_patch_widens_the_range(engine):
    early = datetime(2012, 12, 31, 23, tzinfo=UTC)
    rows = table(early, days=(date(2012, 12, 31),))
    (at, day), patched = found(engine, rows, read(YAML))
    assert at.message == (
        "at: the first value is 2012-12-31T23:00:00Z, expected from 2013-01-01T00:00:00Z"
    )
    assert day.message == "day: the first value is 2012-12-31, expected from 2013-01-01"
    assert str(at.patch[0]) == 'columns.at.min = "2012-12-31T23:00:00Z"'
    assert to_document(patched)["columns"]["day"]["min"] == "2012-12-31"


def test_a_time_that_iso_text_cannot_say_is_patched_as_a_number(engine):
    far = pa.table({"at": pa.array([2**62], pa.int64()).cast(TIME)})
    schema = Schema(name="t", columns={"at": ColumnSchema(type="timestamp", max=0)})
    (anomaly,), patched = found(engine, far, schema)
    assert "microseconds since 1970" in anomaly.message
    assert patched.columns["at"].max == 2**62


def test_an_edit_sets_an_instant():
    schema = read(YAML)
    change = parse_edit("at.max=2014-06-30", schema)
    assert to_document(apply_changes(schema, [change]))["columns"]["at"]["max"] == (
        "2014-06-30T23:59:59.999999Z"
    )


@pytest.mark.parametrize("other", [pa.array([5.0]), pa.array([date(2013, 1, 1)]), pa.array(["x"])])
def test_another_type_drops_the_range_of_times(engine, other):
    schema = Schema(name="t", columns={"at": ColumnSchema(type="timestamp", min=0, max=9)})
    (anomaly,), patched = found(engine, pa.table({"at": other}), schema)
    assert anomaly.kind == "type"
    assert patched.columns["at"].min is None


@pytest.mark.parametrize(
    ("ends", "says"),
    [
        ("min: '2013-13-01'", "'2013-13-01' is no timestamp"),
        ("min: soon", "'soon' is no timestamp"),
        ("min: 2014-01-01, max: 2013-01-01", "min 2014-01-01T00:00:00Z is above max 2013-01-01T"),
    ],
)
def test_an_end_that_is_no_time_is_refused(ends, says):
    with pytest.raises(DefinitionError, match="TD-SCHEMA-003") as raised:
        read(f"schema: t\ncolumns:\n  at: {{type: timestamp, {ends}}}\n")
    assert says in raised.value.message
