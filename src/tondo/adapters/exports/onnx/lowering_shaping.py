"""Places among constants, and texts compared with constants, in ONNX."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from tondo.adapters.exports.onnx.forms import Doubles, Form, Texts, Truths, Wholes, is_null
from tondo.adapters.exports.onnx.lowerer import Refused, constant_of, text_of
from tondo.adapters.exports.onnx.writer import FLOAT64, ML, STRING
from tondo.core.columns import item_type
from tondo.language.functions.patterns import re2_pattern, read_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tondo.adapters.exports.onnx.lowerer import Lowerer, Lowering
    from tondo.language.tree import Call, Node


def _beside(lowerer: Lowerer, x: Form, keys: Sequence[Any], values: Sequence[float]) -> str:
    """Return the number beside x among the keys, the first of equals; the last where absent.

    `values` has one number more than there are keys.
    """
    writer = lowerer.writer
    if isinstance(x, Truths):
        by_key = dict(zip(reversed(keys), reversed(values[:-1]), strict=True))
        found = [writer.double(by_key.get(each, values[-1])) for each in (True, False)]
        return writer.where(x.yes, *found)
    first = {key: place for place, key in reversed(list(enumerate(keys)))}
    kinds: dict[type[Form], Any] = {Texts: object, Wholes: np.int64, Doubles: np.float64}
    place = writer.add(
        "LabelEncoder",
        x.data,
        domain=ML,
        keys_tensor=np.array(list(first), dtype=kinds[type(x)]),
        values_tensor=np.array(list(first.values()), dtype=np.int64),
        default_tensor=np.array([len(keys)], dtype=np.int64),
    )
    return writer.add("Gather", writer.array(np.array(values, dtype=np.float64)), place, axis=0)


def _where_known(lowerer: Lowerer, x: Form, found: str) -> Form:
    null = is_null(lowerer.writer, x)
    return Doubles(lowerer.writer.where(null, lowerer.null_double(), found))


def _position_in(lowerer: Lowerer, call: Call) -> Form:
    x = lowerer.form(call.arguments[0])
    keys = [constant_of(each) for each in call.arguments[1:]]
    known = [place for place, key in enumerate(keys) if key is not None]
    places = [float(place + 1) for place in known]
    found = _beside(lowerer, x, [keys[place] for place in known], [*places, 0.0])
    return _where_known(lowerer, x, found)


def _lookup(lowerer: Lowerer, call: Call) -> Form:
    subject, *constants = call.arguments
    if item_type(subject.type) is not None:
        lowerer.form(subject)
        raise Refused("lookup of a list: ONNX has no lists with nulls")
    keys, values, *last = map(constant_of, constants)
    assert isinstance(keys, list)
    assert isinstance(values, list)
    default = float(str(last[0])) if last and last[0] is not None else math.nan
    x = lowerer.form(subject)
    numbers = [*(math.nan if each is None else each for each in values), default]
    return _where_known(lowerer, x, _beside(lowerer, x, keys, numbers))


def _matches(lowerer: Lowerer, subject: Node, pattern: str) -> Form:
    """Return whether the whole text matches a pattern of RE2."""
    writer, x = lowerer.writer, lowerer.texts(subject)
    found = writer.add("RegexFullMatch", x.data, pattern=pattern)
    known = writer.add("Not", x.null)
    return Truths(writer.both(known, found), writer.both(known, writer.add("Not", found)))


_ANY = "(?s:.*)"
_ONE = "(?s:.)"


def _like(lowerer: Lowerer, call: Call) -> Form:
    parts = re.split("([%_])", text_of(call.arguments[1], "like"))
    spelled = {"%": _ANY, "_": _ONE}
    pattern = "".join(spelled.get(each) or _literally(each) for each in parts)
    return _matches(lowerer, call.arguments[0], pattern)


def _literally(text: str) -> str:
    """Return the pattern of a text, each character that is no letter as its code point."""
    return "".join(
        each if each.isascii() and each.isalnum() else f"\\x{{{ord(each):x}}}" for each in text
    )


def _affix(name: str, body: Callable[[str], str]) -> Lowering:
    def lowered(lowerer: Lowerer, call: Call) -> Form:
        if item_type(call.arguments[0].type) is not None:
            lowerer.form(call.arguments[0])
            raise Refused(f"{name} of a list: ONNX has no lists with nulls")
        text = _literally(text_of(call.arguments[1], name))
        return _matches(lowerer, call.arguments[0], body(text))

    return lowered


def _regexp_matches(lowerer: Lowerer, call: Call) -> Form:
    pattern = re2_pattern(read_pattern(text_of(call.arguments[1], "regexp_matches")))
    return _matches(lowerer, call.arguments[0], f"{_ANY}(?:{pattern}){_ANY}")


def _concat(lowerer: Lowerer, call: Call) -> Form:
    if item_type(call.type) is not None:
        raise Refused("concat of lists: ONNX has no lists with nulls")
    writer = lowerer.writer
    found, *others = map(lowerer.texts, call.arguments)
    for each in others:
        joined = writer.add("StringConcat", found.data, each.data)
        found = Texts(joined, writer.either(found.null, each.null))
    return found


def _cast_double(lowerer: Lowerer, call: Call) -> Form:
    writer, x = lowerer.writer, lowerer.form(call.arguments[0])
    if isinstance(x, Texts):
        raise Refused("cast of text to double: ONNX reads other texts as numbers")
    if isinstance(x, Doubles):
        return x
    if isinstance(x, Truths):
        return _where_known(lowerer, x, writer.cast(x.yes, FLOAT64))
    return _where_known(lowerer, x, writer.cast(x.data, FLOAT64))


def _cast_string(lowerer: Lowerer, call: Call) -> Form:
    writer, x = lowerer.writer, lowerer.form(call.arguments[0])
    if isinstance(x, Truths):
        data = writer.where(x.yes, writer.text("true"), writer.text("false"))
        return Texts(data, is_null(writer, x))
    if isinstance(x, Wholes):
        return Texts(writer.cast(x.data, STRING), x.null)
    return x


def _same(lowerer: Lowerer, call: Call) -> Form:
    x = lowerer.form(call.arguments[0])
    if isinstance(x, Texts):
        raise Refused(f"cast of text to {call.type}: ONNX does not read texts so")
    return x


LOWERINGS: dict[str, Lowering] = {
    "position_in": _position_in,
    "lookup": _lookup,
    "like": _like,
    "starts_with": _affix("starts_with", lambda text: text + _ANY),
    "ends_with": _affix("ends_with", lambda text: _ANY + text),
    "contains": _affix("contains", lambda text: _ANY + text + _ANY),
    "regexp_matches": _regexp_matches,
    "concat": _concat,
    "cast_double": _cast_double,
    "cast_string": _cast_string,
    "cast_id": _same,
    "cast_bool": _same,
}
"""Function name to its lowering."""
