"""The table of functions: name, types, null rule, kernel, doc, example.

Comes in: plain values. Goes out: FUNCTIONS, the one table every engine is held to.
Holds: a kernel never raises; it answers None for null.
"""

from tondo.language.functions.row import Function
from tondo.language.functions.table import FUNCTIONS

__all__ = ["FUNCTIONS", "Function"]
