"""How far a batch has moved from the accepted rows, beyond what is usual for them."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tondo.stages.data.anomalies import anomaly, column_change
from tondo.stages.data.constraints import UNCHECKED_STAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.constraints import ColumnSchema
    from tondo.stages.data.movement import Movement


def check(movements: Iterable[Movement], columns: Mapping[str, ColumnSchema]) -> list[Anomaly]:
    """Report what has moved too far, the furthest first, then what crept; patches allow it.

    A limit that the schema names takes the place of the usual one; equal passes.
    """
    checked = [
        each
        for each in movements
        if all(
            name in columns and columns[name].stage not in UNCHECKED_STAGES
            for name in (each.column, *each.others)
        )
    ]
    excess = {id(each): _excess(each, columns) for each in checked}
    beyond = [each for each in checked if each.certain and excess[id(each)] > 1]
    beyond.sort(key=lambda each: -excess[id(each)])
    found = [_too_far(told, _limit(told.first, columns), columns) for told in _blamed(beyond)]
    moved = {each.column for each in beyond if each.measure == "moved"}
    return found + [
        _crept(each) for each in checked if each.column not in moved and _creeps(each, columns)
    ]


def _limit(movement: Movement, columns: Mapping[str, ColumnSchema]) -> float:
    """Return the schema's limit, else the usual one.

    A column has an order with many others, each with a usual limit of its own; the schema's one
    figure for them only widens.
    """
    if movement.measure == "relation":
        named = [columns[name].reference for name in (movement.column, *movement.others)]
        dropped = any(each is not None and movement.value in each.broken for each in named)
        return math.inf if dropped else movement.limit
    if movement.measure != "order":
        asked = _asked(columns[movement.column], movement.measure)
        return movement.limit if asked is None else asked
    both = [columns[name] for name in (movement.column, str(movement.value)) if name in columns]
    return max(movement.limit, *(_asked(each, "order") or 0.0 for each in both))


def _asked(column: ColumnSchema, measure: str) -> float | None:
    found = None if column.reference is None else getattr(column.reference, measure)
    return None if found is None else float(found)


def _excess(movement: Movement, columns: Mapping[str, ColumnSchema]) -> float:
    """Return the effect in limits; a limit of nothing is passed by anything."""
    limit = _limit(movement, columns)
    if limit > 0:
        return movement.effect / limit
    return math.inf if movement.effect > 0 else 0.0


def _creeps(movement: Movement, columns: Mapping[str, ColumnSchema]) -> bool:
    if movement.warn is None:
        return False
    asked = [_asked(columns[movement.column], each) or 0.0 for each in ("moved", "drift")]
    return movement.effect > max(movement.warn, *asked)


class _Told(NamedTuple):
    """What is told of a column in one sentence: its furthest movement of a measure."""

    column: str
    first: Movement
    allow: float
    """The effect that would allow all that it stands for."""
    formulas: tuple[str, ...] = ()
    """Of relations all that are broken."""


def _blamed(beyond: list[Movement]) -> list[_Told]:
    """Return what is told, one for each column and measure.

    A swap breaks the orders with other columns too: of two columns, the one in more of the broken
    orders is blamed, the first when both are in as many.
    """
    orders = [each for each in beyond if each.measure == "order"]
    often = Counter(name for each in orders for name in (each.column, str(each.value)))
    told: dict[tuple[str, str], _Told] = {}
    for each in beyond:
        name = each.column
        if each.measure == "order":
            name = max((each.column, str(each.value)), key=lambda column: often[column])
        known = told.get((name, each.measure), _Told(name, each, 0.0))
        formulas = (*known.formulas, str(each.value)) if each.measure == "relation" else ()
        allow = max(known.allow, each.effect)
        told[name, each.measure] = _Told(name, known.first, allow, formulas)
    return list(told.values())


def _too_far(told: _Told, limit: float, columns: Mapping[str, ColumnSchema]) -> Anomaly:
    movement, column = told.first, told.column
    patch = column_change(column, "reference", movement.measure, value=told.allow)
    if movement.measure == "relation":
        known = columns[column].reference
        dropped = {*told.formulas, *(() if known is None else known.broken)}
        patch = column_change(column, "reference", "broken", value=sorted(dropped))
    return anomaly(
        f"reference_{movement.measure}",
        column,
        _SENTENCES[movement.measure](movement, limit),
        numbers=_numbers(movement, limit),
        examples=() if movement.value is None else (movement.value,),
        patch=(patch,),
    )


def _crept(movement: Movement) -> Anomaly:
    usual = movement.warn or 0.0
    return anomaly(
        "reference_drift",
        movement.column,
        f"its values have shifted a little: population stability index {movement.effect:.3g} above "
        f"its noise, up to {usual:.3g} is usual for the accepted rows",
        numbers=_numbers(movement, usual),
        patch=(column_change(movement.column, "reference", "drift", value=movement.effect),),
    )


def _numbers(movement: Movement, limit: float) -> dict[str, float | int]:
    return {
        "effect": movement.effect,
        "limit": limit,
        "found": movement.found,
        "expected": movement.expected,
        "rows": movement.rows,
    }


def _moved(movement: Movement, limit: float) -> str:
    return (
        f"its values lie elsewhere: population stability index {movement.effect:.3g} above its "
        f"noise, up to {limit:.3g} is usual for the accepted rows"
    )


def _nulls(movement: Movement, limit: float) -> str:
    return (
        f"{movement.found:.1%} of the values are missing, {movement.expected:.1%} were in the "
        f"accepted rows; {limit:.1%} more would be usual"
    )


def _far(movement: Movement, _: float) -> str:
    count = round(movement.found * movement.rows)
    return (
        f"{count:,} of {movement.rows:,} values are far beyond {movement.expected:.6g}, the "
        f"furthest that was accepted, such as {movement.value:.6g}; has the unit changed?"
    )


def _flood(movement: Movement, _: float) -> str:
    return (
        f"{movement.found:.1%} of the values are {movement.value!r}, {movement.expected:.1%} were "
        "in the accepted rows; is it a default?"
    )


def _distinct(movement: Movement, _: float) -> str:
    return (
        f"{movement.found:.4g} distinct values among {movement.rows:,} rows, "
        f"{movement.expected:.4g} are usual; is it another column, or a default?"
    )


def _order(movement: Movement, _: float) -> str:
    return (
        f"{movement.column} < {movement.value} in {movement.found:.1%} of the rows, in "
        f"{movement.expected:.1%} of the accepted ones; are columns swapped?"
    )


def _relation(movement: Movement, _: float) -> str:
    hint = f"; it holds if {movement.repair}" if movement.repair else ""
    return (
        f"'{movement.value}' held in every accepted row, and is broken in {movement.found:.1%} of "
        f"{movement.rows:,}{hint}"
    )


_SENTENCES = {
    "moved": _moved,
    "nulls": _nulls,
    "far": _far,
    "flood": _flood,
    "distinct": _distinct,
    "order": _order,
    "relation": _relation,
}
