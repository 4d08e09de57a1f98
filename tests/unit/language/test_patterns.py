"""The subset of patterns: what is refused, and that every pattern of it means the same to RE2."""

from __future__ import annotations

import random

import duckdb
import pytest

from tondo.language.functions.patterns import pattern_problem, re2_pattern, read_pattern
from tondo.language.functions.regexps import compiled

PIECES = [
    "a",
    "b",
    "[ab]",
    "[^a]",
    ".",
    "\\d",
    "\\w",
    "\\s",
    "(a|ab)",
    "(?:b|a.)",
    "(ab)",
    "x",
    "-",
    "é",
    "\\.",
    "(a*b)",
    "(a?)",
]
QUANTIFIERS = ["", "", "", "*", "+", "?", "{2}", "{1,3}", "{2,}"]
TEXTS = ["", "a", "ab", "aab", "abab", "ba1", "a.b-x", "é a\n1", "x\rx", "bbba", "ab ab"]


@pytest.mark.parametrize(
    ("pattern", "what"),
    [("(a)\\1", "'\\1' is not in the common subset"), ("(?=a)", "lookaround"), ("(?i)a", "flags"), ("(?P<n>a)", "names"),
     ("a*?", "greedy"), ("a*+", "greedy"), ("\\bno", "\\b"), ("\\p{L}", "\\p"), ("[[:alpha:]]", "write '\\[' in a class"),
     ("((a))", "a group stands in a group"), ("(a", "never closed"), ("a)", "closes nothing"), ("[a", "never closed"),
     ("[]", "the class is empty"), ("[b-a]", "does not rise"), ("a{3,2}", "must rise"), ("a{101}", "at most 100"), ("*a", "repeats nothing"),
     ("a^", "'^' can stand at the start"), ("$a", "'$' can stand at the end"), ("(^a)", "anchor cannot stand in a group"),
     ("(a*)*", "can be empty"), ("(a|)+", "can be empty"), ("(?:a|b)*", "repeats without end"), ("(?:a+)+", "repeats without end"),
     ("(?:a+){9}", "at most 8 times"), ("\\", "escapes nothing"), ("a{", "repeats nothing"), ("()" * 10, "at most 9"), ("a" * 501, "at most 500")],
)  # fmt: skip
def test_what_engines_could_read_differently_is_refused(pattern, what):
    assert what in pattern_problem(pattern)


def grown(draw: random.Random) -> str:
    parts = [draw.choice(PIECES) + draw.choice(QUANTIFIERS) for _ in range(draw.randint(1, 4))]
    body = "".join(parts)
    if draw.random() < 0.3:
        body += "|" + draw.choice(PIECES)
    return draw.choice(["", "", "^"]) + body + ("$" if draw.random() < 0.3 else "")


def test_grown_patterns_find_the_same_groups_by_re2_and_by_python():
    draw = random.Random(7)
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("CREATE TABLE texts AS SELECT unnest(?) AS text", [TEXTS])
    compared = 0
    for pattern in (grown(draw) for _ in range(400)):
        if pattern_problem(pattern):
            continue
        read = read_pattern(pattern)
        for group in range(read.groups + 1):
            found = connection.execute(
                "SELECT text, regexp_matches(text, $1), regexp_extract(text, $1, $2) FROM texts",
                [re2_pattern(read), group],
            ).fetchall()
            for text, matches, extracted in found:
                match = compiled(pattern).search(text)
                assert (match is not None) == matches, (pattern, text)
                assert extracted == ((match[group] or "") if match else ""), (pattern, text, group)
                compared += 1
    assert compared > 3000
