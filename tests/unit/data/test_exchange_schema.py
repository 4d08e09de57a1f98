"""Schemas of tensorflow-metadata, written by hand, and what becomes of them."""

import pytest

from tondo.adapters.messages.tensorflow_metadata.messages import TensorflowMetadata
from tondo.core.errors import DataError, DefinitionError
from tondo.stages.data.constraints import Comparator, Presence, ValueCount
from tondo.stages.data.exchange.guessing import writer_of_schema
from tondo.stages.data.exchange.tensorflow_schema import (
    from_tensorflow_schema,
    to_tensorflow_schema,
)
from tondo.stages.data.schema import ColumnSchema, Schema

messages = TensorflowMetadata()

EVERYTHING = """
feature { name: "fare" type: FLOAT value_count { min: 1 max: 1 } presence { min_fraction: 0.5 min_count: 2 }
  float_domain { min: 0.5 max: 300 disallow_nan: true disallow_inf: true }
  skew_comparator { infinity_norm { threshold: 0.1 } }
  drift_comparator { jensen_shannon_divergence { threshold: 0.2 } normalized_abs_difference { threshold: 0.3 } }
  unique_constraints { min: 2 max: 9 } }
feature { name: "seats" type: INT value_count { min: 1 max: 1 } int_domain { min: 1 max: 9007199254740993 } }
feature { name: "company" type: BYTES value_count { min: 1 max: 1 } domain: "companies"
  distribution_constraints { min_domain_mass: 0.9 } not_in_environment: "SERVING" }
feature { name: "paid" type: BYTES value_count { min: 1 max: 1 } string_domain { value: "cash" value: "card" } }
feature { name: "tip" type: BYTES value_count { min: 1 max: 1 } bool_domain { true_value: "yes" false_value: "" }
  in_environment: "CANARY" }
feature { name: "code" type: BYTES value_count { min: 1 max: 1 } int_domain { min: 3 } }
feature { name: "rate" type: BYTES value_count { min: 1 max: 1 }
  float_domain { max: 2.5 disallow_nan: true disallow_inf: true } }
feature { name: "one" type: INT value_count { min: 1 max: 1 } bool_domain { } lifecycle_stage: ALPHA }
feature { name: "at" type: INT value_count { min: 1 max: 1 } time_domain { integer_format: UNIX_MICROSECONDS } }
feature { name: "day" type: INT value_count { min: 1 max: 1 } time_domain { integer_format: UNIX_DAYS } }
feature { name: "tags" type: BYTES value_count { min: 1 max: 5 } annotation { comment: "free words" } }
feature { name: "any" type: FLOAT value_count { } }
string_domain { name: "companies" value: "a" value: "b" }
default_environment: "TRAINING" default_environment: "SERVING"
dataset_constraints { min_examples_count: 10 max_examples_count: 20
  num_examples_drift_comparator { min_fraction_threshold: 0.5 max_fraction_threshold: 2.0 }
  num_examples_version_comparator { min_fraction_threshold: 1.0 } }
annotation { tag: "tondo.schema=taxi" }
"""


def read(text):
    return from_tensorflow_schema(messages.read(text.encode(), kind="schema"), name="t")


def column(text):
    found = read(f'feature {{ name: "x" {text} }}')
    return found.value.columns["x"], found.left_out


@pytest.mark.parametrize("form", ["text", "json", "binary"])
def test_every_field_that_is_understood_comes_back(form):
    document = messages.read(EVERYTHING.encode(), kind="schema")
    found = from_tensorflow_schema(document, name="t")
    assert found.left_out == ()
    again = messages.write(to_tensorflow_schema(found.value).value, kind="schema", form=form)
    assert messages.read(again, kind="schema") == document


def test_the_types_are_those_of_our_columns():
    columns = read(EVERYTHING).value.columns
    assert columns["at"].type == "timestamp"
    assert columns["day"].type == "date"
    assert columns["any"].type == "list<double>"
    assert columns["tags"].value_count == ValueCount(min=1, max=5)
    assert columns["seats"].max == 9007199254740993


def test_a_feature_without_a_value_count_is_a_plain_column():
    assert column("type: BYTES") == (ColumnSchema(type="string"), ())


