"""Lists: measures, members, and lists made of text. An item that is null counts as a place only.

No list holds NaN: readers make it null, and no function makes one of it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tondo.language.functions.operators import without_nan
from tondo.language.functions.row import Function
from tondo.language.functions.text import whole

if TYPE_CHECKING:
    from collections.abc import Sequence

WHITE_SPACE = "".join(
    map(chr, (*range(0x09, 0x0E), *range(0x1C, 0x21), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)))
) + "".join(map(chr, (0x2028, 0x2029, 0x202F, 0x205F, 0x3000)))
"""White space of Unicode 14 and of `str.split`: what parts tokens unless said otherwise."""

MOST_WORDS = 20
"""Longest n-gram."""


def present(items: Sequence[Any]) -> list[Any]:
    """Return the items that are not null."""
    return [each for each in items if each is not None]


def total(items: Sequence[float | None]) -> float | None:
    """Return the sum from left to right in IEEE double, beginning with the first value.

    >>> total([1.0, None, 1e100, 1.0, -1e100])
    0.0
    """
    values = present(items)
    if not values:
        return None
    found = values[0]
    for each in values[1:]:  # not sum(): it carries what is lost along
        found += each
    return without_nan(found)


def mean(items: Sequence[float | None]) -> float | None:
    """Return the sum divided by the number of values, null without any."""
    found = total(items)
    return None if found is None else found / len(present(items))


def smallest(items: Sequence[Any]) -> Any:
    """Return the smallest value, the first of equals."""
    return min(present(items), default=None)


def largest(items: Sequence[Any]) -> Any:
    """Return the largest value, the first of equals."""
    return max(present(items), default=None)


def count(items: Sequence[Any], item: Any) -> float:
    """Return how often the item occurs."""
    return float(sum(each is not None and each == item for each in items))


def unique(items: Sequence[Any]) -> list[Any]:
    """Return each value once, where it first occurs.

    >>> unique(["b", None, "a", "b"])
    ['b', 'a']
    """
    return list(dict.fromkeys(present(items)))


def item(items: Sequence[Any], place: float) -> Any:
    """Return the item at a place from 1, null where there is none."""
    position = whole(place) - 1
    return items[position] if 0 <= position < len(items) else None


@lru_cache(maxsize=256)
def word_pattern(separators: str) -> re.Pattern[str]:
    """Return the pattern of the longest stretches without any of the separators."""
    return re.compile(f"[^{re.escape(separators)}]+")


def tokens(text: str, separators: str = WHITE_SPACE) -> list[str]:
    """Return what stands between the separators, each a character; never an empty text.

    >>> tokens(" late, again "), tokens("a,b,,c", ",")
    (['late,', 'again'], ['a', 'b', 'c'])
    """
    return word_pattern(separators).findall(text)


def ngrams(words: Sequence[str | None] | str, length: float, joint: str | None = None) -> list[str]:
    """Return each run of `length` words, joined; of a text, each run of so many characters.

    >>> ngrams(["a", "b", "c"], 2.0), ngrams("abc", 2.0)
    (['a b', 'b c'], ['ab', 'bc'])
    """
    size = int(length)
    if isinstance(words, str):
        return [words[start : start + size] for start in range(len(words) - size + 1)]
    values = present(words)
    between = " " if joint is None else joint
    return [between.join(values[start : start + size]) for start in range(len(values) - size + 1)]


def _separators_problem(constants: Sequence[Any]) -> str:
    return "there must be a separator" if constants[1:] == [""] else ""


def _length_problem(constants: Sequence[Any]) -> str:
    size = constants[1]
    if size == int(size) and 1 <= size <= MOST_WORDS:
        return ""
    return f"the length must be a whole number from 1 to {MOST_WORDS}"


def _row(
    name: str, signatures: Sequence[str], kernel: Any, doc: str, example: Any, problem: Any = None
) -> Function:
    return Function(
        name=name,
        signatures=tuple(signatures),
        kernel=kernel,
        group="Lists",
        problem=problem,
        doc=doc,
        example=example,
    )


ROWS = (
    _row(
        "tokens",
        ["string, #string? -> list<string>"],
        tokens,
        "The longest stretches of text between separators: the characters of the second text, "
        "else white space as Unicode has it. Never an empty text.",
        ("tokens('wheels up, late', ' ,')", ["wheels", "up", "late"]),
        _separators_problem,
    ),
    _row(
        "ngrams",
        ["list<string>, #double, #string? -> list<string>", "string, #double -> list<string>"],
        ngrams,
        "Each run of n items joined by a space, or by the third argument; of a text, each run of n"
        " characters. Nulls are left out first; fewer than n give an empty list.",
        ("ngrams(tokens('wheels up late'), 2)", ["wheels up", "up late"]),
        _length_problem,
    ),
    _row(
        "unique",
        ["list<T> -> list<T>"],
        unique,
        "Each value once, where it first occurs, without nulls.",
        ("unique(tokens('b a b'))", ["b", "a"]),
    ),
    _row(
        "item",
        ["list<T>, double -> T"],
        item,
        "The item at a place (from 1), its fraction cut off; null where there is none.",
        ("item(tokens('wheels up'), 2)", "up"),
    ),
    _row(
        "count",
        ["list<T>, T -> double"],
        count,
        "How often a value occurs in the list.",
        ("count(tokens('b a b'), 'b')", 2.0),
    ),
    _row(
        "sum",
        ["list<double> -> double"],
        total,
        "Sum from left to right in IEEE double, beginning with the first value; nulls are left"
        " out; null without any value.",
        ("sum(hash_bucket(tokens('a b'), 8))", 8.0),
    ),
    _row(
        "mean",
        ["list<double> -> double"],
        mean,
        "The sum divided by the number of values; nulls are left out; null without any value.",
        ("mean(hash_bucket(tokens('a b'), 8))", 4.0),
    ),
    _row(
        "min",
        ["list<T> -> T"],
        smallest,
        "The smallest value, the first of equals; nulls are left out; null without any value.",
        ("min(tokens('b a'))", "a"),
    ),
    _row(
        "max",
        ["list<T> -> T"],
        largest,
        "The largest value, the first of equals; nulls are left out; null without any value.",
        ("max(tokens('b a'))", "b"),
    ),
)
