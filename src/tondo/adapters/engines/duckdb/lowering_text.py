"""Text functions in DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.engines.duckdb.lowering_emitter import (
    Emitter,
    Lowering,
    constant_of,
    double_sql,
    string_sql,
    template,
)
from tondo.language.functions.patterns import Pattern, re2_pattern, read_pattern
from tondo.language.functions.text import LONGEST, ends

if TYPE_CHECKING:
    from tondo.language.tree import Call

KEPT_BY_LOWER = "\u0130"
"""The code point that DuckDB's lower changes and our table keeps."""

KEPT_BY_UPPER = (
    "\u00df"
    + "".join(map(chr, (*range(0x1F80, 0x1F88), *range(0x1F90, 0x1F98), *range(0x1FA0, 0x1FA8))))
    + "\u1fb3\u1fc3\u1ff3"
)
"""The code points that DuckDB's upper changes and our table keeps."""


def _cased(name: str, kept: str) -> Lowering:
    """Return DuckDB's casing applied between the code points that stay."""

    def body(text: str) -> str:
        pieces = f"regexp_extract_all({text}, '[{kept}]+|[^{kept}]+')"
        changed = (
            f"list_transform({pieces}, lambda piece:"
            f" CASE WHEN regexp_matches(piece, '^[{kept}]') THEN piece ELSE {name}(piece) END)"
        )
        test = (
            f"contains({text}, '{kept}')"
            if len(kept) == 1
            else f"regexp_matches({text}, '[{kept}]')"
        )
        return f"CASE WHEN {test} THEN array_to_string({changed}, '') ELSE {name}({text}) END"

    def sql(emitter: Emitter, call: Call) -> str:
        return emitter.shared(emitter.plain(call.arguments[0]), body)

    return Lowering(sql)


def whole_sql(number: str) -> str:
    """Return a place or length as BIGINT: toward zero, clamped."""
    limit = double_sql(LONGEST)
    low = double_sql(-LONGEST)
    return (
        f"CAST(trunc(CASE WHEN {number} < {low} THEN {low} WHEN {number} > {limit} THEN {limit}"
        f" ELSE {number} END) AS BIGINT)"
    )


def _substr(emitter: Emitter, call: Call) -> str:
    text, *numbers = map(emitter.plain, call.arguments)
    constants = [constant_of(each) for each in call.arguments[1:]]
    if all(isinstance(each, float) for each in constants):
        begin, stop = ends(*constants)  # type: ignore[arg-type]
        return f"substr({text}, {begin + 1}, {max(stop - begin, 0)})"
    first = emitter.shared(numbers[0], whole_sql)
    length = emitter.shared(numbers[1], whole_sql) if len(numbers) > 1 else f"{int(LONGEST)}"

    def body(start: str) -> str:
        first_kept = f"CASE WHEN {start} < 1 THEN 1 ELSE {start} END"
        count = f"({start} + greatest({length}, 0) - ({first_kept}))"
        return (
            f"CASE WHEN {start} IS NULL OR {length} IS NULL THEN NULL"
            f" ELSE substr({text}, {first_kept}, CASE WHEN {count} < 0 THEN 0 ELSE {count} END) END"
        )

    return emitter.shared(first, body)


def _split_part(emitter: Emitter, call: Call) -> str:
    subject, separator, number = map(emitter.plain, call.arguments)

    def body(place: str) -> str:
        def of_text(text: str) -> str:
            return (
                f"CASE WHEN {text} IS NULL OR {separator} IS NULL OR {place} IS NULL THEN NULL"
                f" WHEN {place} < 1 THEN ''"
                f" WHEN {separator} = '' THEN CASE WHEN {place} = 1 THEN {text} ELSE '' END"
                f" ELSE split_part({text}, {separator}, {place}) END"
            )

        return emitter.shared(subject, of_text)

    return emitter.shared(emitter.shared(number, whole_sql), body)


def _contains(emitter: Emitter, call: Call) -> str:
    subject, part = map(emitter.plain, call.arguments)
    if call.arguments[0].type == "string":
        return f"contains({subject}, {part})"
    return f"list_contains({subject}, {part})"


def _pattern_of(call: Call) -> Pattern:
    return read_pattern(str(constant_of(call.arguments[1])))


def _matches_sql(text: str, pattern: Pattern) -> str:
    return f"regexp_matches({text}, {string_sql(re2_pattern(pattern))})"


def _regexp_matches(emitter: Emitter, call: Call) -> str:
    return _matches_sql(emitter.plain(call.arguments[0]), _pattern_of(call))


def _regexp_extract(emitter: Emitter, call: Call) -> str:
    pattern = _pattern_of(call)
    group = constant_of(call.arguments[2]) if len(call.arguments) > 2 else min(1, pattern.groups)
    written = f"{string_sql(re2_pattern(pattern))}, {group:.0f}"
    return emitter.shared(
        emitter.plain(call.arguments[0]),
        lambda text: (
            f"CASE WHEN {_matches_sql(text, pattern)} THEN regexp_extract({text}, {written}) END"
        ),
    )


def _concat(emitter: Emitter, call: Call) -> str:
    return "(" + " || ".join(map(emitter.plain, call.arguments)) + ")"


LOWERINGS: dict[str, Lowering] = {
    "length": template("CAST(length({0}) AS DOUBLE)"),
    "lower": _cased("lower", KEPT_BY_LOWER),
    "upper": _cased("upper", KEPT_BY_UPPER),
    "trim": template("trim({0}, ' ')"),
    "ltrim": template("ltrim({0}, ' ')"),
    "rtrim": template("rtrim({0}, ' ')"),
    "substr": Lowering(_substr),
    "strpos": template("CAST(strpos({0}, {1}) AS DOUBLE)"),
    "replace": template("replace({0}, {1}, {2})"),
    "starts_with": template("starts_with({0}, {1})"),
    "ends_with": template("ends_with({0}, {1})"),
    "contains": Lowering(_contains),
    "split_part": Lowering(_split_part),
    "concat": Lowering(_concat),
    "regexp_extract": Lowering(_regexp_extract),
    "regexp_matches": Lowering(_regexp_matches),
    "like": template("({0} LIKE {1})"),
}
"""Function name to its lowering."""
