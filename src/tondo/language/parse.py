"""Expression text to unchecked trees; errors carry a caret line under the place."""

from __future__ import annotations

import re

from tondo.core.durations import parse_duration_us
from tondo.core.errors import near
from tondo.language.grammar import Parser
from tondo.language.lexer import syntax_error
from tondo.language.tree import Node, WindowCall
from tondo.language.windows import WINDOW_FUNCTIONS

_SCALE = re.compile(r"\bscale\s*=\s*(\d{1,2})\s*$")


def parse(text: str) -> Node:
    """Return the unchecked tree of one scalar expression; TD-LANG-001 shows the place.

    >>> parse("a + 1").function
    'add'
    """
    return Parser(text).whole()


def spans_of(text: str) -> list[tuple[Node, int, int]]:
    """Return every node of the parsed `text` with the span of text it came from."""
    parser = Parser(text)
    parser.whole()
    return parser.spans


def parse_window(text: str) -> WindowCall:
    """Return the unchecked window call of `avg(x) over 3h`, optionally with `scale=30` after it.

    >>> parse_window("count(*) over 7d").window_us
    604800000000
    """
    scale = _SCALE.search(text)
    parser = Parser(text[: scale.start()] if scale else text)
    token = parser.here
    name = parser.name("a window function").lower()
    if name not in WINDOW_FUNCTIONS:
        raise syntax_error(
            text,
            (token.start, token.end),
            f"'{token.text}' is not a window function",
            expected="for example avg(arr_delay) over 3h. " + near(name, WINDOW_FUNCTIONS),
        )
    parser.expect("(")
    argument = None if name == "count" and parser.accept("*") else parser.expression()
    parser.expect(")")
    parser.expect("over")
    duration = parser.text[parser.here.start :].strip()
    return WindowCall(name, argument, parse_duration_us(duration), int(scale[1]) if scale else 20)
