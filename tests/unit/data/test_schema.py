import msgspec
import pyarrow as pa
import pytest

from tondo.core.canonical import digest
from tondo.core.errors import CallerError, ConflictError, DefinitionError, NotFoundError
from tondo.stages.data.anomalies import column_change
from tondo.stages.data.constraints import Comparator, Unique, ValueCount, describe
from tondo.stages.data.inference import infer_schema, suggest_ranges
from tondo.stages.data.schema import ColumnSchema, Presence, Schema, parse_schema, to_document
from tondo.stages.data.schema_diff import schema_diff
from tondo.stages.data.schema_versions import (
    present_schema,
    save_schema,
    schema_history,
    schema_log,
)
from tondo.stages.data.statistics import statistics
from tondo.stages.data.validation import apply_changes, validate


def inferred(engine, **columns):
    table = pa.table(columns)
    return infer_schema(statistics(table, engine=engine), name="flights").columns


def test_a_full_column_must_be_full_and_a_gappy_one_must_have_a_value(engine):
    found = inferred(
        engine, full=[1.5, 2.5], gappy=[1.5, None], empty=pa.array([None, None], pa.float64())
    )
    assert found["full"].presence == Presence(min_count=1, min_fraction=1.0)
    assert found["gappy"].presence == Presence(min_count=1)
    assert found["empty"].presence == Presence()


def test_up_to_a_hundred_texts_are_a_domain_and_one_more_is_none(engine):
    texts = [f"v{number:03}" for number in range(101)]
    assert inferred(engine, x=texts[:100])["x"].domain == tuple(texts[:100])
    assert inferred(engine, x=texts)["x"].domain is None


@pytest.mark.parametrize(
    ("values", "boolean"),
    [
        (["true", "false"], True),
        (["1", "0"], True),
        (["true", "1"], False),
        (["yes", "no"], False),
        ([0.0, 1.0], True),
        ([0.0, 0.0], False),
        ([0.0, 0.5, 1.0], False),
        ([0.0, 5.0], False),
    ],
)
def test_booleans_are_recognised(engine, values, boolean):
    assert inferred(engine, x=values)["x"].boolean is boolean


def test_numbers_get_no_range_and_no_domain(engine):
    found = inferred(engine, x=[1.0, 5.0])["x"]
    assert (found.min, found.max, found.domain) == (None, None, None)


def test_the_inferred_schema_accepts_the_data_it_came_from(engine):
    table = pa.table(
        {"x": [1.0, float("inf"), None], "s": ["a", "b", "b"], "b": [True, None, False]}
    )
    found = statistics(table, engine=engine)
    assert validate(found, infer_schema(found, name="t")) == []


def test_a_schema_comes_back_from_its_document():
    schema = Schema(
        name="flights",
        columns={"origin": ColumnSchema(type="string", domain=("EWR", "JFK"), not_in=("SERVING",))},
        min_rows=3,
    )
    document = to_document(schema)
    assert parse_schema(document) == schema
    assert document["schema"] == "flights"
    assert "min" not in document["columns"]["origin"]


SPECIFICATION, DOMAIN, TYPE = "TD-SCHEMA-003", "TD-SCHEMA-006", "TD-SCHEMA-007"


@pytest.mark.parametrize(
    ("column", "code", "what"),
    [
        ({"presence": {"min_fraction": 1.5}}, SPECIFICATION, "min_fraction 1.5"),
        ({"presence": {"min_count": -1}}, SPECIFICATION, "min_count is below 0"),
        ({"min_domain_mass": -0.1}, SPECIFICATION, "min_domain_mass"),
        ({"min": 2, "max": 1}, SPECIFICATION, "min 2 is above max 1"),
        ({"max": float("inf")}, SPECIFICATION, "not finite"),
        ({"not_in": ["STAGING"]}, SPECIFICATION, "no environment STAGING"),
        ({"in": ["STAGING"]}, SPECIFICATION, "no environment STAGING"),
        ({"unique": {"min": 3, "max": 2}}, SPECIFICATION, "unique.min 3 is above max 2"),
        ({"drift": {"l_infinity": 1.5}}, SPECIFICATION, "drift.l_infinity 1.5"),
        ({"skew": {"jensen_shannon": float("nan")}}, SPECIFICATION, "skew.jensen_shannon nan"),
        (
            {"type": "list<id>", "value_count": {"min": -1}},
            SPECIFICATION,
            "value_count has an end below 0",
        ),
        ({"type": "string", "domain": ["a", "a"]}, DOMAIN, "lists a value twice"),
        ({"type": "string", "shared_domain": "airport"}, DOMAIN, "Did you mean 'airports'"),
        (
            {"type": "string", "domain": ["a"], "shared_domain": "airports"},
            DOMAIN,
            "both given",
        ),
        ({"type": "string", "domain": ["a"], "integer_text": True}, DOMAIN, "both given"),
        (
            {"type": "string", "boolean": True, "true_value": "y", "false_value": "y"},
            DOMAIN,
            "are both 'y'",
        ),
        ({"type": "string", "true_value": "y"}, DOMAIN, "need boolean"),
        ({"domain": ["a"]}, TYPE, "a domain is for text"),
        ({"type": "string", "min": 2}, TYPE, "a range is for numbers"),
        ({"value_count": {"min": 1}}, TYPE, "value_count is for lists"),
        ({"boolean": True, "true_value": "y"}, TYPE, "are for text"),
        ({"number_text": True}, TYPE, "are for text"),
    ],
)
def test_a_schema_that_cannot_be_meant_is_refused_naming_the_column(column, code, what):
    body = {
        "schema": "flights",
        "columns": {"delay": {"type": "double", **column}},
        "domains": {"airports": ["EWR", "JFK"]},
    }
    with pytest.raises(DefinitionError, match=rf"{code}.*'delay'.*{what}"):
        parse_schema(body)


