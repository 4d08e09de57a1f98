"""The table of lowerings: every function of the language, and how Spark computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.engines.spark import (
    lowering_lists,
    lowering_logic,
    lowering_numbers,
    lowering_text,
    lowering_times,
)

if TYPE_CHECKING:
    from tondo.adapters.engines.spark.lowering_emitter import Lowering

LOWERINGS: dict[str, Lowering] = {
    **lowering_lists.LOWERINGS,
    **lowering_logic.LOWERINGS,
    **lowering_numbers.LOWERINGS,
    **lowering_text.LOWERINGS,
    **lowering_times.LOWERINGS,
}
"""Function name to its lowering."""
