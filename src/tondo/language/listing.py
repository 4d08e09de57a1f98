"""The functions of the language as a list of plain values, written from its tables."""

from __future__ import annotations

from typing import Any

import msgspec

from tondo.language.fitted import FITTED
from tondo.language.functions import FUNCTIONS, Function
from tondo.language.windows import WINDOW_FUNCTIONS


class ListedFunction(msgspec.Struct, frozen=True, kw_only=True):
    """One function as a reader looks it up."""

    name: str
    kind: str
    """`row`, `fitted`, `window`, or `python` for what is outside the promise of equality."""
    group: str
    written: str
    """How it is written: `x + y`, `substr(...)`."""
    types: tuple[str, ...]
    """What it takes and answers, such as `double, double -> double`."""
    nulls: str = "strict"
    """strict: null when any argument is; own: as `doc` says."""
    ulp: bool = False
    """Whether engines may differ by 4 units in the last place."""
    doc: str
    example: tuple[str, Any] | None = None
    """An expression and its value."""


def list_functions() -> list[ListedFunction]:
    """Return every function: those of a row, those that are fitted, those over windows.

    >>> next(each for each in list_functions() if each.name == "clip").types
    ('double, double, double -> double',)
    """
    fitted = [
        ListedFunction(
            name=row.name,
            kind="fitted",
            group="Fitted",
            written=row.usage,
            types=tuple(f"{taken} -> {given}" for taken, given in row.arguments.items()),
            nulls="own",
            doc=row.doc,
        )
        for row in FITTED.values()
    ]
    windows = [
        ListedFunction(
            name=row.name,
            kind="window",
            group="Windows",
            written=f"{row.name}(x) over 3h",
            types=(f"{row.argument} -> {row.result}",),
            nulls="own",
            doc=row.doc,
        )
        for row in WINDOW_FUNCTIONS.values()
    ]
    return [*map(_of_row, FUNCTIONS.values()), *fitted, *windows, OUTSIDE]


OUTSIDE = ListedFunction(
    name="python",
    kind="python",
    group="Outside the promise of equality",
    written="functions: {name: {python: module:function, columns: [...], type: ...}}",
    types=("any -> any",),
    nulls="own",
    doc="A column of a dataset that a Python function computes, in a process of its own; no other"
    " engine computes it.",
)


def _of_row(row: Function) -> ListedFunction:
    case = row.signatures == ("case",)
    return ListedFunction(
        name=row.name,
        kind="row",
        group=row.group,
        written=row.operator or f"{row.name}(...)",
        types=("when bool then T ... else T",) if case else row.signatures,
        nulls=row.nulls,
        ulp=row.ulp,
        doc=row.doc,
        example=row.example,
    )
