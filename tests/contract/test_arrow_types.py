"""Engines answer in the Arrow types that snapshots keep; neither may import the other's table."""

from __future__ import annotations

import pytest

from tondo.adapters.engines.arrow_types import arrow_type as answered
from tondo.core.columns import SCALARS
from tondo.stages.data.arrow_types import arrow_type as kept


@pytest.mark.parametrize("column_type", [*SCALARS, *(f"list<{each}>" for each in SCALARS)])
def test_an_engine_answers_in_the_type_that_snapshots_keep(column_type):
    assert answered(column_type) == kept(column_type)
