import pyarrow as pa
import pytest

from tondo.core.errors import CallerError, ConflictError, DefinitionError, NotFoundError
from tondo.stages.data.inference import infer_schema
from tondo.stages.data.schema import ColumnSchema, Presence, Schema, parse_schema, to_document
from tondo.stages.data.schema_versions import present_schema, save_schema, schema_history
from tondo.stages.data.statistics import statistics
from tondo.stages.data.validation import schema_changes, validate


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


@pytest.mark.parametrize(
    ("column", "what"),
    [
        ({"presence": {"min_fraction": 1.5}}, "min_fraction 1.5"),
        ({"min_domain_mass": -0.1}, "min_domain_mass"),
        ({"domain": ["a"]}, "a domain is for text"),
        ({"type": "string", "domain": ["a", "a"]}, "lists a value twice"),
        ({"min": 2, "max": 1}, "min 2.0 is above max 1.0"),
        ({"type": "string", "min": 2}, "a range is for numbers"),
        ({"not_in": ["STAGING"]}, "no environment STAGING"),
        ({"presence": {"min_count": -1}}, "min_count is below 0"),
    ],
)
def test_a_schema_that_cannot_be_meant_is_refused_naming_the_column(column, what):
    body = {"schema": "flights", "columns": {"delay": {"type": "double", **column}}}
    with pytest.raises(DefinitionError, match=rf"TD-SCHEMA-003.*'delay'.*{what}"):
        parse_schema(body)


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
    monkeypatch.setattr("tondo.stages.data.schema_versions._present", lambda *_, **__: None)
    with pytest.raises(ConflictError, match=r"TD-LEDGER-003"):
        save_schema(Schema(name="flights", columns={}, min_rows=2), **parts)


def test_a_data_set_without_a_schema_is_told(ledger):
    with pytest.raises(NotFoundError, match=r"TD-SCHEMA-005"):
        present_schema("flights", ledger=ledger)


def test_the_difference_of_two_versions_is_a_change_a_constraint():
    before = Schema(name="f", columns={"x": ColumnSchema(type="double", max=5.0)})
    after = Schema(name="f", columns={"x": ColumnSchema(type="double", max=6.0)}, min_rows=2)
    changes = {str(each) for each in schema_changes(before, after)}
    assert changes == {"columns.x.max = 6.0", "min_rows = 2"}


def test_a_notebook_shows_a_schema():
    schema = Schema(name="<f>", columns={"x": ColumnSchema(type="string", domain=("<a>",))})
    assert "&lt;a&gt;" in schema._repr_html_()
    assert "one of 1: <a>" in repr(schema)


def test_a_least_number_of_rows_above_the_greatest_is_refused():
    with pytest.raises(DefinitionError, match=r"TD-SCHEMA-003.*min_rows 3 is above max_rows 2"):
        parse_schema({"schema": "f", "columns": {}, "min_rows": 3, "max_rows": 2})
