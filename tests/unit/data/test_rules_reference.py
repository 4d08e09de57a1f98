"""What is reported of a batch that has moved, and that its patches allow exactly that."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tondo.stages.data.constraints import ReferenceLimits
from tondo.stages.data.movement import Movement
from tondo.stages.data.rules import reference
from tondo.stages.data.schema import ColumnSchema, Schema, parse_schema, to_document
from tondo.stages.data.validation import apply_patches

COLUMNS = {name: ColumnSchema(type="double") for name in ("a", "b", "c")}
SHOP = Schema(name="shop", columns=COLUMNS)


def moved(column="a", measure="moved", **changes):
    usual = {"effect": 0.5, "limit": 0.25, "certain": True, "found": 0.5, "expected": 0.1}
    return Movement(column=column, measure=measure, rows=100, **{**usual, **changes})


def kinds(movements, columns=COLUMNS):
    return [(each.kind, each.column) for each in reference.check(movements, columns)]


def test_an_effect_above_its_limit_is_reported():
    assert kinds([moved()]) == [("reference_moved", "a")]


def test_an_effect_that_meets_its_limit_passes():
    assert kinds([moved(effect=0.25)]) == []


def test_what_chance_may_do_passes():
    assert kinds([moved(certain=False)]) == []


def test_the_furthest_is_told_first():
    assert kinds([moved("a", effect=0.3), moved("b", effect=0.9)])[0][1] == "b"


def test_a_limit_of_the_schema_takes_the_place_of_the_usual_one():
    wider = {"a": ColumnSchema(type="double", reference=ReferenceLimits(moved=0.6))}
    tighter = {"a": ColumnSchema(type="double", reference=ReferenceLimits(moved=0.01))}
    assert kinds([moved()], wider) == []
    assert kinds([moved(effect=0.02)], tighter) == [("reference_moved", "a")]


def test_a_column_that_is_not_checked_is_left_alone():
    assert kinds([moved()], {"a": ColumnSchema(type="double", stage="deprecated")}) == []


def test_of_swapped_columns_the_one_in_most_broken_orders_is_blamed():
    broken = [
        moved("a", "order", value="b", effect=0.6),
        moved("b", "order", value="c", effect=0.7),
    ]
    assert kinds(broken) == [("reference_order", "b")]


def test_a_small_shift_is_a_warning_and_no_second_report_of_a_large_one():
    small = moved("a", effect=0.02, warn=0.005)
    large = moved("b", effect=0.9, warn=0.005)
    assert kinds([small, large]) == [("reference_moved", "b"), ("reference_drift", "a")]


def test_the_sentence_names_column_figures_and_a_guess():
    found = reference.check(
        [moved(measure="far", found=0.09, expected=12.0, value=9_000.0)], COLUMNS
    )
    assert found[0].message == (
        "a: 9 of 100 values are far beyond 12, the furthest that was accepted, such as 9000; "
        "has the unit changed?"
    )


def test_limits_are_written_and_read_again():
    limits = ReferenceLimits(moved=0.5, drift=0.1, broken=("a = b + c",))
    schema = Schema(name="s", columns={"a": ColumnSchema(type="double", reference=limits)})
    assert parse_schema(to_document(schema)) == schema


effects = st.floats(0, 3)


def _value(measure, other):
    return {"order": other, "relation": f"x = {other}"}.get(measure, 1.0)


@st.composite
def all_movements(draw):
    measures = ["moved", "nulls", "far", "flood", "distinct", "order", "relation"]
    found = []
    for _ in range(draw(st.integers(0, 6))):
        name, measure = draw(st.sampled_from("abc")), draw(st.sampled_from(measures))
        others = [each for each in "abc" if each != name]
        found.append(
            moved(
                name,
                measure,
                effect=draw(effects),
                limit=draw(effects),
                certain=draw(st.booleans()),
                warn=draw(st.none() | effects) if measure == "moved" else None,
                value=_value(measure, draw(st.sampled_from(others))),
                others=tuple(others) if measure == "relation" else (),
            )
        )
    unique = {(each.column, each.measure, each.value): each for each in found}
    return list(unique.values())


@given(all_movements())
@settings(max_examples=150, deadline=None)
def test_all_patches_make_the_batch_pass_and_touch_nothing_else(movements):
    found = reference.check(movements, COLUMNS)
    patched = apply_patches(SHOP, found)
    assert reference.check(movements, patched.columns) == []
    without = {
        name: msgspec.structs.replace(each, reference=None)
        for name, each in patched.columns.items()
    }
    assert without == COLUMNS
