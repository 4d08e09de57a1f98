"""Text functions in Spark, whose texts are UTF-8 and count code points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.engines.spark.lowering_emitter import (
    Emitter,
    Lowering,
    called,
    chosen,
    constant_of,
    double_sql,
    function,
    string_sql,
    template,
)
from tondo.language.functions.casing import TO_LOWER, TO_UPPER
from tondo.language.functions.patterns import Pattern, re2_pattern, read_pattern
from tondo.language.functions.text import LONGEST

if TYPE_CHECKING:
    from tondo.language.tree import Call

_BACKSLASH, _BACKSLASHES = string_sql("\\"), string_sql("\\\\")


def _cased(table: dict[int, int]) -> Lowering:
    """Return casing by our own table, each code point for itself."""
    before, after = ("".join(map(chr, each)) for each in (table, table.values()))
    return function("translate", string_sql(before), string_sql(after))


def whole_place(number: str) -> str:
    """Return a place or length as INT: toward zero, clamped; null stays null."""
    limit, low = double_sql(LONGEST), double_sql(-LONGEST)
    over, under = called(">", number, limit), called("<", number, low)
    return f"CAST({chosen(under, low, over, limit, number)} AS INT)"


def _substr(emitter: Emitter, call: Call) -> str:
    text, *numbers = map(emitter.plain, call.arguments)
    first = emitter.shared(numbers[0], whole_place)
    length = emitter.shared(numbers[1], whole_place) if len(numbers) > 1 else f"{int(LONGEST)}"

    def body(start: str, most: str) -> str:
        kept = called("greatest", start, "1")
        count = called("-", called("+", start, called("greatest", most, "0")), kept)
        some = called("substr", text, kept, called("greatest", count, "0"))
        return chosen(called("isnull", called("+", start, most)), "NULL", some)

    return emitter.shared(first, lambda s: emitter.shared(length, lambda n: body(s, n)))


def _split_part(emitter: Emitter, call: Call) -> str:
    subject, separator, number = map(emitter.plain, call.arguments)

    def body(text: str, sign: str, place: str) -> str:
        whole = chosen(called("=", place, "1"), text, "''")
        # Spark refuses place 0, also where a condition keeps it out.
        some = called("split_part", text, sign, called("greatest", place, "1"))
        unknown = called("isnull", called("concat", text, sign, f"CAST({place} AS STRING)"))
        return chosen(
            unknown, "NULL", called("<", place, "1"), "''", called("=", sign, "''"), whole, some
        )

    place = emitter.shared(number, whole_place)
    return emitter.shared(
        place,
        lambda p: emitter.shared(
            subject, lambda text: emitter.shared(separator, lambda sign: body(text, sign, p))
        ),
    )


def _length(emitter: Emitter, call: Call) -> str:
    of_text = call.arguments[0].type == "string"
    text = emitter.plain(call.arguments[0])
    return f"CAST({called('length' if of_text else 'array_size', text)} AS DOUBLE)"


def _contains(emitter: Emitter, call: Call) -> str:
    subject, part = map(emitter.plain, call.arguments)
    if call.arguments[0].type == "string":
        return called("contains", subject, part)

    def body(items: str, one: str) -> str:
        # Spark's own answer is null where a null stands among the items.
        found = called("coalesce", called("array_contains", items, one), "FALSE")
        unknown = called("or", called("isnull", items), called("isnull", one))
        return chosen(unknown, "NULL", found)

    return emitter.shared(subject, lambda items: emitter.shared(part, lambda one: body(items, one)))


def _pattern_of(call: Call) -> Pattern:
    return read_pattern(str(constant_of(call.arguments[1])))


def _regexp_matches(emitter: Emitter, call: Call) -> str:
    # Java reads what is written for RE2.
    pattern = string_sql(re2_pattern(_pattern_of(call)))
    return called("rlike", emitter.plain(call.arguments[0]), pattern)


def _regexp_extract(emitter: Emitter, call: Call) -> str:
    pattern = _pattern_of(call)
    group = constant_of(call.arguments[2]) if len(call.arguments) > 2 else min(1, pattern.groups)
    written = string_sql(re2_pattern(pattern))

    def body(text: str) -> str:
        found = called("regexp_extract", text, written, f"{group:.0f}")
        return chosen(called("rlike", text, written), found, "NULL")

    return emitter.shared(emitter.plain(call.arguments[0]), body)


LOWERINGS: dict[str, Lowering] = {
    "length": Lowering(_length),
    "lower": _cased(TO_LOWER),
    "upper": _cased(TO_UPPER),
    # U+0020 and nothing else.
    "trim": function("trim"),
    "ltrim": function("ltrim"),
    "rtrim": function("rtrim"),
    "substr": Lowering(_substr),
    "strpos": template("CAST(instr({0}, {1}) AS DOUBLE)"),
    "replace": function("replace"),
    "starts_with": function("startswith"),
    "ends_with": function("endswith"),
    "contains": Lowering(_contains),
    "split_part": Lowering(_split_part),
    "concat": function("concat"),
    "regexp_extract": Lowering(_regexp_extract),
    "regexp_matches": Lowering(_regexp_matches),
    # Spark's LIKE knows an escape, the backslash; doubled, it stands for itself.
    "like": template(f"like({{0}}, replace({{1}}, {_BACKSLASH}, {_BACKSLASHES}))"),
}
"""Function name to its lowering."""
