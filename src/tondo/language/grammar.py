"""The grammar of operators; what stands between them is in operands.py.

Precedence, loosest first: or, and, not, comparison, ||, + -, * / %, minus. Comparison stands on
one level with in, between, like and is, and groups to the left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.columns import DOUBLE
from tondo.language.lexer import syntax_error
from tondo.language.operands import Operands
from tondo.language.tree import MOST_DEPTH, Call, Literal, Node, depth_of
from tondo.language.values import micros_of_interval

if TYPE_CHECKING:
    from collections.abc import Callable

_COMPARISONS = {
    "=": "equal",
    "<>": "not_equal",
    "!=": "not_equal",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
}
_SUMS = {"+": "add", "-": "subtract"}
_PRODUCTS = {"*": "multiply", "/": "divide", "%": "mod"}


class Parser(Operands):
    """One recursive descent over the tokens of one text."""

    def whole(self) -> Node:
        """Return the tree of the whole text."""
        node = self.expression()
        if self.here.kind != "end":
            raise self.unexpected("an operator or the end of the expression")
        if depth_of(node) > MOST_DEPTH:
            raise self.too_deep()
        return node

    def expression(self) -> Node:
        """Return the tree of the expression that begins here."""
        return self.nested(self._disjunction)

    def _left_chain(self, operators: dict[str, str], operand: Callable[[], Node]) -> Node:
        start = self.here.start
        node = operand()
        while token := self.accept(*operators):
            function = operators[token.word() or token.text]
            node = self.mark(Call(function, (node, operand())), start)
        return node

    def _disjunction(self) -> Node:
        return self._left_chain({"or": "or"}, self._conjunction)

    def _conjunction(self) -> Node:
        return self._left_chain({"and": "and"}, self._negation)

    def _negation(self) -> Node:
        start = self.here.start
        count = 0
        while self.accept("not"):
            count += 1
        node = self._comparison()
        for _ in range(count):
            node = self.mark(Call("not", (node,)), start)
        return node

    def _comparison(self) -> Node:
        start = self.here.start
        node = self._joined()
        while True:
            if token := self.accept(*_COMPARISONS):
                node = Call(_COMPARISONS[token.text], (node, self._joined()))
            elif self.accept("is"):
                node = self._is_test(node)
            elif self.here.word() in {"not", "in", "between", "like"}:
                node = self._range_test(node)
            else:
                return node
            self.mark(node, start)

    def _is_test(self, subject: Node) -> Node:
        negated = self.accept("not") is not None
        token = self.expect("null", "true", "false", "distinct")
        if token.word() == "distinct":
            self.expect("from")
            node = Call("is_distinct", (subject, self._joined()))
        else:
            node = Call(f"is_{token.word()}", (subject,))
        return Call("not", (node,)) if negated else node

    def _range_test(self, subject: Node) -> Node:
        negated = self.accept("not") is not None
        kind = self.expect("in", "between", "like").word()
        if kind == "in":
            node = Call("in", (subject, *self._listed()))
        elif kind == "between":
            low = self._joined()
            self.expect("and")
            node = Call("between", (subject, low, self._joined()))
        else:
            node = Call("like", (subject, self._joined()))
        return Call("not", (node,)) if negated else node

    def _listed(self) -> list[Node]:
        self.expect("(")
        items = [self.expression()]
        while self.accept(","):
            items.append(self.expression())
        self.expect(")")
        return items

    def _joined(self) -> Node:
        return self._left_chain({"||": "concat"}, self._sum)

    def _sum(self) -> Node:
        start = self.here.start
        node = self._product()
        while token := self.accept(*_SUMS):
            if self.here.word() == "interval" and self.tokens[self.position + 1].kind == "string":
                length = self._interval()
                moved = length if token.text == "+" else -length
                node = Call("add_interval", (node, Literal(moved, DOUBLE)))
            else:
                node = Call(_SUMS[token.text], (node, self._product()))
            self.mark(node, start)
        return node

    def _interval(self) -> float:
        """Return the microseconds of `interval '1 day 2 hours'`."""
        self.advance()
        token = self.advance()
        length = micros_of_interval(token.text)
        if length is None:
            raise syntax_error(
                self.text,
                (token.start, token.end),
                f"'{token.text}' is not an interval of fixed length",
                expected="such as 3 hours or 1 day 12 hours: seconds, minutes, hours, days, weeks."
                " Months and years go by date_add('month', 1, t, 'America/New_York')",
            )
        return length

    def _product(self) -> Node:
        return self._left_chain(_PRODUCTS, self.signed)

    def signed(self) -> Node:
        """Return an operand with the signs before it."""
        start = self.here.start
        signs = []
        while token := self.accept("-", "+"):
            signs.append(token.text)
        node = self.primary()
        for sign in reversed(signs):
            if sign == "-":
                node = self.mark(_negated(node), start)
        return node


def _negated(node: Node) -> Node:
    if isinstance(node, Literal) and type(node.value) in {int, float} and not node.type:
        value = node.value
        return Literal(-0.0 if value == 0 else -value)  # type: ignore[operator]
    return Call("negate", (node,))
