"""The table of lowerings: every function of the language that ONNX can answer alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.exports.onnx import (
    lowering_angles,
    lowering_logic,
    lowering_numbers,
    lowering_shaping,
    lowering_times,
)

if TYPE_CHECKING:
    from tondo.adapters.exports.onnx.lowerer import Lowering

LOWERINGS: dict[str, Lowering] = {
    **lowering_logic.LOWERINGS,
    **lowering_numbers.LOWERINGS,
    **lowering_angles.LOWERINGS,
    **lowering_shaping.LOWERINGS,
    **lowering_times.LOWERINGS,
}
"""Function name to its lowering; a function that is not here is refused by its name."""
