"""What operators stand between: constants, lists, columns, view features, `case` and calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from tondo.core.columns import DATE, DOUBLE, SCALARS, STRING, TIMESTAMP
from tondo.core.errors import DefinitionError, near
from tondo.language.cursor import Cursor
from tondo.language.fitted import FITTED, FittedFunction, positional
from tondo.language.functions import FUNCTIONS
from tondo.language.functions.casts import CAST_TYPES
from tondo.language.lexer import Token, caret_line, syntax_error
from tondo.language.tree import MOST_DEPTH, Call, Column, Fitted, Literal, Node, ViewFeature
from tondo.language.values import days_of_text, micros_of_text
from tondo.language.windows import WINDOW_FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_NESTED = 40
"""Parentheses and calls within each other; each costs the parser a dozen frames of the stack."""

_RESERVED = frozenset(
    [
        "and",
        "or",
        "not",
        "in",
        "between",
        "like",
        "is",
        "null",
        "true",
        "false",
        "distinct",
        "from",
        "case",
        "when",
        "then",
        "else",
        "end",
        "over",
        "as",
        "escape",
    ]
)


class Operands(Cursor, ABC):
    """Reads one operand; what stands in its parentheses is the grammar's again."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0

    @abstractmethod
    def expression(self) -> Node:
        """Return the tree of the expression that begins here."""

    @abstractmethod
    def signed(self) -> Node:
        """Return an operand with the signs before it."""

    def primary(self) -> Node:
        """Return an operand without signs."""
        token = self.here
        start = token.start
        if token.kind in _LEAVES:
            self.advance()
            return self.mark(_LEAVES[token.kind](token.text), start)
        if self.accept("("):
            node = self.expression()
            self.expect(")")
            return node
        if self.accept("["):
            return self.mark(self._list(start), start)
        if self.accept("@"):
            return self.mark(self._view_feature(), start)
        if token.kind == "name":
            return self.mark(self._named(), start)
        raise self.unexpected("a value, a column, a function or '('")

    def _list(self, start: int) -> Literal:
        """Return a list of constants of one type; numbers make a list of doubles."""
        items: list[Node] = []
        if not self.accept("]"):
            items.append(self.nested(self.signed))
            while self.accept(","):
                items.append(self.nested(self.signed))
            self.expect("]")
        values = [each.value for each in items if isinstance(each, Literal)]
        types = {_item_type(each) for each in items} - {""}
        if not types <= set(SCALARS) or len(types) != 1 or len(values) != len(items):
            span = (start, self.tokens[self.position - 1].end)
            what = "a list in the text holds constants of one type, at least one that is no null"
            raise syntax_error(self.text, span, what, expected="such as ['a', 'b'] or [1, 2.5]")
        type_ = types.pop()
        if type_ == DOUBLE:
            values = [None if each is None else float(each) for each in values]  # type: ignore[arg-type]
        return Literal(tuple(values), f"list<{type_}>")  # type: ignore[arg-type]

    def _view_feature(self) -> ViewFeature:
        view = self.name("the name of a feature view")
        self.expect(".")
        feature = self.name("the name of a feature")
        key = None
        by: Node | None = None
        if self.accept("["):
            start = self.here.start
            by = self.expression()
            key = self.text[start : self.tokens[self.position - 1].end]
            self.expect("]")
        if isinstance(by, Column):
            key, by = by.name, None
        return ViewFeature(view, feature, key, by=by)

    def _named(self) -> Node:
        word = self.here.word()
        if word in {"null", "true", "false"}:
            self.advance()
            return Literal(None) if word == "null" else Literal(word == "true", "bool")
        if word == "case":
            return self._case()
        if word in _RESERVED and word != "not":
            raise self.unexpected("a value, a column, a function or '('")
        following = self.tokens[self.position + 1]
        if word in {"timestamp", "date"} and following.kind == "string":
            return self._instant(word)
        if following.kind == "operator" and following.text == "(":
            return self._call()
        if word == "not":
            raise self.unexpected("a value; put '(not ...)' in parentheses")
        return Column(self.advance().text)

    def _instant(self, word: str) -> Literal:
        self.advance()
        token = self.advance()
        read = micros_of_text if word == "timestamp" else days_of_text
        value = read(token.text)
        if value is None:
            raise syntax_error(
                self.text,
                (token.start, token.end),
                f"'{token.text}' is not a {word}",
                expected="2013-04-01" + (" 06:30:00, in UTC" if word == "timestamp" else ""),
            )
        return Literal(value, TIMESTAMP if word == "timestamp" else DATE)

    def _case(self) -> Call:
        self.advance()
        subject = None if self.here.word() == "when" else self.expression()
        parts: list[Node] = []
        self.expect("when")
        while True:
            condition = self.expression()
            if subject is not None:
                condition = Call("equal", (subject, condition))
            self.expect("then")
            parts += [condition, self.expression()]
            if self.expect("when", "else", "end").word() != "when":
                break
        if self.tokens[self.position - 1].word() == "else":
            parts.append(self.expression())
            self.expect("end")
        return Call("case", tuple(parts))

    def _call(self) -> Node:
        token = self.advance()
        name = token.text.lower()
        if name == "cast":
            return self._cast()
        self.expect("(")
        if name in FITTED:
            return self._fitted(name, token)
        arguments: list[Node] = []
        if not self.accept(")"):
            arguments.append(self.expression())
            while self.accept(","):
                arguments.append(self.expression())
            self.expect(")")
        if name not in FUNCTIONS or FUNCTIONS[name].operator:
            raise self._unknown_function(token)
        return Call(name, tuple(arguments))

    def _fitted(self, name: str, token: Token) -> Fitted:
        """Return a fitted call: one argument, then options by place or as `name = value`."""
        row = FITTED[name]
        names = [each.name for each in row.options]
        options: dict[str, float | str] = {}
        by_name = False
        argument = None if self.here.text == ")" else self.expression()
        while argument is not None and self.accept(","):
            here, following = self.here, self.tokens[self.position + 1]
            by_name = by_name or (here.kind == "name" and following.text == "=")
            option = here.text.lower() if by_name else "".join(names[len(options) :][:1])
            if by_name:
                self.advance()
                self.expect("=")
            if option not in names or option in options:
                raise self._option(name, here, row)
            options[option] = self._constant()
        self.expect(")")
        missing = [each.name for each in row.options if each.default is None]
        if argument is None or any(each not in options for each in missing):
            raise self._option(name, token, row)
        return Fitted(name, argument, positional(name, options))

    def _constant(self) -> float | str:
        token = self.here
        node = self.nested(self.signed)
        if isinstance(node, Literal) and isinstance(node.value, int | float | str):
            return node.value if isinstance(node.value, str) else float(node.value)
        raise syntax_error(
            self.text, (token.start, token.end), "an option is a constant", expected="a number"
        )

    def _option(self, name: str, token: Token, row: FittedFunction) -> DefinitionError:
        names = [each.name for each in row.options]
        fix = near(token.text, names) if token.kind == "name" and token.text.lower() != name else ""
        return syntax_error(
            self.text,
            (token.start, token.end),
            f"'{name}' is not given what it takes",
            expected=" ".join(each for each in (row.usage, fix) if each),
        )

    def _unknown_function(self, token: Token) -> DefinitionError:
        callable_names = [each for each, row in FUNCTIONS.items() if not row.operator]
        what = f"there is no function '{token.text}'"
        if token.text.lower() in WINDOW_FUNCTIONS:
            what += " on a row; it is a window function and stands in a feature view"
        return DefinitionError(
            "TD-LANG-002",
            what,
            fix=near(token.text.lower(), [*callable_names, *FITTED, "cast"])
            + "\nAt:\n"
            + caret_line(self.text, token.start, token.end),
            function=token.text,
            position=token.start,
        )

    def _cast(self) -> Call:
        self.expect("(")
        argument = self.expression()
        self.expect("as")
        token = self.here
        wanted = self.name("a type").lower()
        if wanted not in CAST_TYPES:
            raise syntax_error(
                self.text,
                (token.start, token.end),
                f"nothing can be cast to '{token.text}'",
                expected="double, id, bool, string, date or timestamp",
            )
        self.expect(")")
        return Call(CAST_TYPES[wanted], (argument,))

    def nested(self, operand: Callable[[], Node]) -> Node:
        """Return what is read one level deeper; the stack of the parser has an end."""
        self.depth += 1
        if self.depth > MOST_NESTED:
            raise self.too_deep()
        node = operand()
        self.depth -= 1
        return node

    def too_deep(self) -> DefinitionError:
        """Return the error that parentheses, calls or the tree nest too deeply."""
        return DefinitionError(
            "TD-LANG-013",
            "the expression is nested too deeply",
            expected=f"at most {MOST_NESTED} nested parentheses and {MOST_DEPTH} levels",
            fix="Use `in (...)` for a long chain of `or`, or split it into several features.",
        )


def _number(text: str) -> Literal:
    """Return a whole number as int (the checker makes it a double or an id), else a double."""
    return Literal(int(text)) if text.isdigit() else Literal(float(text))


_LEAVES: dict[str, Callable[[str], Node]] = {
    "number": _number,
    "string": lambda text: Literal(text, STRING),
    "quoted": Column,
}


def _item_type(node: Node) -> str:
    if not isinstance(node, Literal) or node.value is None:
        return ""
    number = type(node.value) in {int, float} and not node.type
    return DOUBLE if number else node.type
