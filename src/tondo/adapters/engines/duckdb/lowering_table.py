"""The table of lowerings: every function of the language, and how DuckDB computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.engines.duckdb import (
    lowering_lists,
    lowering_logic,
    lowering_numbers,
    lowering_text,
    lowering_times,
)

if TYPE_CHECKING:
    from tondo.adapters.engines.duckdb.lowering_emitter import Lowering

LOWERINGS: dict[str, Lowering] = {
    **lowering_logic.LOWERINGS,
    **lowering_numbers.LOWERINGS,
    **lowering_text.LOWERINGS,
    **lowering_lists.LOWERINGS,
    **lowering_times.LOWERINGS,
}
"""Function name to its lowering."""
