"""Arithmetic, comparison, three-valued logic and choice in ONNX."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from tondo.adapters.exports.onnx.forms import (
    Doubles,
    Form,
    Texts,
    Truths,
    Wholes,
    constant_form,
    is_null,
    select,
)
from tondo.adapters.exports.onnx.lowerer import Refused
from tondo.core.columns import item_type

if TYPE_CHECKING:
    from tondo.adapters.exports.onnx.lowerer import Lowerer, Lowering
    from tondo.adapters.exports.onnx.writer import GraphWriter
    from tondo.language.tree import Call


def _arithmetic(operator: str) -> Lowering:
    """Return the lowering where NaN comes out of arithmetic exactly where null does."""

    def lowered(lowerer: Lowerer, call: Call) -> Form:
        return Doubles(lowerer.writer.add(operator, *map(lowerer.doubles, call.arguments)))

    return lowered


def _divide(lowerer: Lowerer, call: Call) -> Form:
    writer = lowerer.writer
    x, y = map(lowerer.doubles, call.arguments)
    zero = writer.add("Equal", y, writer.double(0.0))
    return Doubles(writer.where(zero, lowerer.null_double(), writer.add("Div", x, y)))


def _mod(lowerer: Lowerer, call: Call) -> Form:
    x, y = map(lowerer.doubles, call.arguments)
    return Doubles(lowerer.writer.add("Mod", x, y, fmod=1))


def equal(writer: GraphWriter, x: Form, y: Form) -> Truths:
    """Return whether two values of one form are equal."""
    if isinstance(x, Truths) and isinstance(y, Truths):
        yes = writer.either(writer.both(x.yes, y.yes), writer.both(x.no, y.no))
        return Truths(yes, writer.either(writer.both(x.yes, y.no), writer.both(x.no, y.yes)))
    assert not isinstance(x, Truths)
    assert not isinstance(y, Truths)
    same = writer.add("Equal", x.data, y.data)
    return _known(writer, same, x, y)


def _known(writer: GraphWriter, holds: str, *operands: Form) -> Truths:
    """Return a truth value that is null where an operand is."""
    null = writer.either(*(is_null(writer, each) for each in operands))
    known = writer.add("Not", null)
    return Truths(writer.both(known, holds), writer.both(known, writer.add("Not", holds)))


def ordered(writer: GraphWriter, x: Form, y: Form, *, strictly: bool) -> Truths:
    """Return whether x is less than y, or not above it."""
    if isinstance(x, Texts):
        raise Refused("order of texts: ONNX compares texts for equality only")
    if isinstance(x, Truths):
        assert isinstance(y, Truths)
        below = writer.both(x.no, y.yes)
        holds = below if strictly else writer.either(x.no, y.yes)
        return _known(writer, holds, x, y)
    assert isinstance(y, Doubles | Wholes)
    operator = "Less" if strictly else "LessOrEqual"
    return _known(writer, writer.add(operator, x.data, y.data), x, y)


def _comparison(*, strictly: bool, swapped: bool) -> Lowering:
    def lowered(lowerer: Lowerer, call: Call) -> Form:
        x, y = map(lowerer.form, call.arguments)
        if swapped:
            x, y = y, x
        return ordered(lowerer.writer, x, y, strictly=strictly)

    return lowered


def _equal(lowerer: Lowerer, call: Call) -> Form:
    x, y = map(lowerer.form, call.arguments)
    return equal(lowerer.writer, x, y)


def _swapped(truths: Truths) -> Truths:
    return Truths(truths.no, truths.yes)


def _not_equal(lowerer: Lowerer, call: Call) -> Form:
    x, y = map(lowerer.form, call.arguments)
    return _swapped(equal(lowerer.writer, x, y))


def _and(writer: GraphWriter, x: Truths, y: Truths) -> Truths:
    return Truths(writer.both(x.yes, y.yes), writer.either(x.no, y.no))


def _or(writer: GraphWriter, x: Truths, y: Truths) -> Truths:
    return Truths(writer.either(x.yes, y.yes), writer.both(x.no, y.no))


def _both(lowerer: Lowerer, call: Call) -> Form:
    x, y = map(lowerer.truths, call.arguments)
    return _and(lowerer.writer, x, y)


def _either(lowerer: Lowerer, call: Call) -> Form:
    x, y = map(lowerer.truths, call.arguments)
    return _or(lowerer.writer, x, y)


def _not(lowerer: Lowerer, call: Call) -> Form:
    return _swapped(lowerer.truths(call.arguments[0]))


def _between(lowerer: Lowerer, call: Call) -> Form:
    writer = lowerer.writer
    x, low, high = map(lowerer.form, call.arguments)
    above = ordered(writer, low, x, strictly=False)
    return _and(writer, above, ordered(writer, x, high, strictly=False))


def _in(lowerer: Lowerer, call: Call) -> Form:
    writer = lowerer.writer
    x, *items = map(lowerer.form, call.arguments)
    return reduce(
        lambda found, each: _or(writer, found, equal(writer, x, each)),
        items[1:],
        equal(writer, x, items[0]),
    )


def _is_null(lowerer: Lowerer, call: Call) -> Form:
    null = is_null(lowerer.writer, lowerer.form(call.arguments[0]))
    return _never_null(lowerer.writer, null)


def _never_null(writer: GraphWriter, holds: str) -> Truths:
    return Truths(holds, writer.add("Not", holds))


def _is_true(lowerer: Lowerer, call: Call) -> Form:
    return _never_null(lowerer.writer, lowerer.truths(call.arguments[0]).yes)


def _is_false(lowerer: Lowerer, call: Call) -> Form:
    return _never_null(lowerer.writer, lowerer.truths(call.arguments[0]).no)


def _is_distinct(lowerer: Lowerer, call: Call) -> Form:
    writer = lowerer.writer
    x, y = map(lowerer.form, call.arguments)
    nulls = is_null(writer, x), is_null(writer, y)
    one_null = writer.add("Xor", *nulls)
    return _never_null(writer, writer.either(one_null, equal(writer, x, y).no))


def _case(lowerer: Lowerer, call: Call) -> Form:
    *parts, last = call.arguments
    otherwise = lowerer.form(last) if len(call.arguments) % 2 else _null(lowerer, call.type)
    pairs = parts if len(call.arguments) % 2 else list(call.arguments)
    found = otherwise
    for condition, value in reversed(list(zip(pairs[::2], pairs[1::2], strict=True))):
        chosen = lowerer.form(value)
        found = select(lowerer.writer, lowerer.truths(condition).yes, chosen, found)
    return found


def _null(lowerer: Lowerer, type_: str) -> Form:
    if item_type(type_) is not None:
        raise Refused(f"a {type_}: ONNX has no lists with nulls")
    return constant_form(lowerer.writer, None, type_)


def _coalesce(lowerer: Lowerer, call: Call) -> Form:
    writer = lowerer.writer
    forms = list(map(lowerer.form, call.arguments))
    found = forms[-1]
    for each in reversed(forms[:-1]):
        found = select(writer, is_null(writer, each), found, each)
    return found


def _nullif(lowerer: Lowerer, call: Call) -> Form:
    x, y = map(lowerer.form, call.arguments)
    same = equal(lowerer.writer, x, y).yes
    return select(lowerer.writer, same, _null(lowerer, call.type), x)


def _extreme(*, largest: bool) -> Lowering:
    def lowered(lowerer: Lowerer, call: Call) -> Form:
        writer = lowerer.writer

        def further(found: Form, each: Form) -> Form:
            pair = (found, each) if largest else (each, found)
            beyond = ordered(writer, *pair, strictly=True).yes
            present = writer.add("Not", is_null(writer, each))
            take = writer.either(writer.both(is_null(writer, found), present), beyond)
            return select(writer, take, each, found)

        return reduce(further, map(lowerer.form, call.arguments))

    return lowered


LOWERINGS: dict[str, Lowering] = {
    "add": _arithmetic("Add"),
    "subtract": _arithmetic("Sub"),
    "multiply": _arithmetic("Mul"),
    "divide": _divide,
    "mod": _mod,
    "negate": _arithmetic("Neg"),
    "equal": _equal,
    "not_equal": _not_equal,
    "less": _comparison(strictly=True, swapped=False),
    "less_equal": _comparison(strictly=False, swapped=False),
    "greater": _comparison(strictly=True, swapped=True),
    "greater_equal": _comparison(strictly=False, swapped=True),
    "and": _both,
    "or": _either,
    "not": _not,
    "between": _between,
    "in": _in,
    "is_null": _is_null,
    "is_true": _is_true,
    "is_false": _is_false,
    "is_distinct": _is_distinct,
    "case": _case,
    "coalesce": _coalesce,
    "nullif": _nullif,
    "greatest": _extreme(largest=True),
    "least": _extreme(largest=False),
}
"""Function name to its lowering."""
