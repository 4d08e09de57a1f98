"""Clipping, buckets, hashing and codes: numbers made ready for a model."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from hashlib import md5
from typing import TYPE_CHECKING, Any

from tondo.language.functions.row import Function

if TYPE_CHECKING:
    from collections.abc import Sequence

HASH_DIGITS = 15
"""Hexadecimal digits of the hash that count: 60 bits fit every engine's whole numbers."""


def clip(x: float, low: float, high: float) -> float:
    """Return x held between low and high."""
    if x < low:
        return low
    return high if x > high else x  # noqa: FURB136 - of equals, x with its own zero's sign


def bucketize(x: float, *bounds: float) -> float:
    """Return how many of the rising bounds are at or below x.

    >>> bucketize(15.0, 0.0, 15.0, 60.0)
    2.0
    """
    return float(bisect_right(bounds, x))


def hash_bucket(value: Any, count: float) -> Any:
    """Return a bucket from 0 to count - 1: the first 60 bits of MD5 (RFC 1321) modulo count.

    An id is hashed as its decimal text; of a list, each item that is not null.

    >>> hash_bucket("JFK", 16.0), hash_bucket(["JFK", None], 16.0)
    (8.0, [8.0, None])
    """
    if isinstance(value, list):
        return [None if each is None else hash_bucket(each, count) for each in value]
    digest = md5(str(value).encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    return float(int(digest[:HASH_DIGITS], 16) % int(count))


def position_in(x: Any, *values: Any) -> float:
    """Return the place (from 1) of x among the values, 0 if absent."""
    return float(values.index(x) + 1) if x in values else 0.0


def lookup(x: Any, keys: Sequence[Any], values: Sequence[Any], default: Any = None) -> Any:
    """Return the value beside x among the keys, else the default; of a list, for each item.

    >>> lookup("b", ["a", "b"], [0.5, 2.0]), lookup(["b", "c", None], ["a", "b"], [0.5, 2.0], 0.0)
    (2.0, [2.0, 0.0, None])
    """
    if isinstance(x, list):
        return [None if each is None else lookup(each, keys, values, default) for each in x]
    return values[keys.index(x)] if x in keys else default


def term_weights(
    items: Sequence[Any], terms: Sequence[Any], weights: Sequence[float]
) -> list[float]:
    """Return for each term how often it is among the items, times its weight.

    >>> term_weights(["a", "b", "a"], ["a", "c"], [0.5, 3.0])
    [1.0, 0.0]
    """
    counts = Counter(items)
    return [float(counts[term]) * weight for term, weight in zip(terms, weights, strict=True)]


def _pairs_problem(constants: Sequence[Any]) -> str:
    keys, values = constants[1:3]
    if len(keys) != len(values) or None in keys or None in values:
        return "the two lists must be of one length and hold no nulls"
    return ""


def _rising_problem(constants: Sequence[Any]) -> str:
    bounds = constants[1:]
    return "" if list(bounds) == sorted(set(bounds)) else "the bounds must rise"


def _count_problem(constants: Sequence[Any]) -> str:
    count = constants[1]
    return "" if count == int(count) and 1 <= count <= 2**31 else "the count must be from 1 to 2^31"


ROWS = (
    Function(
        name="clip",
        signatures=("double, double, double -> double",),
        kernel=clip,
        group="Shaping",
        doc="x held between low and high.",
        example=("clip(7, 0, 5)", 5.0),
    ),
    Function(
        name="bucketize",
        signatures=("double, #double... -> double",),
        kernel=bucketize,
        group="Shaping",
        problem=_rising_problem,
        doc="How many of the rising bounds are at or below x.",
        example=("bucketize(15, 0, 15, 60)", 2.0),
    ),
    Function(
        name="hash_bucket",
        signatures=(
            "string, #double -> double",
            "id, #double -> double",
            "list<string>, #double -> list<double>",
            "list<id>, #double -> list<double>",
        ),
        kernel=hash_bucket,
        group="Shaping",
        problem=_count_problem,
        doc="A bucket from 0 to n - 1 by the first 60 bits of the MD5 of the text, or of the id in"
        " decimal; of a list, a bucket for each item.",
        example=("hash_bucket('JFK', 16)", 8.0),
    ),
    Function(
        name="position_in",
        signatures=("T, #T... -> double",),
        kernel=position_in,
        group="Shaping",
        doc="Place (from 1) of x among the constants, 0 if absent; what vocab becomes.",
        example=("position_in('b', 'a', 'b')", 2.0),
    ),
    Function(
        name="lookup",
        signatures=(
            "T, #list<T>, #list<double>, #double? -> double",
            "list<T>, #list<T>, #list<double>, #double? -> list<double>",
        ),
        kernel=lookup,
        group="Shaping",
        problem=_pairs_problem,
        doc="The number in the second list at the place of x in the first, else the default, else"
        " null; of a list, one for each item.",
        example=("lookup('b', ['a', 'b'], [0.5, 2], -1)", 2.0),
    ),
    Function(
        name="term_weights",
        signatures=("list<T>, #list<T>, #list<double> -> list<double>",),
        kernel=term_weights,
        group="Shaping",
        problem=_pairs_problem,
        doc="For each term of the first constant list, how often the list holds it times the number"
        " beside it; what tfidf becomes.",
        example=("term_weights(tokens('a b a'), ['a', 'c'], [0.5, 3])", [1.0, 0.0]),
    ),
)
