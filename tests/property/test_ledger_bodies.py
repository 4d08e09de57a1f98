"""Whatever JSON is put comes back, and is found by its fields."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tondo.adapters.clocks.manual import ManualClock
from tondo.core.canonical import canonical_json
from tondo.ledger import Ledger

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
BODIES = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        SCALARS,
        lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(), each, max_size=4),
        max_leaves=8,
    ),
    max_size=4,
)


@pytest.fixture(scope="module")
def ledger():
    opened = Ledger.open("sqlite://", clock=ManualClock(0))
    yield opened
    opened.close()


@settings(deadline=None)
@given(body=BODIES)
def test_a_body_comes_back_as_it_was_put(ledger, body):
    id_ = ledger.new_id()
    assert ledger.put("thing", id_, body) == ledger.get("thing", id_)
    assert canonical_json(ledger.get("thing", id_).body) == canonical_json(body)


@settings(deadline=None)
@given(value=st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text())
@example(value="before\0after")
def test_a_record_is_found_by_any_scalar(ledger, value):
    id_ = ledger.new_id()
    ledger.put("field", id_, {"value": value})
    assert id_ in {each.id for each in ledger.records("field", where={"value": value})}
