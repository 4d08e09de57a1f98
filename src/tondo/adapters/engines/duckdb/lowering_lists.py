"""Lists in DuckDB. No list holds NaN: columns are read so, and no function makes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.engines.duckdb.lowering_emitter import (
    Emitter,
    Lowering,
    constant_of,
    string_sql,
    type_sql,
)
from tondo.adapters.engines.duckdb.lowering_text import whole_sql
from tondo.core.columns import item_type
from tondo.language.functions.lists import WHITE_SPACE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.language.tree import Call


def _folded(emitter: Emitter, items: str, of: str, step: Callable[[str, str], str]) -> str:
    """Return the SQL of the values taken from left to right, null where there is none."""
    kept, each = emitter.variable(), emitter.variable()
    body = (
        f"CASE WHEN {each} IS NULL THEN {kept} WHEN {kept} IS NULL THEN {each}"
        f" ELSE {step(kept, each)} END"
    )
    return f"list_reduce({items}, lambda {kept}, {each}: {body}, CAST(NULL AS {of}))"


def _total(emitter: Emitter, items: str) -> str:
    # list_sum adds in the same order today, but does not say so.
    return _folded(emitter, items, "DOUBLE", lambda kept, each: f"{kept} + {each}")


def _sum(emitter: Emitter, call: Call) -> str:
    return _total(emitter, emitter.plain(call.arguments[0]))


def _mean(emitter: Emitter, call: Call) -> str:
    return emitter.shared(
        emitter.plain(call.arguments[0]),
        lambda items: f"({_total(emitter, items)} / list_count({items}))",
    )


def _extreme(sign: str) -> Lowering:
    # list_min and list_max give the last of equals: 0.0 or -0.0.
    def sql(emitter: Emitter, call: Call) -> str:
        return _folded(
            emitter,
            emitter.plain(call.arguments[0]),
            type_sql(call.type),
            lambda kept, each: f"CASE WHEN {each} {sign} {kept} THEN {each} ELSE {kept} END",
        )

    return Lowering(sql)


def _filtered(emitter: Emitter, items: str, test: Callable[[str], str]) -> str:
    each = emitter.variable()
    return f"list_filter({items}, lambda {each}: {test(each)})"


def _present(emitter: Emitter, items: str) -> str:
    return _filtered(emitter, items, lambda each: f"{each} IS NOT NULL")


def _count(emitter: Emitter, call: Call) -> str:
    items, sought = map(emitter.plain, call.arguments)

    def body(one: str) -> str:
        found = _filtered(emitter, items, lambda each: f"{each} = {one}")
        return f"CASE WHEN {one} IS NOT NULL THEN CAST(length({found}) AS DOUBLE) END"

    return emitter.shared(sought, body)


def _unique(emitter: Emitter, call: Call) -> str:
    each, place = emitter.variable(), emitter.variable()
    return emitter.shared(
        emitter.plain(call.arguments[0]),
        lambda items: (
            f"list_filter({items}, lambda {each}, {place}:"
            f" {each} IS NOT NULL AND list_position({items}, {each}) = {place})"
        ),
    )


def _item(emitter: Emitter, call: Call) -> str:
    items, number = map(emitter.plain, call.arguments)
    place = emitter.shared(number, whole_sql)
    return emitter.shared(
        place, lambda n: f"CASE WHEN {n} >= 1 THEN list_extract({items}, {n}) END"
    )


def _tokens(emitter: Emitter, call: Call) -> str:
    separators = constant_of(call.arguments[1]) if len(call.arguments) > 1 else WHITE_SPACE
    text = emitter.plain(call.arguments[0])
    members = "".join(f"\\x{{{ord(each):x}}}" for each in str(separators))
    return f"regexp_extract_all({text}, '[^{members}]+')"


def _ngrams(emitter: Emitter, call: Call) -> str:
    size = int(str(constant_of(call.arguments[1])).partition(".")[0])
    joint = constant_of(call.arguments[2]) if len(call.arguments) > 2 else " "
    between = string_sql(str(joint))
    subject = emitter.plain(call.arguments[0])
    of_text = call.arguments[0].type == "string"

    def body(words: str) -> str:
        starts = f"range(1, length({words}) - {size - 2})"
        if of_text:
            return emitter.mapped(starts, lambda at: f"substr({words}, {at}, {size})")
        return emitter.mapped(
            starts,
            lambda at: f"array_to_string({words}[{at}:{at} + {size - 1}], {between})",
        )

    return emitter.shared(subject if of_text else _present(emitter, subject), body)


def _lookup(emitter: Emitter, call: Call) -> str:
    subject, keys, values, *last = map(emitter.plain, call.arguments)
    found = last[0] if last else "CAST(NULL AS DOUBLE)"

    def body(x: str) -> str:
        value = f"list_extract({values}, list_position({keys}, {x}))"
        return f"CASE WHEN {x} IS NOT NULL THEN coalesce({value}, {found}) END"

    listed = item_type(call.arguments[0].type) is not None
    return emitter.mapped(subject, body) if listed else emitter.shared(subject, body)


def _term_weights(emitter: Emitter, call: Call) -> str:
    subject, terms, weights = map(emitter.plain, call.arguments)
    place = emitter.variable()

    def of_term(items: str, term: str) -> str:
        found = _filtered(emitter, items, lambda each: f"{each} = {term}")
        weight = f"list_extract({weights}, {place})"
        return f"CAST(length({found}) AS DOUBLE) * {weight}"

    def body(items: str) -> str:
        term = emitter.variable()
        counted = f"list_transform({terms}, lambda {term}, {place}: {of_term(items, term)})"
        return f"CASE WHEN {items} IS NOT NULL THEN {counted} END"

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
