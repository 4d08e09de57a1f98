"""Whatever the batch and the schema: all patches make it pass, and touch nothing that they do not name.

`TONDO_PATCH_EXAMPLES=5000` looks at thousands of pairs.
"""

import os
from collections import Counter

import msgspec
import pyarrow as pa
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema_paths import changed_paths
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.stages.data.constraints import (
    MEASURES,
    Comparator,
    Presence,
    RowsComparator,
    Unique,
    ValueCount,
    value_type,
)
from tondo.stages.data.inference import infer_schema, suggest_ranges
from tondo.stages.data.schema import ColumnSchema, Schema, parse_schema, to_document
from tondo.stages.data.schema_diff import schema_diff
from tondo.stages.data.statistics import ColumnStatistics, Lengths, Statistics, statistics
from tondo.stages.data.validation import apply_changes, apply_patches, validate

EXAMPLES = int(os.environ.get("TONDO_PATCH_EXAMPLES", "40"))
many = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

NAMES = ("a", "b", "c")
TYPES = ("double", "id", "string", "bool", "timestamp", "date", "list<string>", "list<double>")
WORDS = ("true", "false", "1", "12", "1.5", "x", "")
ENVIRONMENTS = ("TRAINING", "SERVING", "CANARY")
fractions = st.integers(0, 10).map(lambda tenths: tenths / 10) | st.floats(0, 1)
environments = st.sampled_from([None, *ENVIRONMENTS])
few_environments = st.lists(st.sampled_from(ENVIRONMENTS), unique=True, max_size=2).map(tuple)


@st.composite
def spans(draw, kind, values):
    low, high = (draw(st.none() | values) for _ in range(2))
    if low is not None and high is not None:
        low, high = sorted((low, high))
    low_name, high_name = msgspec.structs.fields(kind)
    return kind(**{low_name.name: low, high_name.name: high})


comparators = st.builds(Comparator, **{each: st.none() | fractions for each in MEASURES})


@st.composite
def labels(draw, rows, kind):
    """Statistics of texts or truth values; the rare ones may be left out."""
    pool = WORDS if kind == "string" else (True, False)
    counts = Counter(draw(st.lists(st.sampled_from(pool), min_size=rows, max_size=rows)))
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return {
        "distinct": draw(st.sampled_from([len(counts), None])),
        "top": tuple(ranked[: draw(st.integers(1, 7))]),
    }


@st.composite
def numbers(draw, rows, kind):
    whole = st.integers(-3, 3) | st.just(2**60 + 1)
    real = st.sampled_from([-3.0, -0.0, 0.0, 0.1, 1.0, 8.5])
    infinite = draw(st.integers(0, rows)) if kind == "double" else 0
    finite = rows - infinite
    values = draw(st.lists(real if kind == "double" else whole, min_size=finite, max_size=finite))
    counts = Counter(values)
    bounds = sorted({float(each) for each in values})
    return {
        "infinite": infinite,
        "distinct": len(counts),
        "top": tuple(sorted(counts.items())),
        "min": min(values, default=None),
        "max": max(values, default=None),
        "histogram": ((bounds[0], bounds[-1], finite),) if bounds else (),
    }


@st.composite
def columns(draw, rows, kind):
    missing = draw(st.integers(0, rows))
    present = rows - missing
    nan = draw(st.integers(0, present)) if kind == "double" else 0
    body = {"type": kind, "rows": rows, "missing": missing, "nan": nan}
    if kind in {"string", "bool"}:
        return ColumnStatistics(**body, **draw(labels(present, kind)))
    if not kind.startswith("list"):
        return ColumnStatistics(**body, **draw(numbers(present - nan, kind)))
    sizes = sorted(draw(st.lists(st.integers(0, 3), min_size=present, max_size=present)))
    total = sum(sizes)
    items = draw(columns(total, value_type(kind))) if draw(st.booleans()) else None
    ends = {"min": sizes[0], "max": sizes[-1]} if sizes else {"min": None, "max": None}
    length = Lengths(**ends, mean=None)
    return ColumnStatistics(**body, length=length, items=items)


@st.composite
def batches(draw):
    rows = draw(st.integers(0, 12))
    names = draw(st.sets(st.sampled_from(NAMES), min_size=1))
    return Statistics(
        rows=rows,
        columns={name: draw(columns(rows, draw(st.sampled_from(TYPES)))) for name in sorted(names)},
    )


