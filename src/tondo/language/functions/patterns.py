r"""The patterns of `regexp_extract`: a subset that RE2, Java and Python read alike.

Literals, `.`, classes, greedy quantifiers, groups that do not nest, alternation, `^` and `$`.
What the three could read differently is refused or written out: `.` is all but a newline, `\d` is
`[0-9]`, `\w` is `[A-Za-z0-9_]`, `\s` is `[ \t\n\r\f\v]`, `^` and `$` are the ends of the text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_CHARACTERS = 500
"""Longest pattern."""
MOST_GROUPS = 9
"""DuckDB finds no group beyond."""
MOST_TIMES = 100
"""Largest count in braces; RE2 refuses 1,000 in all."""
FEW_TIMES = 8
"""A group repeated more often must have one length, else backtracking may take for ever."""

Ranges = tuple[tuple[int, int], ...]

_DIGITS: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 13), (32, 32))
_CLASSES = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_CONTROLS = {"n": 10, "t": 9, "r": 13, "f": 12, "v": 11}
_QUANTIFIERS = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_BRACES = re.compile(r"\{([0-9]{1,3})(?:(,)([0-9]{1,3})?)?\}")


class Characters(msgspec.Struct, frozen=True):
    """One character out of code points, or out of all others."""

    ranges: Ranges
    negated: bool = False


class Anchor(msgspec.Struct, frozen=True):
    """The start or the end of the text."""

    at_end: bool


class Group(msgspec.Struct, frozen=True):
    """Alternatives in parentheses."""

    alternatives: tuple[tuple[Piece, ...], ...]
    captures: bool


class Piece(msgspec.Struct, frozen=True):
    """An atom and how often it stands: from `least` to `most`, None for any number."""

    atom: Characters | Anchor | Group
    least: int = 1
    most: int | None = 1


class PatternError(ValueError):
    """What is wrong with a pattern, and where."""


class Pattern(msgspec.Struct, frozen=True):
    """A pattern that was read."""

    alternatives: tuple[tuple[Piece, ...], ...]
    groups: int
    """How many groups capture."""


@lru_cache(maxsize=256)
def read_pattern(text: str) -> Pattern:
    """Return the pattern; PatternError says what cannot stand and where.

    >>> read_pattern("([A-Z]+)-([0-9]{2,4})").groups
    2
    """
    if len(text) > MOST_CHARACTERS:
        message = f"the pattern has {len(text)} characters, at most {MOST_CHARACTERS} may be"
        raise PatternError(message)
    reader = _Reader(text)
    alternatives = reader.alternatives(inside=False)
    if reader.groups > MOST_GROUPS:
        message = f"the pattern has {reader.groups} groups, at most {MOST_GROUPS} may be"
        raise PatternError(message)
    return Pattern(alternatives, reader.groups)


def pattern_problem(text: str) -> str:
    """Return what is wrong with a pattern, empty if nothing is."""
    try:
        read_pattern(text)
    except PatternError as error:
        return str(error)
    return ""


def python_pattern(pattern: Pattern) -> str:
    """Return the pattern as Python's `re` reads it."""
    return _alternatives(pattern.alternatives, _python_character, r"\Z")


def re2_pattern(pattern: Pattern) -> str:
    r"""Return the pattern as RE2 and `java.util.regex` read it.

    >>> re2_pattern(read_pattern("^a.$"))
    '\\Aa[^\\x{a}]\\z'
    """
    return _alternatives(pattern.alternatives, lambda point: f"\\x{{{point:x}}}", r"\z")


def _python_character(point: int) -> str:
    return f"\\U{point:08x}"


def _alternatives(
    alternatives: Sequence[Sequence[Piece]], character: Callable[[int], str], end: str
) -> str:
    return "|".join(
        "".join(_piece(each, character, end) for each in pieces) for pieces in alternatives
    )


def _piece(piece: Piece, character: Callable[[int], str], end: str) -> str:
    atom = piece.atom
    if isinstance(atom, Anchor):
        return end if atom.at_end else r"\A"
    if isinstance(atom, Group):
        opening = "(" if atom.captures else "(?:"
        written = f"{opening}{_alternatives(atom.alternatives, character, end)})"
    else:
        written = _characters(atom, character)
    if (piece.least, piece.most) == (1, 1):
        return written
    most = "" if piece.most is None else piece.most
    return f"{written}{{{piece.least},{most}}}"


