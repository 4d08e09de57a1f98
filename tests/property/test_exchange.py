"""What another form can say comes back from it; what it cannot say is named."""

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tondo.adapters.messages.tensorflow_metadata.messages import TensorflowMetadata
from tondo.stages.data.constraints import (
    MEASURES,
    ColumnSchema,
    Comparator,
    Presence,
    RowsComparator,
    Unique,
    ValueCount,
    value_type,
)
from tondo.stages.data.exchange.sagemaker_constraints import (
    from_sagemaker_constraints,
    to_sagemaker_constraints,
)
from tondo.stages.data.exchange.schema_differences import schema_differences
from tondo.stages.data.exchange.tensorflow_columns import single
from tondo.stages.data.exchange.tensorflow_feature_statistics import whole_counts
from tondo.stages.data.exchange.tensorflow_schema import (
    from_tensorflow_schema,
    to_tensorflow_schema,
)
from tondo.stages.data.schema import Schema, check_schema

few = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
ENVIRONMENTS = ("TRAINING", "SERVING", "CANARY")
TYPES = ("double", "id", "string", "bool", "timestamp", "date", "list<string>", "list<double>")
WORDS = ("true", "x", "", "ä\n'")
fractions = st.integers(0, 10).map(lambda tenths: tenths / 10) | st.floats(0, 1)
named = st.lists(st.sampled_from(ENVIRONMENTS), unique=True, max_size=2).map(tuple)
messages = TensorflowMetadata()


@st.composite
def spans(draw, kind, values):
    low, high = sorted((draw(values), draw(values)))
    names = [field.name for field in msgspec.structs.fields(kind)]
    ends = {name: end for name, end in zip(names, (low, high), strict=True) if draw(st.booleans())}
    return kind(**ends)


comparators = st.none() | st.builds(
    Comparator, **{each: st.none() | fractions for each in MEASURES}
)


@st.composite
def columns(draw):
    kind = draw(st.sampled_from(TYPES))
    values = value_type(kind)
    rules = {}
    ways = ["plain", "boolean"]
    if values == "string":
        ways += ["domain", "shared", "words", "integer_text", "number_text"]
    way = draw(st.sampled_from(ways))
    if way == "domain":
        rules["domain"] = tuple(sorted(draw(st.sets(st.sampled_from(WORDS)))))
    if way == "shared":
        rules["shared_domain"] = "few"
    if way == "words":
        rules |= {"boolean": True, "true_value": "x", "false_value": draw(st.none() | st.just(""))}
    if way in {"boolean", "integer_text", "number_text"}:
        rules[way] = True
    if values in {"double", "id"} or way in {"integer_text", "number_text"}:
        whole = st.integers(-4, 4) | st.sampled_from([2**60 + 1, 2**70])
        ends = draw(spans(Unique, whole if draw(st.booleans()) else st.floats(-1e40, 1e40)))
        rules |= {"min": ends.min, "max": ends.max}
    return ColumnSchema(
        type=kind,
        presence=Presence(
            min_count=draw(st.integers(0, 12)), min_fraction=draw(st.none() | fractions)
        ),
        value_count=draw(st.none() | spans(ValueCount, st.integers(0, 3)))
        if kind.startswith("list")
        else None,
        min_domain_mass=draw(fractions),
        allow_nan=draw(st.booleans()),
        allow_infinite=draw(st.booleans()),
        unique=draw(st.none() | spans(Unique, st.integers(0, 5))),
        drift=draw(comparators),
        skew=draw(comparators),
        in_=draw(named),
        not_in=draw(named),
        stage=draw(st.sampled_from(["production", "beta", "deprecated", "validation_derived"])),
        description=draw(st.sampled_from(["", "no: yes", "ä"])),
        **rules,
    )


@st.composite
def schemas(draw):
    rows = st.none() | spans(RowsComparator, fractions)
    return check_schema(
        Schema(
            name=draw(st.sampled_from(["t", "two words"])),
            columns=draw(st.dictionaries(st.sampled_from(["a", "b.c", "ä"]), columns())),
            min_rows=draw(st.integers(0, 5)),
            max_rows=draw(st.none() | st.integers(5, 12)),
            environments=ENVIRONMENTS,
            default_environments=draw(st.none() | named),
            domains={"few": ("x", "true"), "none": ()},
            severities=draw(st.sampled_from([{}, {"type": "warning"}])),
            rows_against_previous=draw(rows),
            rows_against_version=draw(rows),
        )
    )


@few
@given(schema=schemas(), form=st.sampled_from(["binary", "json", "text"]))
def test_a_schema_comes_back_from_a_message_but_for_what_is_named(schema, form):
    written = to_tensorflow_schema(schema)
    data = messages.write(written.value, kind="schema", form=form)
    again = from_tensorflow_schema(messages.read(data, kind="schema"), name="other")
    assert again.left_out == ()
    assert schema_differences(schema, again.value) == written.left_out
    assert messages.write(to_tensorflow_schema(again.value).value, kind="schema", form=form) == data


def test_what_both_can_say_is_not_named_as_left_out():
    column = ColumnSchema(
        type="list<double>",
        presence=Presence(min_count=3, min_fraction=0.5),
        value_count=ValueCount(min=1, max=4),
        min=0.1,
        max=5,
        allow_nan=False,
        allow_infinite=True,
        unique=Unique(min=2),
        drift=Comparator(jensen_shannon=0.1),
        skew=Comparator(l_infinity=0.2, normalized_difference=0.0),
        in_=("SERVING",),
        not_in=("TRAINING",),
        stage="beta",
        description="delays",
    )
    words = ColumnSchema(type="string", shared_domain="few", min_domain_mass=0.9)
    plain = {kind: ColumnSchema(type=kind) for kind in TYPES}
    schema = Schema(
        name="t",
        columns={"x": column, "w": words, **plain},
        min_rows=0,
        domains={"few": ("a", "b")},
        rows_against_version=RowsComparator(max_fraction=2.0),
    )
    assert to_tensorflow_schema(schema).left_out == ()


@few
@given(schema=schemas())
def test_a_schema_comes_back_from_sagemaker_but_for_what_is_named(schema):
    written = to_sagemaker_constraints(schema)
    document = msgspec.json.decode(msgspec.json.encode(written.value))
    again = from_sagemaker_constraints(document, name=schema.name)
    assert schema_differences(schema, again.value) == written.left_out


@few
@given(value=st.floats(-3e38, 3e38) | st.integers(-(2**70), 2**70))
def test_an_end_in_32_bits_never_cuts_the_range(value):
    low, high = single(value, "down"), single(value, "up")
    # A number of few digits stays itself, though 32 bits keep only its neighbour.
    assert low == value or float(np.float32(low)) <= value
    assert high == value or float(np.float32(high)) >= value
    # The step between neighbours of 32 bits is a 2^23rd part.
    for end in (low, high):
        assert end == pytest.approx(value, rel=2**-22, abs=1.2e-38)


@few
@given(counts=st.lists(st.integers(0, 50), min_size=1, max_size=10), seed=st.floats(-0.4, 0.4))
def test_estimated_counts_are_rounded_to_their_total(counts, seed):
    estimated = [count + seed / len(counts) for count in counts]
    found = whole_counts(estimated, total=sum(counts))
    if min(estimated) >= 0:
        assert sum(found) == sum(counts)
        assert all(abs(a - b) <= 1.5 for a, b in zip(found, counts, strict=True))
