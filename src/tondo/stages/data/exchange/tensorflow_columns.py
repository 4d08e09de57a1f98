"""One column of a schema as a feature of tensorflow-metadata, and back.

A plain column is a feature with exactly one value wherever it is present; a list is one with any
other count. Truth values, times and dates are INT there, told apart by their domain.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tondo.core.columns import BOOL, DATE, DOUBLE, ID, STRING, TIMESTAMP, item_type
from tondo.stages.data.constraints import MEASURES, Comparator, value_type
from tondo.stages.data.exchange.tensorflow_values import COMPARED

if TYPE_CHECKING:
    from tondo.stages.data.constraints import ColumnSchema

OWN_BOOL = "tondo:bool"
"""Name of the domain by which a column of truth values differs from one of 0 and 1."""
TIME_FORMATS = {TIMESTAMP: "UNIX_MICROSECONDS", DATE: "UNIX_DAYS"}
_INTEGERS = (-(2**63), 2**63 - 1)
_ONE_VALUE = {"min": 1, "max": 1}


def write_feature(name: str, column: ColumnSchema) -> dict[str, Any]:
    """Return a column as a feature; what it cannot say is found by reading it back."""
    values = value_type(column.type)
    kind = {STRING: "BYTES", DOUBLE: "FLOAT"}.get(values, "INT")
    written: dict[str, Any] = {"name": name, "type": kind}
    presence: dict[str, float] = {}
    if column.presence.min_fraction is not None:
        presence["min_fraction"] = column.presence.min_fraction
    if column.presence.min_count:
        presence["min_count"] = column.presence.min_count
    if presence:
        written["presence"] = presence
    written["value_count"] = _ends(column.value_count) if item_type(column.type) else _ONE_VALUE
    written |= _domain(column, values)
    listed = column.domain is not None or column.shared_domain is not None
    if listed and column.min_domain_mass != 1.0:
        written["distribution_constraints"] = {"min_domain_mass": column.min_domain_mass}
    if column.unique is not None:
        written["unique_constraints"] = _ends(column.unique)
    for against in ("drift", "skew"):
        comparator = getattr(column, against)
        if comparator is not None and comparator != Comparator():
            written[f"{against}_comparator"] = _comparator(comparator)
    return written | _place(column)


def _place(column: ColumnSchema) -> dict[str, Any]:
    """Return where a column belongs, how far it has come, and what people say of it."""
    written: dict[str, Any] = {}
    if column.in_:
        written["in_environment"] = list(column.in_)
    if column.not_in:
        written["not_in_environment"] = list(column.not_in)
    if column.stage != "production":
        written["lifecycle_stage"] = column.stage.upper()
    if column.description:
        written["annotation"] = {"comment": [column.description]}
    return written


def _ends(span: Any) -> dict[str, int]:
    ends = {end: getattr(span, end, None) for end in ("min", "max")}
    return {end: value for end, value in ends.items() if value is not None}


def _comparator(comparator: Comparator) -> dict[str, Any]:
    limits = {each: getattr(comparator, each) for each in MEASURES}
    return {
        COMPARED[each]: {"threshold": limit} for each, limit in limits.items() if limit is not None
    }


def _domain(column: ColumnSchema, values: str) -> dict[str, Any]:
    """Return the one domain that a feature may have; the first that applies."""
    if column.shared_domain is not None:
        return {"domain": column.shared_domain}
    if column.domain is not None:
        return {"string_domain": {"value": list(column.domain)}}
    if values == BOOL:
        return {"bool_domain": {"name": OWN_BOOL}}
    if values in TIME_FORMATS:
        return {"time_domain": {"integer_format": TIME_FORMATS[values]}}
    if column.boolean:
        words = {each: getattr(column, each) for each in ("true_value", "false_value")}
        return {"bool_domain": {each: word for each, word in words.items() if word is not None}}
    return _numbers(column, values)


def _numbers(column: ColumnSchema, values: str) -> dict[str, Any]:
    """Return the domain of numbers, and of texts that read as numbers."""
    if column.integer_text:
        return {"int_domain": _whole_ends(column)}
    if column.number_text:
        return {"float_domain": _real_ends(column) | {"disallow_nan": True, "disallow_inf": True}}
    if values == ID and (ends := _whole_ends(column)):
        return {"int_domain": ends}
    return _real_domain(column) if values == DOUBLE else {}


def _real_domain(column: ColumnSchema) -> dict[str, Any]:
    written: dict[str, Any] = _real_ends(column)
    if not column.allow_nan:
        written["disallow_nan"] = True
    if not column.allow_infinite:
        written["disallow_inf"] = True
    return {"float_domain": written} if written else {}


def _whole_ends(column: ColumnSchema) -> dict[str, int]:
    """Return the ends between which the same whole numbers of 64 bits lie."""
    least, greatest = _INTEGERS
    written = {}
    if column.min is not None and column.min > least:
        written["min"] = min(math.ceil(column.min), greatest)
    if column.max is not None and column.max < greatest:
        written["max"] = max(math.floor(column.max), least)
    return written


def _real_ends(column: ColumnSchema) -> dict[str, float]:
    ends = {"min": single(column.min, "down"), "max": single(column.max, "up")}
    return {end: value for end, value in ends.items() if value is not None}


def single(value: float | None, towards: Literal["down", "up"]) -> float | None:
    """Return an end of a range in the 32 bits that a float domain has.

    A number of few digits stays itself. Any other is moved outwards, so that what was in the range
    is still in it; None says that 32 bits have no such number.

    >>> single(0.1, "down"), single(0.123456789, "down"), single(1e39, "up")
    (0.1, 0.12345678, None)
    """
    if value is None:
        return None
    most, least = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)
    near = np.float32(min(max(value, -most), most))
    if 0 < abs(value) < least:
        # Below the least normal number its digits are not kept.
        near = np.float32(0.0)
    if _shortest(near) == value:
        return float(value)
    beyond = float(near) > value if towards == "down" else float(near) < value
    if beyond and abs(float(near)) == most:
        return None
    if beyond and not near:
        return _shortest(np.float32(-least if towards == "down" else least))
    if beyond:
        near = np.nextafter(near, np.float32(-np.inf if towards == "down" else np.inf))
    return _shortest(near)


def _shortest(value: np.float32) -> float:
    """Return the number of the fewest digits, at least six, that is this one in 32 bits."""
    texts = (f"{float(value):.{digits}g}" for digits in range(6, 10))
    return next(float(text) for text in texts if np.float32(text) == value)
