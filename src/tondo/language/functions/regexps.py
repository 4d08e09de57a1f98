"""Searching text by a pattern of the common subset (`patterns.py`)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tondo.language.functions.patterns import pattern_problem, python_pattern, read_pattern
from tondo.language.functions.row import Function

if TYPE_CHECKING:
    from collections.abc import Sequence


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return the pattern as Python searches for it."""
    return re.compile(python_pattern(read_pattern(pattern)))


def default_group(pattern: str) -> int:
    """Return the group that is meant when none is named: the first, else the whole match."""
    return min(1, read_pattern(pattern).groups)


def regexp_extract(text: str, pattern: str, group: float | None = None) -> str | None:
    """Return a group of the leftmost match, null without a match, '' if it took no part.

    >>> regexp_extract("UA-1545", "([A-Z]+)-([0-9]+)", 2.0)
    '1545'
    """
    found = compiled(pattern).search(text)
    if found is None:
        return None
    return found[default_group(pattern) if group is None else int(group)] or ""


def regexp_matches(text: str, pattern: str) -> bool:
    """Return whether the pattern matches anywhere in the text."""
    return compiled(pattern).search(text) is not None


def _problem(constants: Sequence[Any]) -> str:
    problem = pattern_problem(constants[1])
    if problem or len(constants) < 3:
        return problem
    groups, group = read_pattern(constants[1]).groups, constants[2]
    if group == int(group) and 0 <= group <= groups:
        return ""
    return f"the pattern has no group {group:g}; it has {groups}, and 0 is the whole match"


ROWS = (
    Function(
        name="regexp_extract",
        signatures=("string, #string, #double? -> string",),
        kernel=regexp_extract,
        group="Text",
        problem=_problem,
        doc="A group of the leftmost match (0 the whole; unless said, the first group if there is"
        " one), '' if it took no part; null without a match. The pattern is of the common subset.",
        example=("regexp_extract('UA-1545', '([A-Z]+)-([0-9]+)', 2)", "1545"),
    ),
    Function(
        name="regexp_matches",
        signatures=("string, #string -> bool",),
        kernel=regexp_matches,
        group="Text",
        problem=_problem,
        doc="Whether the pattern matches anywhere; the pattern is of the common subset.",
        example=("regexp_matches('N14228', '^N[0-9]+$')", True),
    ),
)
