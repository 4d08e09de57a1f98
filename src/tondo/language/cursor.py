"""Where the parser stands: the next token, what it may be, and the spans of what was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tondo.language.lexer import Token, syntax_error, tokens_of
from tondo.language.tree import Node

if TYPE_CHECKING:
    from tondo.core.errors import DefinitionError

N = TypeVar("N", bound=Node)


class Cursor:
    """A place among the tokens of one text."""

    def __init__(self, text: str) -> None:
        self.text = str(text)  # an F too is plain text from here on
        self.tokens = tokens_of(self.text)
        self.position = 0
        self.spans: list[tuple[Node, int, int]] = []

    @property
    def here(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.position]

    def advance(self) -> Token:
        """Take the next token."""
        token = self.here
        self.position += 1
        return token

    def accept(self, *texts: str) -> Token | None:
        """Take the next token if it is one of the operators or keywords, else None."""
        token = self.here
        spelled = token.text if token.kind == "operator" else token.word()
        return self.advance() if spelled and spelled in texts else None

    def expect(self, *texts: str) -> Token:
        """Take the next token, which must be one of the operators or keywords."""
        token = self.accept(*texts)
        if token is None:
            raise self.unexpected(" or ".join(f"'{each}'" for each in texts))
        return token

    def unexpected(self, expected: str) -> DefinitionError:
        """Return the error that the next token is not what was expected."""
        token = self.here
        span = (token.start, token.end)
        if token.kind == "end":
            return syntax_error(self.text, span, "the expression ends too early", expected=expected)
        return syntax_error(self.text, span, f"'{token.text}' cannot stand here", expected=expected)

    def mark(self, node: N, start: int) -> N:
        """Return the node, and keep the span of text from `start` that it came from."""
        self.spans.append((node, start, self.tokens[self.position - 1].end))
        return node

    def name(self, what: str) -> str:
        """Take a name, bare or quoted; `what` says what it should name."""
        if self.here.kind not in {"name", "quoted"}:
            raise self.unexpected(what)
        return self.advance().text
