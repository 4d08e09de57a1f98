"""Targets: rules such as `carrier=AA,UA:v4`, which beat the weights of a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tondo.core.errors import DefinitionError, near
from tondo.scoring.plan import Target
from tondo.stages.deployment.state import LIVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tondo.scoring.plan import PlannedVariant

KEY = "key"
"""What stands for a column where the key itself is meant: the prediction id, or the sticky column's
value."""

_TYPES: Mapping[str, type] = {"string": str, "id": int, "double": float, "bool": bool}


class DefinedTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target as a deployment's definition writes it."""

    column: str = KEY
    """Request column that is looked at; the key when left out."""
    values: list[str | int | float | bool]
    version: str | int
    """Number, id or tag of the version that answers; `live` is what answers the others too."""


class Targeted(NamedTuple):
    """Targets, and the versions that they need besides those that share the traffic."""

    targets: Sequence[Target] = ()
    beside: Sequence[PlannedVariant] = ()
    """Answer only rows that a target sends them: their weight is 0."""


NO_TARGETS = Targeted()
"""Weights alone decide."""


def parse_target(
    text: str, variants: Sequence[PlannedVariant], *, columns: Mapping[str, str]
) -> Target:
    """Read `COLUMN=VALUE[,VALUE]:VERSION`; TD-DEPLOY-009 when it fits no column or no variant.

    `columns` are the request's, with their types. The version is a variant's name, number, id
    or tag; `key=` is the key that picks the bucket.
    """
    where = f"target {text}"
    who, colon, version = text.rpartition(":")
    column, equals, values = who.partition("=")
    if not colon or not equals or not column or not values:
        raise refused(where, "is no target", "COLUMN=VALUE[,VALUE]:VERSION, as in carrier=AA:4")
    return Target(
        column=None if column == KEY else column,
        values=_values(where, column, values.split(","), columns, strict=False),
        variant=_variant(where, version, variants).name,
    )


def define_target(
    defined: DefinedTarget, variant: str, *, columns: Mapping[str, str], where: str
) -> Target:
    """Return a defined target that leads to a variant; TD-DEPLOY-009 when it fits no column.

    `where` is the definition's place. Values must be of the column's type as they are written.
    """
    values: list[Any] = defined.values
    if not values:
        raise refused(where, "has no values", "at least one value")
    if defined.column == KEY:
        # Keys are compared as text; ids of people are often numbers.
        values = [str(each) if type(each) is int else each for each in values]
    return Target(
        column=None if defined.column == KEY else defined.column,
        values=_values(where, defined.column, values, columns, strict=True),
        variant=variant,
    )


def show_target(target: Target, variants: Sequence[PlannedVariant]) -> str:
    """Return a target as `parse_target` reads it.

    >>> show_target(Target(column="rush", values=[True], variant=LIVE), [])
    'rush=true:live'
    """
    shown = [str(each).lower() if isinstance(each, bool) else str(each) for each in target.values]
    numbers = {each.name: f"v{each.version}" for each in variants if each.name != LIVE}
    version = numbers.get(target.variant, target.variant)
    return f"{target.column or KEY}={','.join(shown)}:{version}"


def check_targets(targets: Iterable[Target], variants: Sequence[PlannedVariant]) -> list[Target]:
    """Return `targets` when each leads to a variant, else TD-DEPLOY-009."""
    kept = list(targets)
    names = {each.name for each in variants}
    for target in kept:
        if target.variant not in names:
            where = f"target {target.column or KEY!r}"
            raise refused(where, f"leads to '{target.variant}'", f"one of {sorted(names)}")
    return kept


def refused(where: str, what: str, expected: str, fix: str = "") -> DefinitionError:
    """Build the error TD-DEPLOY-009."""
    return DefinitionError(
        "TD-DEPLOY-009", f"{where} {what}", expected=expected, fix=fix, target=where
    )


def _values(
    where: str, column: str, values: list[Any], columns: Mapping[str, str], *, strict: bool
) -> list[str | int | float | bool]:
    """Return values as the type of a column of the request; those of the key are text."""
    type_ = str if column == KEY else _TYPES.get(columns.get(column, ""))
    if type_ is None:
        known = [name for name, each in columns.items() if each in _TYPES]
        raise refused(
            where,
            f"looks at '{column}'",
            "a column of the request that holds text, numbers, ids or truth values",
            near(column, [*known, KEY]),
        )
    try:
        return [msgspec.convert(each, type_, strict=strict) for each in values]
    except msgspec.ValidationError:
        asked = ", ".join(map(str, values))
        expected = f"values of type {columns.get(column, 'string')}"
        raise refused(where, f"asks '{column}' for {asked}", expected, _quotes(values)) from None


def _quotes(values: Sequence[Any]) -> str:
    if not any(isinstance(each, bool) for each in values):
        return ""
    return "Put it in quotes: YAML reads a bare on, off, yes or no as true or false."


def _variant(where: str, version: str, variants: Sequence[PlannedVariant]) -> PlannedVariant:
    for variant in variants:
        known = {variant.name, variant.model_version_id, str(variant.version), *variant.tags}
        if version in known | {f"v{variant.version}"}:
            return variant
    choices = [f"v{each.version}" for each in variants]
    raise refused(
        where, f"leads to '{version}'", "a variant of this deployment", near(version, choices)
    )