@pytest.mark.parametrize(
    ("more", "code", "what"),
    [
        ({"min_rows": -1}, SPECIFICATION, "min_rows -1"),
        ({"min_rows": 3, "max_rows": 2}, SPECIFICATION, "min_rows 3 is above max_rows 2"),
        ({"default_environments": ["SERVNG"]}, SPECIFICATION, "SERVNG"),
        ({"severities": {"few_row": "off"}}, SPECIFICATION, "Did you mean 'few_rows'"),
        ({"rows_against_previous": {"min_fraction": -1}}, SPECIFICATION, "the fraction -1"),
        ({"columns": {"": {"type": "id"}}}, SPECIFICATION, "a column has no name"),
        ({"domains": {"airports": ["a", "a"]}}, DOMAIN, "'airports' lists a value twice"),
    ],
)
def test_a_schema_that_contradicts_itself_as_a_whole_is_refused(more, code, what):
    with pytest.raises(DefinitionError, match=rf"{code}: schema of f: .*{what}"):
        parse_schema({"schema": "f", "columns": {}, **more})


def test_a_column_without_a_type_is_refused():
    with pytest.raises(DefinitionError, match=r"TD-DATA-001.*type"):
        parse_schema({"schema": "f", "columns": {"x": {"min": 1}}})


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ({"in": ["A"], "not_in": ["A"]}, {"A": True, "B": True, "C": False}),
        ({"not_in": ["B"]}, {"A": True, "B": False, "C": False}),
        ({"in": ["C"]}, {"A": True, "B": True, "C": True}),
        ({}, {"A": True, "B": True, "C": False, None: True}),
    ],
)
def test_in_goes_before_not_in_before_the_default_environments(column, expected):
    schema = parse_schema(
        {
            "schema": "f",
            "columns": {"x": {"type": "id", **column}},
            "environments": ["A", "B", "C"],
            "default_environments": ["A", "B"],
        }
    )
    assert {each: schema.expects("x", each) for each in expected} == expected


def test_equal_schemas_have_equal_ids():
    usual = ColumnSchema(type="id", max=5)
    spelt_out = ColumnSchema(type="id", max=5.0, presence=Presence(), min_domain_mass=float("1"))
    one, other = (Schema(name="f", columns={"x": each}) for each in (usual, spelt_out))
    assert one == other
    assert one.id == other.id


def test_a_schema_stored_before_there_were_more_keys_keeps_its_id():
    column = ColumnSchema(type="double", presence=Presence(min_count=1, min_fraction=1.0))
    body = {
        "schema": "f",
        "columns": {
            "x": {"type": "double", "presence": {"min_count": 1, "min_fraction": 1.0}, "max": 5.0}
        },
        "min_rows": 1,
        "max_rows": None,
        "environments": ["TRAINING", "SERVING"],
        "severities": {},
    }
    stored = Schema(name="f", columns={"x": msgspec.structs.replace(column, max=5)})
    assert stored.id == digest(body)


def test_a_range_keeps_whole_numbers_beyond_the_doubles():
    schema = parse_schema({"schema": "f", "columns": {"x": {"type": "id", "max": 2**60 + 1}}})
    assert schema.columns["x"].max == 2**60 + 1


def test_ranges_are_suggested_and_imposed_by_nobody(engine):
    table = pa.table({"x": [1.0, 5.0], "yes": [0.0, 1.0], "s": ["a", "b"]})
    found = statistics(table, engine=engine)
    suggested = suggest_ranges(found)
    assert [str(each) for each in suggested] == ["columns.x.min = 1.0", "columns.x.max = 5.0"]
    accepted = apply_changes(infer_schema(found, name="t"), suggested)
    assert (accepted.columns["x"].min, accepted.columns["x"].max) == (1.0, 5.0)