def test_a_fixed_shape_is_a_list_of_so_many_that_is_always_there():
    found, said = column("type: INT shape { dim { size: 2 } dim { size: 3 } }")
    assert found.type == "list<id>"
    assert found.value_count == ValueCount(min=6, max=6)
    assert found.presence == Presence(min_fraction=1.0)
    assert said == ("feature 'x': its shape 2x3 is read as 6 items",)


def test_a_shape_of_one_is_a_plain_column():
    found, _ = column("type: INT shape { dim { size: 1 } } presence { min_count: 1 }")
    assert found == ColumnSchema(type="id", presence=Presence(min_count=1, min_fraction=1.0))


def test_a_shared_range_is_copied_and_said():
    text = 'feature { name: "x" type: INT domain: "ages" } int_domain { name: "ages" min: 0 }'
    found = read(text)
    assert found.value.columns["x"].min == 0
    assert found.left_out == ("feature 'x': the shared int_domain 'ages' is copied",)


def test_what_is_not_understood_is_named():
    text = """
    feature { name: "s" type: STRUCT struct_domain { } }
    feature { name: "i" type: BYTES image_domain { } annotation { tag: "pixels" } }
    feature { name: "t" type: INT time_domain { integer_format: UNIX_SECONDS } }
    feature { name: "d" type: FLOAT drift_comparator { jensen_shannon_divergence {
      threshold: 0.1 source { type: QUANTILES } } } }
    sparse_feature { name: "p" }
    """
    assert read(text).left_out == (
        "feature 's': its type STRUCT is of no column, so it is left out",
        "feature 'i': image_domain is not understood",
        "feature 'i': annotation.tag is not understood",
        "feature 't': its times in UNIX_SECONDS are read as plain numbers",
        "feature 'd': drift_comparator: buckets of equal count become buckets of equal width",
        "schema: sparse_feature is not understood",
    )


def test_a_threshold_on_buckets_of_equal_count_is_kept():
    found, _ = column(
        "type: FLOAT drift_comparator { jensen_shannon_divergence "
        "{ threshold: 0.1 source { type: QUANTILES } } }"
    )
    assert found.drift == Comparator(jensen_shannon=0.1)


def test_a_schema_that_cannot_be_meant_is_refused():
    with pytest.raises(DefinitionError, match="TD-SCHEMA-003"):
        column("type: INT int_domain { min: 3 max: 1 }")


def test_what_a_feature_cannot_say_is_named():
    mixed = ColumnSchema(type="string", domain=("a",), boolean=True, allow_nan=False)
    schema = Schema(name="t", columns={"x": mixed}, severities={"type": "warning"})
    assert to_tensorflow_schema(schema).left_out == (
        'severities {"type":"warning"} is left out',
        "column 'x': boolean true is left out",
        "column 'x': allow_nan false becomes true",
    )


def test_an_error_in_a_text_names_its_line_and_column():
    with pytest.raises(DataError, match="line 2, column 3") as error:
        messages.read(b"feature {\n  nme: 'x' }", kind="schema")
    assert error.value.code == "TD-EXCHANGE-001"
    assert error.value.fields["line"] == 2


@pytest.mark.parametrize("data", [b"\x0a\xff\x01", b'{"feature": [{"nme": 1}]}', b"\x0b\x00"])
def test_damaged_bytes_are_refused(data):
    with pytest.raises(DataError, match="TD-EXCHANGE-001"):
        messages.read(data, kind="schema")


def test_a_number_beyond_64_bits_is_refused_when_it_is_written():
    schema = Schema(name="t", columns={}, min_rows=2**70)
    with pytest.raises(DefinitionError, match="TD-EXCHANGE-004"):
        messages.write(to_tensorflow_schema(schema).value, kind="schema", form="json")


@pytest.mark.parametrize(
    ("text", "writer"),
    [
        ("schema: x\ncolumns: {}\n", "tondo"),
        ('{"schema": "x", "columns": {}}', "tondo"),
        ("# note\nfeature {\n}", "tensorflow"),
        ('default_environment: "TRAINING"', "tensorflow"),
        ('{"stringDomain": []}', "tensorflow"),
        ("\n\x05\n\x01x", "tensorflow"),
        ('{"version": 0, "features": []}', "sagemaker"),
    ],
)
def test_the_writer_of_a_schema_is_told_by_content(text, writer):
    assert writer_of_schema(text.encode()) == writer