def _characters(atom: Characters, character: Callable[[int], str]) -> str:
    def one(point: int) -> str:
        plain = chr(point)
        return plain if plain.isascii() and plain.isalnum() else character(point)

    if not atom.negated and len(atom.ranges) == 1 and atom.ranges[0][0] == atom.ranges[0][1]:
        return one(atom.ranges[0][0])
    inside = "".join(
        one(first) if first == last else f"{one(first)}-{one(last)}" for first, last in atom.ranges
    )
    return f"[{'^' if atom.negated else ''}{inside}]"


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.groups = 0

    def fail(self, what: str, place: int | None = None) -> PatternError:
        where = self.at if place is None else place
        return PatternError(f"{what} (character {where + 1} of the pattern {self.text!r})")

    def here(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        self.at += 1
        return self.text[self.at - 1]

    def alternatives(self, *, inside: bool) -> tuple[tuple[Piece, ...], ...]:
        found = [self.pieces(inside=inside)]
        while self.here() == "|":
            self.take()
            found.append(self.pieces(inside=inside))
        if not inside and self.here() == ")":
            raise self.fail("a ')' closes nothing; write '\\)' for the character")
        return tuple(found)

    def pieces(self, *, inside: bool) -> tuple[Piece, ...]:
        found: list[Piece] = []
        while self.here() not in {"", "|", ")"}:
            start = self.at
            atom = self.atom(inside=inside)
            if isinstance(atom, Anchor):
                self.check_anchor(atom, first=not found, place=start)
                found.append(Piece(atom))
            else:
                found.append(self.quantified(atom, start))
        return tuple(found)

    def check_anchor(self, anchor: Anchor, *, first: bool, place: int) -> None:
        if anchor.at_end and self.here() not in {"", "|"}:
            raise self.fail("'$' can stand at the end only; write '\\$' for the character", place)
        if not anchor.at_end and not first:
            raise self.fail("'^' can stand at the start only; write '\\^' for the character", place)

    def quantified(self, atom: Characters | Group, start: int) -> Piece:
        braces = _BRACES.match(self.text, self.at)
        if self.here() in _QUANTIFIERS:
            least, most = _QUANTIFIERS[self.take()]
        elif braces:
            self.at = braces.end()
            least = int(braces[1])
            most = least if braces[2] is None else int(braces[3]) if braces[3] else None
        else:
            return Piece(atom)
        if self.here() in {"*", "+", "?", "{"}:
            raise self.fail("a quantifier cannot follow another; all of them are greedy")
        if (most is not None and most < least) or max(least, most or 0) > MOST_TIMES:
            raise self.fail(f"a count must rise and be at most {MOST_TIMES}", start)
        if isinstance(atom, Group):
            self.check_repeated(atom, most, start)
        return Piece(atom, least, most)

    def check_repeated(self, group: Group, most: int | None, start: int) -> None:
        if any(all(each.least == 0 for each in pieces) for pieces in group.alternatives):
            raise self.fail("a repeated group can be empty", start)
        fixed = len(group.alternatives) == 1 and all(
            each.least == each.most for each in group.alternatives[0]
        )
        if not fixed and (most is None or most > FEW_TIMES):
            raise self.fail(
                "a group that repeats without end holds an alternative or a quantifier; "
                f"repeat it at most {FEW_TIMES} times or give it one length",
                start,
            )

    def atom(self, *, inside: bool) -> Characters | Anchor | Group:
        character = self.take()
        if character == "(":
            return self.group(inside=inside)
        if character == "[":
            return self.members()
        if character == "\\":
            return self.escaped()
        if character in "^$":
            if inside:
                raise self.fail("an anchor cannot stand in a group", self.at - 1)
            return Anchor(character == "$")
        if character == ".":
            return Characters(((10, 10),), negated=True)
        if character in "*+?{":
            raise self.fail(f"'{character}' repeats nothing; write '\\{character}'", self.at - 1)
        if character in "]}":
            raise self.fail(f"'{character}' closes nothing; write '\\{character}'", self.at - 1)
        return Characters(((ord(character), ord(character)),))

    def group(self, *, inside: bool) -> Group:
        start = self.at - 1
        if inside:
            raise self.fail("a group stands in a group", start)
        captures = True
        if self.here() == "?":
            if self.text[self.at : self.at + 2] != "?:":
                raise self.fail(
                    "only '(...)' and '(?:...)' are groups; no names, flags and lookaround", start
                )
            self.at += 2
            captures = False
        self.groups += captures
        alternatives = self.alternatives(inside=True)
        if self.here() != ")":
            raise self.fail("the group is never closed", start)
        self.take()
        return Group(alternatives, captures)

    def escaped(self) -> Characters:
        name = self.here()
        if not name:
            raise self.fail("a '\\' at the end escapes nothing")
        self.take()
        if name.lower() in _CLASSES:
            return Characters(_CLASSES[name.lower()], negated=name.isupper())
        return Characters((self.escaped_range(name),))

    def escaped_range(self, name: str) -> tuple[int, int]:
        if name in _CONTROLS:
            return _CONTROLS[name], _CONTROLS[name]
        if name.isascii() and not name.isalnum():
            return ord(name), ord(name)
        raise self.fail(
            f"'\\{name}' is not in the common subset: \\d \\w \\s \\n \\t \\r and escaped "
            "punctuation are, backreferences, \\b and \\p{..} are not",
            self.at - 2,
        )

    def members(self) -> Characters:
        start = self.at - 1
        negated = self.here() == "^"
        self.at += negated
        found: list[tuple[int, int]] = []
        while self.here() != "]":
            if not self.here():
                raise self.fail("the class is never closed", start)
            found += self.member()
        self.take()
        if not found:
            raise self.fail("the class is empty; write '[\\]]' for the character", start)
        return Characters(tuple(found), negated)

    def member(self) -> Ranges:
        place = self.at
        first = self.member_end()
        if len(first) > 1 or self.text[self.at : self.at + 1] != "-":
            return first
        if self.text[self.at + 1 : self.at + 2] in {"]", ""}:
            return first
        self.take()
        last = self.member_end()
        if len(last) > 1 or first[0][0] != first[0][1] or last[0][1] < first[0][0]:
            raise self.fail("the range does not rise", place)
        return ((first[0][0], last[0][1]),)

    def member_end(self) -> Ranges:
        character = self.take()
        if character in {"[", "&", "~"} or (character == "-" and self.here() == "-"):
            raise self.fail(f"write '\\{character}' in a class", self.at - 1)
        if character != "\\":
            return ((ord(character), ord(character)),)
        name = self.take() if self.here() else ""
        if name in _CLASSES:
            return _CLASSES[name]
        return (self.escaped_range(name),)
