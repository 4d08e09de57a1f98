"""Text: lengths and places count code points; nothing is normalised."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tondo.language.functions.casing import lower, upper
from tondo.language.functions.row import Function

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 1_000_000_000.0
"""Places and lengths are clamped here; no text of a row is longer."""


def whole(x: float) -> int:
    """Return a place or length as int: toward zero, clamped."""
    return int(min(max(x, -LONGEST), LONGEST))


def ends(start: float, length: float = LONGEST) -> tuple[int, int]:
    """Return the ends of the slice that `substr` takes."""
    first = whole(start)
    return max(first, 1) - 1, max(first + max(whole(length), 0) - 1, 0)


def substr(text: str, start: float, length: float = LONGEST) -> str:
    """Return the characters at places start to start + length - 1, places counting from 1.

    >>> substr("abc", 2), substr("abc", 0, 2), substr("abc", 9)
    ('bc', 'a', '')
    """
    first, stop = ends(start, length)
    return text[first:stop]


def strpos(text: str, part: str) -> float:
    """Return the place of the first `part`, 0 if absent."""
    return float(text.find(part) + 1)


def replace(text: str, old: str, new: str) -> str:
    """Return `text` with every `old` replaced; an empty `old` changes nothing."""
    return text.replace(old, new) if old else text


def split_part(text: str, separator: str, place: float) -> str:
    """Return the part at `place` (from 1), '' if there is none; an empty separator never splits."""
    position = whole(place) - 1
    parts = text.split(separator) if separator else [text]
    return parts[position] if 0 <= position < len(parts) else ""


def like(text: str, pattern: str) -> bool:
    """Return whether `text` matches: % any characters, _ one character, no escape.

    >>> like("Boston", "B%t_n"), like("Boston", "B_n")
    (True, False)
    """
    return matcher(pattern)(text)


@lru_cache(maxsize=256)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Return the test for one pattern: its parts between % searched from left to right."""
    parts = [_part(each) for each in pattern.split("%")]
    if len(parts) == 1:
        return lambda text: parts[0].fullmatch(text) is not None
    head, *middle, tail = parts
    tail_length = len(pattern) - pattern.rindex("%") - 1

    def test(text: str) -> bool:
        found = head.match(text)
        for part in middle:
            found = found and part.search(text, found.end())
        if not found or len(text) - tail_length < found.end():
            return False
        return tail.fullmatch(text, len(text) - tail_length) is not None

    return test


def concat(first: Any, *others: Any) -> Any:
    """Return texts or lists joined.

    >>> concat("a", "b"), concat(["a"], ["b", None])
    ('ab', ['a', 'b', None])
    """
    if isinstance(first, str):
        return first + "".join(others)
    return [each for items in (first, *others) for each in items]


def _part(text: str) -> re.Pattern[str]:
    return re.compile("".join("." if each == "_" else re.escape(each) for each in text), re.DOTALL)


def _row(
    name: str, signature: str | tuple[str, ...], kernel: Any, doc: str, example: Any
) -> Function:
    return Function(
        name=name,
        signatures=(signature,) if isinstance(signature, str) else signature,
        kernel=kernel,
        operator={"like": "x like pattern"}.get(name, ""),
        group="Text",
        doc=doc,
        example=example,
    )


ROWS = (
    _row(
        "length",
        ("string -> double", "list<T> -> double"),
        lambda text: float(len(text)),
        "Number of code points; of a list, of items, nulls counted.",
        ("length('añb')", 3.0),
    ),
    _row("lower", "string -> string", lower, "By tondo's own table.", ("lower('ÀB')", "àb")),
    _row("upper", "string -> string", upper, "By tondo's own table.", ("upper('àß')", "Àß")),
    _row(
        "trim",
        "string -> string",
        lambda text: text.strip(" "),
        "Without spaces (U+0020) at both ends.",
        ("trim('  a b ')", "a b"),
    ),
    _row(
        "ltrim",
        "string -> string",
        lambda text: text.lstrip(" "),
        "Without spaces at the start.",
        ("ltrim('  a ')", "a "),
    ),
    _row(
        "rtrim",
        "string -> string",
        lambda text: text.rstrip(" "),
        "Without spaces at the end.",
        ("rtrim('  a ')", "  a"),
    ),
    _row(
        "substr",
        "string, double, double? -> string",
        substr,
        "From a place (from 1) on, at most so many; places before 1 and past the end are empty.",
        ("substr('tondo', 2, 3)", "ond"),
    ),
    _row(
        "strpos",
        "string, string -> double",
        strpos,
        "Place of the first occurrence, 0 if absent.",
        ("strpos('tondo', 'o')", 2.0),
    ),
    _row(
        "replace",
        "string, string, string -> string",
        replace,
        "Every occurrence replaced.",
        ("replace('a-b-c', '-', '+')", "a+b+c"),
    ),
    _row(
        "starts_with",
        "string, string -> bool",
        lambda text, part: text.startswith(part),
        "Whether it begins so.",
        ("starts_with('tondo', 'to')", True),
    ),
    _row(
        "ends_with",
        "string, string -> bool",
        lambda text, part: text.endswith(part),
        "Whether it ends so.",
        ("ends_with('tondo', 'to')", False),
    ),
    _row(
        "contains",
        ("string, string -> bool", "list<T>, T -> bool"),
        lambda text, part: part in text,
        "Whether it occurs; in a list, as an item.",
        ("contains('tondo', 'nd')", True),
    ),
    _row(
        "split_part",
        "string, string, double -> string",
        split_part,
        "The part at a place (from 1), '' if there is none.",
        ("split_part('a-b-c', '-', 2)", "b"),
    ),
    _row(
        "concat",
        ("string, string... -> string", "list<T>, list<T>... -> list<T>"),
        concat,
        "Texts or lists joined, also written `a || b`; null with any null.",
        ("'a' || 'b'", "ab"),
    ),
    _row(
        "like",
        "string, string -> bool",
        like,
        "`%` stands for any characters, `_` for one; there is no escape.",
        ("'Boston' like 'B%n'", True),
    ),
)
