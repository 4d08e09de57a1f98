"""Targets: rules such as `carrier=AA,UA:v4`, which beat the weights of a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import DefinitionError, near
from tondo.scoring.plan import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tondo.scoring.plan import PlannedVariant

KEY = "key"
"""What stands for a column where the key itself is meant: the prediction id, or the sticky column's
value."""

_TYPES: Mapping[str, type] = {"string": str, "id": int, "double": float, "bool": bool}


def parse_target(
    text: str, variants: Sequence[PlannedVariant], *, columns: Mapping[str, str]
) -> Target:
    """Read `COLUMN=VALUE[,VALUE]:VERSION`; TD-DEPLOY-009 when it fits no column or no variant.

    `columns` are the request's, with their types. The version is a variant's name, number, id
    or tag; `key=` is the key that picks the bucket.
    """
    who, colon, version = text.rpartition(":")
    column, equals, values = who.partition("=")
    if not colon or not equals or not column or not values:
        raise _refused(text, "is no target", "COLUMN=VALUE[,VALUE]:VERSION, as in carrier=AA:4")
    variant = _variant(text, version, variants)
    if column == KEY:
        return Target(values=list(values.split(",")), variant=variant.name)
    type_ = _TYPES.get(columns.get(column, ""))
    if type_ is None:
        known = [name for name, each in columns.items() if each in _TYPES]
        raise _refused(
            text,
            f"looks at '{column}'",
            "a column of the request that holds text, numbers, ids or truth values",
            near(column, [*known, KEY]),
        )
    try:
        read: list[str | int | float | bool] = [
            msgspec.convert(each, type_, strict=False) for each in values.split(",")
        ]
    except msgspec.ValidationError:
        raise _refused(text, f"asks for {values}", f"values of type {columns[column]}") from None
    return Target(column=column, values=read, variant=variant.name)


def check_targets(targets: Iterable[Target], variants: Sequence[PlannedVariant]) -> list[Target]:
    """Return `targets` when each leads to a variant, else TD-DEPLOY-009."""
    kept = list(targets)
    names = {each.name for each in variants}
    for target in kept:
        if target.variant not in names:
            said = f"leads to '{target.variant}'"
            raise _refused(repr(target.column or KEY), said, f"one of {sorted(names)}")
    return kept


def _variant(text: str, version: str, variants: Sequence[PlannedVariant]) -> PlannedVariant:
    for variant in variants:
        known = {variant.name, variant.model_version_id, str(variant.version), *variant.tags}
        if version in known | {f"v{variant.version}"}:
            return variant
    choices = [f"v{each.version}" for each in variants]
    raise _refused(
        text, f"leads to '{version}'", "a variant of this deployment", near(version, choices)
    )


def _refused(text: str, what: str, expected: str, fix: str = "") -> DefinitionError:
    return DefinitionError(
        "TD-DEPLOY-009", f"target {text} {what}", expected=expected, fix=fix, target=text
    )
