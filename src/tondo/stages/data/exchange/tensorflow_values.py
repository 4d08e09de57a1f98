"""Words that messages of tensorflow-metadata share, and ours for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.columns import DOUBLE, ID, STRING

if TYPE_CHECKING:
    from tondo.stages.data.constraints import Measure

COMPARED: dict[Measure, str] = {
    "l_infinity": "infinity_norm",
    "jensen_shannon": "jensen_shannon_divergence",
    "normalized_difference": "normalized_abs_difference",
}
"""Measure to the field of a comparator."""

FEATURE_TYPES = {"INT": ID, "FLOAT": DOUBLE, "BYTES": STRING}
"""Type of a schema's feature to the column type of its values."""

STATISTICS_TYPES = {"INT": ID, "FLOAT": DOUBLE, "STRING": STRING}
"""Type of a feature's statistics to the column type of its values."""
