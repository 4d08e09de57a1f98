"""Whatever the batch and the schema: every patch applied, no anomaly is left."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schema_paths import changed_paths
from tondo.stages.data.inference import infer_schema
from tondo.stages.data.schema import ColumnSchema, Presence, Schema
from tondo.stages.data.statistics import ColumnStatistics, Statistics
from tondo.stages.data.validation import apply_patches, validate

NAMES = ("a", "b", "c", "d")
WORDS = ("true", "false", "1", "x", "y", "z")
fractions = st.floats(0, 1)


@st.composite
def column_statistics(draw, rows):
    type_ = draw(st.sampled_from(["double", "id", "string", "bool", "timestamp"]))
    missing = draw(st.integers(0, rows))
    present = rows - missing
    if type_ == "string":
        values = draw(st.lists(st.sampled_from(WORDS), min_size=present, max_size=present))
        counts = sorted({each: values.count(each) for each in values}.items())
        kept = draw(st.integers(1, 6))
        ranked = tuple(sorted(counts, key=lambda pair: -pair[1])[:kept])
        return ColumnStatistics(
            type=type_, rows=rows, missing=missing, distinct=len(counts), top=ranked
        )
    infinite = draw(st.integers(0, present)) if type_ == "double" else 0
    finite = present - infinite
    values = draw(
        st.lists(st.sampled_from([-3.0, 0.0, 1.0, 8.5]), min_size=finite, max_size=finite)
    )
    counts = {each: values.count(each) for each in sorted(values)}
    return ColumnStatistics(
        type=type_,
        rows=rows,
        missing=missing,
        infinite=infinite,
        distinct=len(counts),
        top=tuple(counts.items()),
        min=min(values, default=None),
        max=max(values, default=None),
    )


@st.composite
def batches(draw):
    rows = draw(st.integers(0, 20))
    names = draw(st.sets(st.sampled_from(NAMES), min_size=1))
    columns = {name: draw(column_statistics(rows)) for name in sorted(names)}
    return Statistics(rows=rows, columns=columns)


@st.composite
def column_schemas(draw):
    type_ = draw(st.sampled_from(["double", "id", "string", "bool", "timestamp"]))
    ends = sorted(draw(st.lists(st.floats(-5, 5), min_size=2, max_size=2)))
    numeric = type_ in {"double", "id"} and draw(st.booleans())
    listed = draw(st.sets(st.sampled_from(WORDS)))
    return ColumnSchema(
        type=type_,
        presence=Presence(
            min_count=draw(st.integers(0, 12)),
            min_fraction=draw(st.none() | fractions),
        ),
        domain=tuple(sorted(listed)) if type_ == "string" and draw(st.booleans()) else None,
        min_domain_mass=draw(fractions),
        boolean=draw(st.booleans()),
        min=ends[0] if numeric else None,
        max=ends[1] if numeric else None,
        allow_infinite=draw(st.booleans()),
        not_in=draw(st.sampled_from([(), ("SERVING",), ("SERVING", "TRAINING")])),
        stage=draw(st.sampled_from(["production", "deprecated"])),
    )


@st.composite
def schemas(draw):
    names = draw(st.sets(st.sampled_from(NAMES)))
    return Schema(
        name="t",
        columns={name: draw(column_schemas()) for name in sorted(names)},
        min_rows=draw(st.integers(0, 8)),
        max_rows=draw(st.none() | st.integers(8, 15)),
    )


environments = st.sampled_from([None, "TRAINING", "SERVING"])


@settings(max_examples=500)
@given(batch=batches(), schema=schemas(), environment=environments)
def test_applying_every_patch_makes_the_batch_pass(batch, schema, environment):
    anomalies = validate(batch, schema, environment=environment)
    patched = apply_patches(schema, anomalies)
    assert validate(batch, patched, environment=environment) == []


@settings(max_examples=200)
@given(batch=batches(), schema=schemas())
def test_patches_touch_only_the_columns_of_their_anomalies(batch, schema):
    anomalies = validate(batch, schema)
    named = {each.column for each in anomalies}
    for changed in changed_paths(schema, apply_patches(schema, anomalies)):
        if changed[0] == "columns":
            assert changed[1] in named


@settings(max_examples=200)
@given(batch=batches())
def test_an_inferred_schema_accepts_its_own_batch(batch):
    assert validate(batch, infer_schema(batch, name="t")) == []
