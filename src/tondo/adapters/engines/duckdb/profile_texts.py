"""Texts and booleans: grouped once, so that the engine may spill; the groups are read twice."""

# ruff: noqa: S608 - composed SQL holds names of our own and expressions quoted before

from __future__ import annotations

from typing import Any

from tondo.adapters.engines.figures import entries, sizes

# White space as Unicode and Python's `str.split` have it.
_WORD = r"[^\t-\r\x1c-\x1f\x85\p{Z}]+"
_INTEGER = "[+-]?[0-9]+"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
MEASURES = {
    "length": "length(v)",
    "tokens": f"len(regexp_extract_all(v, '{_WORD}'))",
    "integer_text": f"regexp_full_match(v, '{_INTEGER}') AND try_cast(v AS BIGINT) IS NOT NULL",
    "number_text": f"regexp_full_match(v, '{_NUMBER}') AND isfinite(try_cast(v AS DOUBLE))",
}
"""What is measured of each distinct text, as SQL over `v`."""


def describe(connection: Any, source: str, *, is_text: bool, top: int) -> dict[str, Any]:
    """Return the entries of the column `v` of `source`."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE grouped AS SELECT v, count(*) AS n FROM {source} GROUP BY v"
    )
    rows, missing, distinct = connection.execute(
        "SELECT coalesce(sum(n), 0)::BIGINT, coalesce(sum(n) FILTER (v IS NULL), 0)::BIGINT,"
        " count(v) FROM grouped"
    ).fetchall()[0]
    pairs = connection.execute(
        "SELECT v, n FROM grouped WHERE v IS NOT NULL ORDER BY n DESC, v LIMIT ?", [top]
    ).fetchall()
    found = entries(rows, missing, distinct, [list(pair) for pair in pairs])
    if is_text:
        found |= _measured(connection)
    connection.execute("DROP TABLE grouped")
    return found


def _measured(connection: Any) -> dict[str, Any]:
    found = connection.execute(
        "SELECT min(length), max(length), coalesce(sum(length * n), 0)::BIGINT,"
        " min(tokens), max(tokens), coalesce(sum(tokens * n), 0)::BIGINT,"
        " coalesce(sum(n), 0)::BIGINT, coalesce(sum(n) FILTER (length = 0), 0)::BIGINT,"
        " coalesce(bool_and(integer_text), false), coalesce(bool_and(number_text), false) FROM "
        f"(SELECT n, {measured_sql()} FROM grouped WHERE v IS NOT NULL)"
    ).fetchall()[0]
    present, empty, integer_text, number_text = found[6:]
    return {
        "empty": empty,
        "length": sizes(found[0], found[1], found[2], present),
        "tokens": sizes(found[3], found[4], found[5], present),
        "integer_text": integer_text,
        "number_text": number_text,
    }


def measured_sql() -> str:
    """Return the measures as a list of SELECT."""
    return ", ".join(f"{text} AS {name}" for name, text in MEASURES.items())
