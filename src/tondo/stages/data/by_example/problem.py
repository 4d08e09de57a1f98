"""Reading what a search is given: columns, examples, and the rows that tell expressions apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.columns import SCALARS
from tondo.core.errors import CallerError, near
from tondo.core.instants import to_micros
from tondo.language.values import EPOCH_DAY, READERS
from tondo.stages.data.arrow_types import stored_types
from tondo.stages.data.conform import conform

if TYPE_CHECKING:
    import pyarrow as pa

MOST_WITNESSES = 6
"""Rows beside the examples on which two expressions must agree to count as one."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Typed examples, and witnesses: further rows that tell expressions apart."""

    columns: dict[str, str]
    points: tuple[dict[str, Any], ...]
    """The examples' inputs, then the witnesses."""
    wanted: tuple[Any, ...]
    """The examples' outputs."""
    type: str

    def fitted(self, values: Sequence[Any]) -> int:
        """Return how many examples the values on the points fit."""
        pairs = zip(values, self.wanted, strict=False)
        return sum(alike(value, wanted) for value, wanted in pairs)

    def fits(self, values: Sequence[Any]) -> bool:
        """Return whether the values on the points fit every example."""
        return all(map(alike, values, self.wanted))


def alike(value: Any, wanted: Any) -> bool:
    """Return whether a value is the one wanted; numbers as people write them, to 9 digits."""
    if isinstance(value, float) and isinstance(wanted, float):
        return math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-12)
    return bool(value == wanted)


def typed_table(values: Any, columns: Sequence[str], zone: str | None) -> pa.Table:
    """Return the searched columns in column types (TD-EXAMPLE-003, TD-DATA-004, TD-DATA-005)."""
    import pyarrow as pa

    table = values if isinstance(values, pa.Table) else pa.table({"x": _array(values)})
    for name in columns:
        if name not in table.column_names:
            raise CallerError(
                "TD-EXAMPLE-003",
                f"there is no column '{name}' to search",
                fix=near(name, table.column_names),
                column=name,
            )
    table = conform(table.select(columns) if columns else table, {}, zone=zone, where="the values")
    for name, type_ in stored_types(table).items():
        if type_ not in SCALARS:
            raise CallerError(
                "TD-EXAMPLE-003",
                f"column '{name}' is a {type_}",
                expected="columns of " + ", ".join(SCALARS),
                fix="Name the columns to search by `columns=`.",
                column=name,
            )
    return table


def read_problem(
    table: pa.Table, examples: Sequence[tuple[Any, Any]], witnesses: Sequence[dict[str, Any]]
) -> Problem:
    """Return the examples in the language's own values (TD-EXAMPLE-002)."""
    columns = stored_types(table)
    if not examples:
        raise _bad("no example is given", "two or three pairs of input and wanted output")
    inputs = [_input(given, columns) for given, _ in examples]
    type_, wanted = _outputs([output for _, output in examples])
    _refuse_contradiction(inputs, wanted)
    return Problem(
        columns=columns,
        points=(*inputs, *(each for each in witnesses if each not in inputs)),
        wanted=wanted,
        type=type_,
    )


def _array(values: Any) -> Any:
    import pyarrow as pa

    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise CallerError(
            "TD-EXAMPLE-003",
            f"the values are of several types: {error}",
            expected="values of one type, or null",
            fix="Give numbers, texts or times, not a mixture.",
        ) from None


def _input(given: Any, columns: Mapping[str, str]) -> dict[str, Any]:
    if isinstance(given, Mapping):
        parts = dict(given)
    elif len(columns) == 1:
        parts = dict(zip(columns, [given], strict=True))
    else:
        many = given if isinstance(given, tuple | list) else [given]
        parts = dict(zip(columns, many, strict=False)) if len(many) == len(columns) else {}
    if parts.keys() != columns.keys():
        raise _bad(
            f"the example input {given!r} does not name a value for each column",
            "values for " + ", ".join(columns),
        )
    return {name: _value_as(value, columns[name], given) for name, value in parts.items()}


def _value_as(value: Any, type_: str, given: Any) -> Any:
    found, own = _own(value)
    if own is None or found == type_:
        return own
    if found == "double" and type_ == "id" and own == int(own):
        return int(value)
    if found == "string" and type_ in {"timestamp", "date"}:
        return READERS[type_](value, "the example")
    raise _bad(f"the example input {given!r} holds a {found}", f"a {type_} there")


def _own(value: Any) -> tuple[str, Any]:
    """Return the type and the language's own value of a plain Python value."""
    found: tuple[str, Any]
    if value is None:
        found = ("", None)
    elif isinstance(value, bool):
        found = ("bool", value)
    elif isinstance(value, int | float):
        found = ("double", float(value)) if math.isfinite(value) else ("double", None)
    elif isinstance(value, str):
        found = ("string", value)
    elif isinstance(value, datetime):
        found = ("timestamp", to_micros(value))
    elif isinstance(value, date):
        found = ("date", value.toordinal() - EPOCH_DAY)
    else:
        raise _bad(f"{value!r} ({type(value).__name__}) is given", "text, number, truth or time")
    return found


def _outputs(outputs: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    read = [_own(each) for each in outputs]
    types = {type_ for type_, value in read if value is not None}
    if len(types) != 1:
        found = " and ".join(sorted(types)) or "only null"
        raise _bad(f"the wanted outputs are {found}", "outputs of one type")
    return types.pop(), tuple(value for _, value in read)


def _refuse_contradiction(inputs: Sequence[dict[str, Any]], wanted: Sequence[Any]) -> None:
    for place, given in enumerate(inputs):
        first = inputs.index(given)
        if wanted[first] != wanted[place]:
            raise _bad(
                f"one input, {given}, has two outputs: {wanted[first]!r} and {wanted[place]!r}",
                "one output for one input",
            )


def _bad(what: str, expected: str) -> CallerError:
    return CallerError(
        "TD-EXAMPLE-002",
        what,
        expected=expected,
        fix="Write them as [(input, output), ...]; several columns as a tuple or by name.",
    )
