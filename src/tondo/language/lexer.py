"""Text to tokens: names, numbers, strings, operators, each with its place in the text."""

from __future__ import annotations

import re

import msgspec

from tondo.core.errors import DefinitionError

MOST_CHARACTERS = 20_000
"""Longer texts are refused: no expression that a person writes is this long."""

_PATTERN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*)
  | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<string>'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")+")
  | (?P<operator><=|>=|<>|!=|\|\||[-+*/%=<>(),@.\[\]])
    """,
    re.VERBOSE,
)


_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character: no engine can hold it."""


class Token(msgspec.Struct, frozen=True):
    """One token; `text` is unquoted for strings and quoted names, lower case never forced."""

    kind: str
    """space, number, name, string, quoted, operator or end."""
    text: str
    start: int
    end: int

    def word(self) -> str:
        """Return the keyword that this token may be: lower case, empty unless a bare name."""
        return self.text.lower() if self.kind == "name" else ""


def caret_line(text: str, start: int, end: int) -> str:
    """Return the line of `text` around `start` with carets under the span.

    >>> print(caret_line("a + * b", 4, 5))
    a + * b
        ^
    """
    begin = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", start)
    line = text[begin : len(text) if stop < 0 else stop]
    width = max(1, min(end, begin + len(line)) - start)
    return f"{line}\n{' ' * (start - begin)}{'^' * width}"


def syntax_error(
    text: str, span: tuple[int, int], what: str, *, expected: str = ""
) -> DefinitionError:
    """Build TD-LANG-001 with a caret line under the place."""
    return DefinitionError(
        "TD-LANG-001",
        what,
        expected=expected,
        fix="At:\n" + caret_line(text, *span),
        text=text,
        position=span[0],
    )


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of `text`, the last of kind `end`; TD-LANG-001 on a stray character.

    >>> [token.text for token in tokens_of("a<=1.5 || 'it''s'")]
    ['a', '<=', '1.5', '||', "it's", '']
    """
    if len(text) > MOST_CHARACTERS:
        raise DefinitionError(
            "TD-LANG-013",
            f"the expression has {len(text)} characters",
            expected=f"at most {MOST_CHARACTERS}",
            fix="Split it into several features.",
        )
    lone = _SURROGATE.search(text)
    if lone:
        raise _stray(text, lone.start())
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise _stray(text, position)
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(Token(kind, _plain(kind, match[0]), position, match.end()))
        position = match.end()
    found.append(Token("end", "", len(text), len(text)))
    return found


def _plain(kind: str, text: str) -> str:
    if kind == "string":
        return text[1:-1].replace("''", "'")
    if kind == "quoted":
        return text[1:-1].replace('""', '"')
    return text


def _stray(text: str, position: int) -> DefinitionError:
    character = text[position]
    if character in "'\"":
        what = f"the quote {character} is never closed"
    else:
        what = f"the character {character!r} has no meaning here"
    return syntax_error(text, (position, position + 1), what)