@st.composite
def value_rules(draw, kind):
    """Constraints that values of this type may have."""
    found = {}
    way = draw(st.sampled_from(["none", "domain", "shared", "words", "numbers"]))
    ends = draw(spans(Unique, st.integers(-4, 4) | st.just(2**60)))
    if kind == "string" and way == "domain":
        found["domain"] = tuple(sorted(draw(st.sets(st.sampled_from(WORDS)))))
    if kind == "string" and way == "shared":
        found["shared_domain"] = draw(st.sampled_from(["few", "none"]))
    if kind == "string" and way == "words":
        found |= {"boolean": True, "true_value": "x", "false_value": draw(st.none() | st.just(""))}
    as_text = kind == "string" and way == "numbers"
    if as_text:
        found |= draw(
            st.sampled_from(
                [
                    {"integer_text": True},
                    {"number_text": True},
                    {"integer_text": True, "number_text": True},
                ]
            )
        )
    if kind in {"double", "id", "timestamp", "date"} or as_text:
        found |= {"min": ends.min, "max": ends.max}
    return found


@st.composite
def column_schemas(draw):
    kind = draw(st.sampled_from(TYPES))
    rules = {"boolean": draw(st.booleans())} | draw(value_rules(value_type(kind)))
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
        drift=draw(st.none() | comparators),
        skew=draw(st.none() | comparators),
        in_=draw(few_environments),
        not_in=draw(few_environments),
        stage=draw(st.sampled_from(["production", "beta", "deprecated", "validation_derived"])),
        description=draw(st.sampled_from(["", "no: yes", "ä"])),
        **rules,
    )


@st.composite
def schemas(draw):
    names = draw(st.sets(st.sampled_from(NAMES)))
    fewest = draw(st.integers(0, 5))
    severities = st.dictionaries(
        st.sampled_from(["type", "domain", "new_column", "few_rows", "integer_text", "max_value"]),
        st.sampled_from(["error", "warning", "off"]),
    )
    rows = st.none() | spans(RowsComparator, fractions)
    return Schema(
        name="t",
        columns={name: draw(column_schemas()) for name in sorted(names)},
        min_rows=fewest,
        max_rows=draw(st.none() | st.integers(5, 12)),
        environments=ENVIRONMENTS,
        default_environments=draw(st.none() | few_environments),
        domains={"few": ("x", "true"), "none": ()},
        severities=draw(severities),
        rows_against_previous=draw(rows),
        rows_against_version=draw(rows),
    )


others = st.none() | batches()


@many
@given(
    batch=batches(),
    schema=schemas(),
    environment=environments,
    previous=others,
    serving=others,
    version=others,
)
def test_all_patches_make_the_batch_pass_and_touch_nothing_else(
    batch, schema, environment, previous, serving, version
):
    beside = {
        "environment": environment,
        "previous": previous,
        "serving": serving,
        "previous_version": version,
    }
    anomalies = validate(batch, schema, **beside)
    patched = apply_patches(schema, anomalies)
    assert validate(batch, patched, **beside) == []
    named = {change.path for each in anomalies for change in each.patch}
    for changed in changed_paths(schema, patched):
        assert any(changed[: len(path)] == path for path in named), changed
    # A patch names its own column, or what belongs to the whole batch or to a domain.
    for each in anomalies:
        assert {change.path[1] for change in each.patch if change.path[0] == "columns"} <= {
            each.column
        }


@many
@given(batch=batches())
def test_an_inferred_schema_accepts_its_own_batch_and_so_do_suggested_ranges(batch):
    inferred = infer_schema(batch, name="t")
    assert validate(batch, inferred) == []
    assert validate(batch, apply_changes(inferred, suggest_ranges(batch))) == []


@many
@given(schema=schemas())
def test_a_schema_comes_back_from_yaml_with_its_id(schema):
    again = parse_schema(yaml.safe_load(yaml.safe_dump(to_document(schema))))
    assert again == schema
    assert again.id == schema.id
    assert schema_diff(schema, again) == []


@many
@given(one=schemas(), other=schemas())
def test_two_schemas_differ_by_no_line_only_when_they_are_equal(one, other):
    assert (schema_diff(one, other) == []) == (one == other)


tables = st.fixed_dictionaries(
    {},
    optional={
        "a": st.lists(st.none() | st.floats(allow_nan=True), min_size=6, max_size=6).map(
            lambda values: pa.array(values, pa.float64())
        ),
        "b": st.lists(st.none() | st.sampled_from(WORDS), min_size=6, max_size=6).map(
            lambda values: pa.array(values, pa.string())
        ),
        "c": st.lists(
            st.none() | st.lists(st.sampled_from(WORDS), max_size=3), min_size=6, max_size=6
        ).map(lambda values: pa.array(values, pa.list_(pa.string()))),
    },
).filter(bool)


def test_all_patches_make_real_tables_pass():
    engine = DuckDBEngine(threads=1)

    @settings(max_examples=min(EXAMPLES // 4, 300), deadline=None)
    @given(table=tables, before=tables, schema=schemas())
    def holds(table, before, schema):
        now, then = (statistics(pa.table(each), engine=engine) for each in (table, before))
        anomalies = validate(now, schema, previous=then)
        assert validate(now, apply_patches(schema, anomalies), previous=then) == []
        assert validate(now, infer_schema(now, name="t")) == []

    holds()
    engine.close()
