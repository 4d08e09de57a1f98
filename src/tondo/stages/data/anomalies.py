"""Anomalies: how a batch differs from its schema, and the smallest change that would accept it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from tondo.stages.data import display
from tondo.stages.data.anomaly_kinds import KINDS
from tondo.stages.data.statistics import Value


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a schema's document: the value at a path is set."""

    path: tuple[str, ...]
    """Keys from the top: `("columns", "origin", "domain")`."""
    value: Any
    """The new value; None takes an optional constraint away."""

    def __str__(self) -> str:
        return f"{'.'.join(self.path)} = {msgspec.json.encode(self.value).decode()}"


class Anomaly(msgspec.Struct, frozen=True, kw_only=True):
    """One difference between a batch and its schema."""

    code: str
    kind: str
    column: str | None
    """None when the whole batch is meant."""
    severity: Literal["error", "warning"] = "error"
    numbers: dict[str, float | int] = {}
    message: str
    examples: tuple[Value, ...] = ()
    patch: tuple[Change, ...] = ()
    """What to change in the schema to accept this batch."""
    tfdv: str | None = None
    """The name that TFDV gives it (docs/reference/anomalies.md)."""

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class Anomalies(list[Anomaly]):
    """A list of anomalies that shows itself well."""

    def __repr__(self) -> str:
        return "\n".join(str(each) for each in self) or "no anomalies"

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        rows = [
            [each.severity, each.column or "", each.message, "; ".join(map(str, each.patch))]
            for each in self
        ]
        return display.table(["severity", "column", "anomaly", "patch"], rows)


def anomaly(
    kind: str,
    column: str | None,
    message: str,
    *,
    patch: tuple[Change, ...],
    tfdv: str | None = None,
    numbers: dict[str, float | int] | None = None,
    examples: tuple[Value, ...] = (),
) -> Anomaly:
    """Return an anomaly with the code, severity and TFDV name of its kind.

    `tfdv` chooses among the names of a kind that has several; the first is usual.
    """
    known = KINDS[kind]
    return Anomaly(
        code=known.code,
        kind=kind,
        column=column,
        severity=known.severity,
        numbers=numbers or {},
        message=message if column is None else f"{column}: {message}",
        examples=examples,
        patch=patch,
        tfdv=tfdv or next(iter(known.tfdv), None),
    )


def column_change(column: str, *inner: str, value: Any) -> Change:
    """Return the change of one constraint of a column.

    >>> str(column_change("delay", "presence", "min_count", value=3))
    'columns.delay.presence.min_count = 3'
    """
    return Change(path=("columns", column, *inner), value=value)


def share(part: float, whole: float) -> str:
    """Return a share as people read it.

    >>> share(3, 10), share(1, 1000), share(999, 1000)
    ('30 %', '<1 %', '>99 %')
    """
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "<1 %"
    if 99 < percent < 100:
        return ">99 %"
    return f"{percent:.3g} %"
