"""Preparation by example: from two or three input and output pairs to a readable expression.

Comes in: the values of a column (or a table), and pairs of input and wanted output.
Goes out: the shortest expressions of the feature language that fit, and the unsure rows.
Holds: every answer is an expression that serving runs too; nothing beyond the table of functions.
"""

from tondo.stages.data.by_example.values import Candidate, Candidates, UnsureRow
from tondo.stages.data.by_example.verb import by_example

__all__ = ["Candidate", "Candidates", "UnsureRow", "by_example"]
