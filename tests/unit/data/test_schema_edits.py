"""Edits of a schema in a line, and references to its versions."""

import pytest

from tondo.core.errors import CallerError, DefinitionError, NotFoundError
from tondo.stages.data.constraints import Comparator
from tondo.stages.data.inference import suggest_ranges
from tondo.stages.data.schema import ColumnSchema, Schema
from tondo.stages.data.schema_edits import edit_of, parse_edit
from tondo.stages.data.schema_versions import referenced_version, save_schema
from tondo.stages.data.statistics import statistics
from tondo.stages.data.validation import apply_changes

SCHEMA = Schema(
    name="f",
    columns={
        "delay": ColumnSchema(type="double", max=3, drift=Comparator(l_infinity=0.1)),
        "wind.speed": ColumnSchema(type="double"),
        "a=b": ColumnSchema(type="id"),
        "origin": ColumnSchema(type="string"),
    },
    severities={"few_rows": "off", "nan": "warning"},
    max_rows=9,
)


def edited(text):
    return apply_changes(SCHEMA, [parse_edit(text, SCHEMA)])


@pytest.mark.parametrize(
    ("text", "column", "field", "value"),
    [
        ("delay.min=-60", "delay", "min", -60),
        ("delay.max=2.5", "delay", "max", 2.5),
        ("delay.max=", "delay", "max", None),
        ("delay.drift=", "delay", "drift", None),
        ("delay.not_in=[SERVING]", "delay", "not_in", ("SERVING",)),
        ("delay.in=[SERVING, TRAINING]", "delay", "in_", ("SERVING", "TRAINING")),
        ("delay.stage=deprecated", "delay", "stage", "deprecated"),
        ("delay.allow_nan=false", "delay", "allow_nan", False),
        ("wind.speed.min=0", "wind.speed", "min", 0),
        ("a=b.max=1152921504606846977", "a=b", "max", 2**60 + 1),
        ('origin.domain=["E,W","J"]', "origin", "domain", ("E,W", "J")),
        ("origin.domain=[EWR,1]", "origin", "domain", ("EWR", "1")),
        ("origin.description=12", "origin", "description", "12"),
    ],
)
def test_an_edit_sets_one_constraint_of_a_column(text, column, field, value):
    assert getattr(edited(text).columns[column], field) == value


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("min_rows=0", "min_rows", 0),
        ("max_rows=", "max_rows", None),
        ("severities.nan=", "severities", {"few_rows": "off"}),
        (
            "severities.domain=warning",
            "severities",
            {"few_rows": "off", "nan": "warning", "domain": "warning"},
        ),
        ("domains.airports=[EWR]", "domains", {"airports": ("EWR",)}),
    ],
)
def test_an_edit_sets_a_key_of_the_schema_as_a_whole(text, field, value):
    assert getattr(edited(text), field) == value


def test_an_end_of_times_is_iso_text():
    schema = Schema(name="f", columns={"at": ColumnSchema(type="timestamp")})
    after = apply_changes(schema, [parse_edit("at.min=2013-04-01T00:00:00Z", schema)])
    assert after.columns["at"].min == 1_364_774_400_000_000
    with pytest.raises(DefinitionError, match=r"TD-SCHEMA-003.*no timestamp"):
        apply_changes(schema, [parse_edit("at.max=yesterday", schema)])


def test_an_edit_touches_nothing_else():
    after = edited("delay.presence.min_fraction=0.9")
    assert after.columns["delay"].presence.min_fraction == 0.9
    assert apply_changes(after, [parse_edit("delay.presence=", after)]) == SCHEMA


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("dely.min=3", "'delay'"),
        ("delay.mn=3", "'min'"),
        ("delay.drift.l_inf=3", "'l_infinity'"),
        ("delay.min.low=3", "'min' has no parts"),
        ("max_row=3", "'max_rows'"),
        ("columns=3", "no key of the schema"),
        ("delay.min", "sets nothing"),
    ],
)
def test_a_place_that_is_not_there_suggests_near_ones(text, what):
    with pytest.raises(CallerError, match=rf"TD-SCHEMA-040.*{what}"):
        parse_edit(text, SCHEMA)


@pytest.mark.parametrize("text", ["delay.min=low", "origin.domain=EWR", "delay.allow_nan=perhaps"])
def test_a_value_of_another_kind_is_refused(text):
    with pytest.raises(CallerError, match="TD-SCHEMA-041"):
        parse_edit(text, SCHEMA)


def test_a_choice_that_there_is_not_suggests_a_near_one():
    with pytest.raises(CallerError, match=r"TD-SCHEMA-041.*'deprecated'"):
        parse_edit("delay.stage=deprecatd", SCHEMA)


def test_a_suggested_range_is_an_edit_that_sets_it(engine):
    import pyarrow as pa

    found = statistics(pa.table({"delay": [1.25, 5e300]}), engine=engine)
    edits = [edit_of(each) for each in suggest_ranges(found)]
    bare = Schema(name="f", columns={"delay": ColumnSchema(type="double")})
    after = apply_changes(bare, [parse_edit(each, bare) for each in edits])
    assert (after.columns["delay"].min, after.columns["delay"].max) == (1.25, 5e300)


def test_versions_are_named_by_number_by_id_and_by_their_data_set(ledger, clock):
    parts = {"dataset": "f", "ledger": ledger, "clock": clock, "by": "ann", "why": "x"}
    first = save_schema(Schema(name="f", columns={}), **parts)
    second = save_schema(Schema(name="f", columns={}, max_rows=5), **parts)
    named = ("f@v1", "f@v2", "f", first.id)
    found = [referenced_version(each, ledger=ledger) for each in named]
    assert found == [first, second, second, first]


@pytest.mark.parametrize("ref", ["f@v9", "f@v0", "f@main", "g", "g@v1"])
def test_a_version_that_is_not_there_is_told(ledger, clock, ref):
    parts = {"dataset": "f", "ledger": ledger, "clock": clock, "by": "ann", "why": "x"}
    save_schema(Schema(name="f", columns={}), **parts)
    with pytest.raises(NotFoundError, match=rf"TD-SCHEMA-043.*'{ref}'"):
        referenced_version(ref, ledger=ledger)
