"""The table of functions: complete, exemplified, lowered, documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from tondo.adapters.engines.duckdb.lowering_table import LOWERINGS
from tondo.language.check import check
from tondo.language.functions import FUNCTIONS
from tondo.language.functions.numeric import round_half_away
from tondo.language.interpret import evaluate
from tondo.language.parse import parse
from tondo.language.reference import functions_page

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("row", FUNCTIONS.values(), ids=lambda row: row.name)
def test_the_example_of_a_function_is_true(row):
    text, value = row.example
    found = evaluate(check(parse(text), {}, text=text), {})
    assert (found, type(found)) == (value, type(value))


def test_duckdb_lowers_every_function():
    assert set(LOWERINGS) == set(FUNCTIONS)


def test_the_reference_page_is_what_the_table_says():
    assert (ROOT / "docs/reference/functions.md").read_text() == functions_page()


@pytest.mark.parametrize("value", [2.675, 1.005, 0.125, 1e22, 123456.785, 5e-324, 8.5])
def test_rounding_agrees_with_exact_decimals(value):
    from decimal import ROUND_HALF_UP, Decimal

    for digits in range(8):
        exact = (
            Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
            if value < 1e20
            else Decimal(value)
        )
        assert round_half_away(value, float(digits)) == float(exact)
