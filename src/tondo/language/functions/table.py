"""All rows of the table of functions, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.language.functions import (
    casts,
    lists,
    numeric,
    operators,
    regexps,
    shaping,
    shifts,
    text,
    times,
)

if TYPE_CHECKING:
    from tondo.language.functions.row import Function

FUNCTIONS: dict[str, Function] = {
    row.name: row
    for module in (operators, numeric, shaping, text, regexps, lists, times, shifts, casts)
    for row in module.ROWS
}
"""Name to row, in the order of the reference."""
