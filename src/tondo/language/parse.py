"""Expression text to unchecked trees; errors carry a caret line under the place."""

from __future__ import annotations

import re

from tondo.core.durations import parse_duration_us
from tondo.core.errors import near
from tondo.language.grammar import Parser
from tondo.language.lexer import syntax_error
from tondo.language.tree import Literal, Node, WindowCall
from tondo.language.windows import MOST_KEPT, WINDOW_FUNCTIONS

_SCALE = re.compile(r"\bscale\s*=\s*(\d{1,2})\s*$")
_TILES = re.compile(r"(.*?)\btiles\b(.*)", re.IGNORECASE | re.DOTALL)


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
    """Return the unchecked window call of `avg(x) over 7d`.

    `tiles 1h` and `scale=30` may follow, in this order.

    >>> parse_window("count(*) over 7d").window_us
    604800000000
    >>> parse_window("last_k(x, 3) over 7d tiles 1h").tile_us
    3600000000
    """
    text = str(text)
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
    most, divisor = _second_argument(parser, name)
    parser.expect(")")
    parser.expect("over")
    duration, tile_us = parser.text[parser.here.start :].strip(), None
    tiled = _TILES.fullmatch(duration)
    if tiled:
        duration, tile_us = tiled[1], parse_duration_us(tiled[2])
    return WindowCall(
        name,
        argument,
        parse_duration_us(duration),
        int(scale[1]) if scale else 20,
        tile_us=tile_us,
        divisor=divisor,
        most=most,
    )


def _second_argument(parser: Parser, name: str) -> tuple[int | None, Node | None]:
    """Return the k of last_k and the divisor of ratio; no other function has two arguments."""
    if name == "ratio":
        parser.expect(",")
        return None, parser.expression()
    if name != "last_k":
        return None, None
    parser.expect(",")
    token = parser.here
    node = parser.expression()
    value = node.value if isinstance(node, Literal) else None
    if type(value) is int and 1 <= value <= MOST_KEPT:
        return value, None
    raise syntax_error(
        parser.text,
        (token.start, token.end),
        "last_k cannot keep this many values",
        expected=f"a whole number from 1 to {MOST_KEPT}, for example last_k(x, 5) over 7d",
    )