def test_lists_keep_the_number_of_items_they_all_have(engine):
    found = inferred(engine, two=[[1, 2], [3, 4]], some=[[1], [1, 2]], none=[[], [1]])
    assert found["two"].value_count == ValueCount(min=2, max=2)
    assert found["some"].value_count == ValueCount(min=1)
    assert found["none"].value_count is None


def test_texts_that_are_whole_numbers_have_no_domain(engine):
    found = inferred(engine, x=["12", "7"])["x"]
    assert (found.integer_text, found.domain) == (True, None)


def test_the_log_shows_every_change_and_those_of_one_column(ledger, clock):
    first = Schema(name="f", columns={"x": ColumnSchema(type="string", domain=("a", "b"))})
    second = apply_changes(first, [column_change("x", "domain", value=["a", "c"])])
    third = msgspec.structs.replace(second, max_rows=9)
    for each in (first, second, third):
        save_schema(each, dataset="f", ledger=ledger, clock=clock, by="ann", why="x")
    lines = [lines for _, lines in schema_log("f", ledger=ledger)]
    assert lines == [
        ["+ max_rows: 9"],
        ['~ columns.x.domain: added "c"; removed "b"'],
        ['+ columns.x: {"type":"string","domain":["a","b"]}'],
    ]
    assert len(schema_log("f", ledger=ledger, column="x")) == 2


def test_the_difference_says_what_was_removed_and_reordered():
    old = Schema(
        name="f", columns={"x": ColumnSchema(type="string", domain=("a", "b"))}, max_rows=2
    )
    new = Schema(name="f", columns={"x": ColumnSchema(type="string", domain=("b", "a"))})
    assert schema_diff(old, new) == ["~ columns.x.domain: another order", "- max_rows: 2"]


def test_a_schema_says_its_constraints_in_words():
    column = ColumnSchema(
        type="string",
        presence=Presence(min_count=2),
        number_text=True,
        max=5,
        unique=Unique(min=2),
        drift=Comparator(l_infinity=0.1),
        in_=("SERVING",),
        stage="beta",
    )
    assert describe(column) == (
        "present in 2 rows; numbers as text; up to 5; at least 2 distinct; "
        "drift l_infinity <= 0.1; in SERVING; beta"
    )


def test_an_unknown_environment_is_refused(engine):
    found = statistics(pa.table({"x": [1.0]}), engine=engine)
    schema = infer_schema(found, name="t")
    with pytest.raises(CallerError, match=r"TD-SCHEMA-004.*'SERVNG'") as caught:
        validate(found, schema, environment="SERVNG")
    assert "'SERVING'" in caught.value.fix


def test_every_version_keeps_its_parent_author_and_reason(ledger, clock):
    first = Schema(name="flights", columns={"x": ColumnSchema(type="double")})
    second = Schema(name="flights", columns={"x": ColumnSchema(type="double", max=5)})
    parts = {"dataset": "flights", "ledger": ledger, "clock": clock}
    one = save_schema(first, **parts, by="ann", why="inferred")
    two = save_schema(second, **parts, by="bob", why="delays are capped")
    save_schema(first, **parts, by="ann", why="back again")
    assert present_schema("flights", ledger=ledger) == first
    kept = schema_history("flights", ledger=ledger)
    assert [(each.by, each.why) for each in kept] == [
        ("ann", "back again"),
        ("bob", "delays are capped"),
        ("ann", "inferred"),
    ]
    assert (two.parent, one.parent) == (one.id, None)


def test_the_same_schema_again_is_no_new_version(ledger, clock):
    schema = Schema(name="flights", columns={})
    parts = {"dataset": "flights", "ledger": ledger, "clock": clock, "by": "ann", "why": "x"}
    assert save_schema(schema, **parts) == save_schema(schema, **parts)


def test_two_who_change_a_schema_at_once_do_not_overwrite_each_other(ledger, clock, monkeypatch):
    parts = {"dataset": "flights", "ledger": ledger, "clock": clock, "by": "ann", "why": "x"}
    save_schema(Schema(name="flights", columns={}), **parts)
    monkeypatch.setattr("tondo.stages.data.schema_versions.find_version", lambda *_, **__: None)
    with pytest.raises(ConflictError, match=r"TD-LEDGER-003"):
        save_schema(Schema(name="flights", columns={}, min_rows=2), **parts)


def test_a_data_set_without_a_schema_is_told(ledger):
    with pytest.raises(NotFoundError, match=r"TD-SCHEMA-005"):
        present_schema("flights", ledger=ledger)


def test_a_notebook_shows_a_schema():
    schema = Schema(name="<f>", columns={"x": ColumnSchema(type="string", domain=("<a>",))})
    assert "&lt;a&gt;" in schema._repr_html_()
    assert "one of 1: <a>" in repr(schema)
