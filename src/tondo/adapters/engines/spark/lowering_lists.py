"""Lists in Spark. No list holds NaN: columns are read so, and no function makes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.engines.spark.lowering_emitter import (
    NULL_DOUBLE,
    Emitter,
    Lowering,
    called,
    chosen,
    constant_of,
    string_sql,
    type_sql,
)
from tondo.adapters.engines.spark.lowering_text import whole_place
from tondo.core.columns import item_type
from tondo.language.functions.lists import WHITE_SPACE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.language.tree import Call

_NONE = "CAST(array() AS ARRAY<STRING>)"


def _folded(emitter: Emitter, items: str, of: str, step: Callable[[str, str], str]) -> str:
    """Return the SQL of the values taken from left to right, null where there is none."""
    kept, each = emitter.variable(), emitter.variable()
    body = chosen(called("isnull", each), kept, called("isnull", kept), each, step(kept, each))
    return f"aggregate({items}, CAST(NULL AS {of}), ({kept}, {each}) -> {body})"


def _total(emitter: Emitter, items: str) -> str:
    return _folded(emitter, items, "DOUBLE", lambda kept, each: called("+", kept, each))


def _sum(emitter: Emitter, call: Call) -> str:
    return _total(emitter, emitter.plain(call.arguments[0]))


def _mean(emitter: Emitter, call: Call) -> str:
    def body(items: str) -> str:
        number = f"CAST(array_size({_present(emitter, items)}) AS DOUBLE)"
        return called("/", _total(emitter, items), called("greatest", number, "1.0D"))

    return emitter.shared(emitter.plain(call.arguments[0]), body)


def _extreme(sign: str) -> Lowering:
    # Of equals the first: 0.0 or -0.0.
    def sql(emitter: Emitter, call: Call) -> str:
        return _folded(
            emitter,
            emitter.plain(call.arguments[0]),
            type_sql(call.type),
            lambda kept, each: chosen(called(sign, each, kept), each, kept),
        )

    return Lowering(sql)


def _filtered(emitter: Emitter, items: str, test: Callable[[str], str]) -> str:
    each = emitter.variable()
    return f"filter({items}, {each} -> {test(each)})"


def _present(emitter: Emitter, items: str) -> str:
    return _filtered(emitter, items, lambda each: called("isnotnull", each))


def _count(emitter: Emitter, call: Call) -> str:
    items, sought = map(emitter.plain, call.arguments)

    def body(one: str) -> str:
        found = _filtered(emitter, items, lambda each: called("=", each, one))
        return chosen(called("isnull", one), "NULL", f"CAST(array_size({found}) AS DOUBLE)")

    return emitter.shared(sought, body)


def _unique(emitter: Emitter, call: Call) -> str:
    each, place = emitter.variable(), emitter.variable()

    def body(items: str) -> str:
        first = called("=", f"array_position({items}, {each})", called("+", place, "1"))
        return (
            f"filter({items}, ({each}, {place}) ->"
            f" {called('and', called('isnotnull', each), first)})"
        )

    return emitter.shared(emitter.plain(call.arguments[0]), body)


def _item(emitter: Emitter, call: Call) -> str:
    items, number = map(emitter.plain, call.arguments)
    place = emitter.shared(number, whole_place)
    return emitter.shared(
        place,
        lambda n: chosen(called(">=", n, "1"), called("get", items, called("-", n, "1")), "NULL"),
    )


def _tokens(emitter: Emitter, call: Call) -> str:
    separators = constant_of(call.arguments[1]) if len(call.arguments) > 1 else WHITE_SPACE
    text = emitter.plain(call.arguments[0])
    members = "".join(f"\\x{{{ord(each):x}}}" for each in str(separators))
    return called("regexp_extract_all", text, string_sql(f"[^{members}]+"), "0")


def _ngrams(emitter: Emitter, call: Call) -> str:
    size = int(str(constant_of(call.arguments[1])).partition(".")[0])
    joint = constant_of(call.arguments[2]) if len(call.arguments) > 2 else " "
    between = string_sql(str(joint))
    subject = emitter.plain(call.arguments[0])
    of_text = call.arguments[0].type == "string"

    def one(words: str, at: str) -> str:
        if of_text:
            return called("substr", words, at, f"{size}")
        return called("array_join", called("slice", words, at, f"{size}"), between)

    def body(words: str) -> str:
        last = called("-", called("length" if of_text else "array_size", words), f"{size - 1}")
        starts = called("sequence", "1", called("greatest", last, "1"))
        found = emitter.mapped(starts, lambda at: one(words, at))
        unknown = called("isnull", words)
        return chosen(unknown, "NULL", called("<", last, "1"), _NONE, found)

    return emitter.shared(subject if of_text else _present(emitter, subject), body)


def _lookup(emitter: Emitter, call: Call) -> str:
    subject, keys, values, *last = map(emitter.plain, call.arguments)
    otherwise = last[0] if last else NULL_DOUBLE

    def body(x: str) -> str:
        place = called("array_position", keys, x)
        value = called("get", values, called("-", place, "1L"))
        return chosen(called("isnull", x), "NULL", called("coalesce", value, otherwise))

    listed = item_type(call.arguments[0].type) is not None
    return emitter.mapped(subject, body) if listed else emitter.shared(subject, body)


def _term_weights(emitter: Emitter, call: Call) -> str:
    subject, terms, weights = map(emitter.plain, call.arguments)

    def body(items: str) -> str:
        term, place = emitter.variable(), emitter.variable()
        found = _filtered(emitter, items, lambda each: called("=", each, term))
        number = f"CAST(array_size({found}) AS DOUBLE)"
        weighed = called("*", number, called("get", weights, place))
        counted = f"transform({terms}, ({term}, {place}) -> {weighed})"
        return chosen(called("isnull", items), "NULL", counted)

    return emitter.shared(subject, body)


LOWERINGS: dict[str, Lowering] = {
    "lookup": Lowering(_lookup),
    "term_weights": Lowering(_term_weights),
    "tokens": Lowering(_tokens),
    "ngrams": Lowering(_ngrams),
    "unique": Lowering(_unique),
    "item": Lowering(_item),
    "count": Lowering(_count),
    "sum": Lowering(_sum, makes_nan=True),
    "mean": Lowering(_mean, makes_nan=True),
    "min": _extreme("<"),
    "max": _extreme(">"),
}
"""Function name to its lowering."""
