"""Types of columns that arrive as text (CSV), inferred from every value of the column.

A column is, in this order: `bool` (true/false in any case), `double` (numbers; NaN and inf too),
`date` (2013-04-01), `timestamp` (ISO 8601), else `string`. Text with a leading zero such as
02134 stays text, since a number would lose it. A column without any value is `double`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import DataError
from tondo.stages.data.arrow_types import EXACT_INTEGER, arrow_type
from tondo.stages.data.zones import give_zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

USUAL_NULLS = ("NA", "N/A", "NULL", "null", "None")
"""Read as missing in columns that are numbers, booleans or times but for them. In text they stay
what they are (NA is Namibia), unless the source declares them."""


def infer_text(
    column: pa.ChunkedArray,
    null_values: Sequence[str],
    *,
    name: str,
    zone: str | None,
    where: str,
) -> pa.ChunkedArray:
    """Return the column in the type its values speak for."""
    import pyarrow as pa

    # In most columns none of the words stands: they are looked for once.
    values = without_nulls(column, ["", *(null_values or USUAL_NULLS)])
    text = values if null_values or values is column else without_nulls(column, [""])
    if values.null_count == len(values):
        # Nothing but usual null words is text that somebody wrote; nothing at all is not.
        empty = text.null_count == len(text)
        return values.cast(arrow_type("double")) if empty else text
    for attempt in (_as_bool, _as_double):
        found = attempt(values)
        if found is not None:
            return found
    found = infer_time(values)
    if found.type == pa.timestamp("us"):
        return give_zone(found, name=name, zone=zone, where=where)
    return text if found.type == pa.string() else found


def infer_time(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return text as dates or as times where every value is one, else as it is.

    Times without a zone stay without, for the caller to give them one.
    """
    import pyarrow as pa

    if column.null_count == len(column):
        return column
    for wanted in (arrow_type("date"), arrow_type("timestamp"), pa.timestamp("us")):
        try:
            return column.cast(wanted)
        except pa.ArrowInvalid:
            continue
    return column


def parse_text(
    column: pa.ChunkedArray, wanted: str, *, name: str, zone: str | None, where: str
) -> pa.ChunkedArray:
    """Return the column in a declared type; TD-DATA-004 names the first value that does not fit."""
    if wanted == "timestamp":
        # A date alone is its first moment in the declared zone.
        found = _as_timestamp(column, name=name, zone=zone, where=where)
    else:
        found = _try_cast(column, wanted)
    if found is not None:
        return found
    row, value = _first_misfit(column, wanted)
    raise DataError(
        "TD-DATA-004",
        f"{where}: column '{name}', row {row}: {value!r} is not a {wanted}",
        expected=f"{wanted} in every row, or a declared null value",
        fix=f"Correct the value, add it to `null_values`, or declare another type for '{name}'.",
        column=name,
        row=row,
    )


def without_nulls(column: pa.ChunkedArray, words: Sequence[str]) -> pa.ChunkedArray:
    """Return the column with every value among `words` missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not words:
        return column
    missing = pc.is_in(column, value_set=pa.array(list(words), pa.string()))
    if not pc.any(missing).as_py():
        return column
    return pc.if_else(missing, pa.scalar(None, pa.string()), column)


def _try_cast(column: pa.ChunkedArray, wanted: str) -> pa.ChunkedArray | None:
    import pyarrow as pa

    try:
        return column.cast(arrow_type(wanted))
    except pa.ArrowInvalid:
        return None


def _as_bool(values: pa.ChunkedArray) -> pa.ChunkedArray | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    # 0 and 1 are numbers; only words make a boolean.
    words = pa.array(["true", "false"])
    first = values[pc.index(values.is_valid(), pa.scalar(True)).as_py()].as_py().lower()
    if first not in {"true", "false"}:
        return None
    lowered = pc.utf8_lower(values)
    if not pc.all(pc.is_in(lowered.drop_null(), value_set=words)).as_py():
        return None
    return _try_cast(lowered, "bool")


def _as_double(values: pa.ChunkedArray) -> pa.ChunkedArray | None:
    import pyarrow.compute as pc

    numbers = _try_cast(values, "double")
    if numbers is None or any(map(_has_leading_zero, values.chunks)):
        return None
    ends = pc.min_max(numbers).as_py()
    if max(abs(ends["min"]), abs(ends["max"])) >= EXACT_INTEGER:
        whole = _try_cast(values, "id")
        return numbers if whole is None else whole
    return numbers


def _has_leading_zero(values: pa.StringArray) -> bool:
    """Say whether any text begins with a zero and a digit, after a sign or not.

    >>> import pyarrow as pa
    >>> [_has_leading_zero(pa.array([text])) for text in ("02134", "-007", "0.5", "-0")]
    [True, True, False, False]
    """
    import numpy as np

    # Looked up in the bytes themselves: a regular expression takes ten times as long.
    _, offsets, data = values.buffers()
    ends = np.frombuffer(offsets, np.int32)[values.offset : values.offset + len(values) + 1]
    length = np.diff(ends)
    if data is None or not length.any():
        return False
    # What is looked up beyond the end of a text is masked by its length.
    texts, last = np.frombuffer(data, np.uint8), len(data) - 1
    first, second, third = (texts[np.minimum(ends[:-1] + place, last)] for place in range(3))
    zero, nine, plus, minus = b"09+-"
    digit = (second >= zero) & (second <= nine) & (length > 1)
    signed = ((first == plus) | (first == minus)) & (second == zero) & (length > 2)
    return bool(np.any((first == zero) & digit | signed & (third >= zero) & (third <= nine)))


def _as_timestamp(
    values: pa.ChunkedArray, *, name: str, zone: str | None, where: str
) -> pa.ChunkedArray | None:
    import pyarrow as pa

    zoned = _try_cast(values, "timestamp")
    if zoned is not None:
        return zoned
    try:
        naive = values.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    return give_zone(naive, name=name, zone=zone, where=where)


def _first_misfit(column: pa.ChunkedArray, wanted: str) -> tuple[int, str]:
    """Return (row counted from 1, value) of the first value that does not cast, by halving."""
    start, stop = 0, len(column)
    while stop - start > 1:
        middle = (start + stop) // 2
        fits = _try_cast(column.slice(start, middle - start), wanted) is not None
        start, stop = (middle, stop) if fits else (start, middle)
    return start + 1, column[start].as_py()
