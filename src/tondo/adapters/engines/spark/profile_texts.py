"""Texts and booleans: figures of the distinct values and how often each occurs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.adapters.engines.figures import WEIGHT_PARTS, entries, sizes
from tondo.adapters.engines.spark.counted import aggregated, most_frequent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.adapters.engines.spark.counted import Part

# White space as Unicode and Python's `str.split` have it. In SQL a backslash is written twice.
_WORD = r"[^\\t-\\r\\x1c-\\x1f\\x85\\p{Z}]+"
# \A and \z: the end of the text, and not the end of its last line.
_INTEGER = r"\\A[+-]?[0-9]+\\z"
_NUMBER = r"\\A[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?\\z"
_FINITE = "abs(try_cast(v AS DOUBLE)) < DOUBLE('Infinity')"
_MEASURES = {
    "length": "char_length(v)",
    "tokens": f"regexp_count(v, '{_WORD}')",
    "integer_text": f"v RLIKE '{_INTEGER}' AND try_cast(v AS BIGINT) IS NOT NULL",
    "number_text": f"v RLIKE '{_NUMBER}' AND {_FINITE}",
}
_KNOWN = "FILTER (WHERE v IS NOT NULL)"
_SUMS = {
    "rows": "sum(n)",
    "missing": "coalesce(sum(n) FILTER (WHERE v IS NULL), 0)",
    "distinct": "count(v)",
    "empty": "coalesce(sum(n) FILTER (WHERE length = 0), 0)",
    "least_length": "min(length)",
    "most_length": "max(length)",
    "total_length": f"coalesce(sum(length * n) {_KNOWN}, 0)",
    "least_tokens": "min(tokens)",
    "most_tokens": "max(tokens)",
    "total_tokens": f"coalesce(sum(tokens * n) {_KNOWN}, 0)",
    "integer_text": f"coalesce(bool_and(integer_text) {_KNOWN}, false)",
    "number_text": f"coalesce(bool_and(number_text) {_KNOWN}, false)",
}
_OF_WEIGHTS = {
    "parts": "sum(parts)",
    "missing_parts": "coalesce(sum(parts) FILTER (WHERE v IS NULL), 0)",
}


def describe(
    long: Any, parts: Sequence[Part], *, slices: int, top: int, weighted: bool
) -> list[dict[str, Any]]:
    """Return the entries of each c of a counted frame, from 0 on."""
    measured = long.selectExpr("*", *(f"{text} AS {name}" for name, text in _MEASURES.items()))
    sums = _SUMS | (_OF_WEIGHTS if weighted else {})
    counts = aggregated(measured, sums)
    known = long.where("v IS NOT NULL")
    frequent = most_frequent(known, "n", top)
    heavy = most_frequent(known, "parts", top) if weighted else {}
    nothing = dict.fromkeys(sums, 0)
    found = []
    for c in range(slices * len(parts)):
        is_text = parts[c % len(parts)].type == "string"
        row = counts.get(c, nothing)
        listed = [[_json(each["v"], is_text=is_text), each["n"]] for each in frequent.get(c, [])]
        entry = entries(row["rows"], row["missing"], row["distinct"], listed)
        if is_text:
            entry |= _measured(row)
        if weighted:
            entry["weighted"] = {
                "rows": int(row["parts"]) / WEIGHT_PARTS,
                "missing": int(row["missing_parts"]) / WEIGHT_PARTS,
                "top": [
                    [_json(each["v"], is_text=is_text), int(each["parts"]) / WEIGHT_PARTS]
                    for each in heavy.get(c, [])
                ],
            }
        found.append(entry)
    return found


def _json(value: str, *, is_text: bool) -> str | bool:
    return value if is_text else value == "true"


def _measured(row: Mapping[str, Any]) -> dict[str, Any]:
    present = row["rows"] - row["missing"]
    return {
        "empty": row["empty"],
        "integer_text": bool(row["integer_text"]),
        "number_text": bool(row["number_text"]),
        **{
            name: sizes(
                row[f"least_{name}"] if present else None,
                row[f"most_{name}"] if present else None,
                row[f"total_{name}"],
                present,
            )
            for name in ("length", "tokens")
        },
    }
