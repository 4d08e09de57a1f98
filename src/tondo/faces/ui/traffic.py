"""The form that shares a deployment's traffic: what it sends, and what a bar of shares shows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import CallerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.workspace.live.deployments import VariantRow

SHARE = "share-"
"""A field's name is this and the number of the version."""


class SharePart(msgspec.Struct, frozen=True, kw_only=True):
    """One version's part of the bar, in per cent of its width."""

    version: int
    names: list[str]
    """The variants that serve it."""
    x: float
    width: float
    percent: float


def share_parts(variants: Sequence[VariantRow]) -> list[SharePart]:
    """Return a part for each version, in the order of the variants."""
    weights: dict[int, float] = {}
    for each in variants:
        weights[each.version] = weights.get(each.version, 0.0) + each.weight
    parts, x = [], 0.0
    for version, weight in weights.items():
        names = [each.name for each in variants if each.version == version]
        percent = round(weight * 100, 2)
        parts.append(
            SharePart(
                version=version,
                names=names,
                x=round(x, 2),
                width=round(percent, 2),
                percent=percent,
            )
        )
        x += percent
    return parts


def read_weights(sent: Mapping[str, str]) -> dict[str, float]:
    """Return version to share of a form; what is empty or 0 is left out (TD-UI-004 for no number).

    >>> read_weights({"share-8": "90", "share-7": "10", "add-version": "", "add-share": ""})
    {'v8': 90.0, 'v7': 10.0}
    """
    fields = {
        f"v{name.removeprefix(SHARE)}": text
        for name, text in sent.items()
        if name.startswith(SHARE)
    }
    added = sent.get("add-version", "").strip()
    if added:
        fields[f"v{added}"] = sent.get("add-share", "")
    found = {version: _percent(version, text) for version, text in fields.items()}
    return {version: percent for version, percent in found.items() if percent > 0}


def _percent(version: str, text: str) -> float:
    try:
        percent = float(text.strip().removesuffix("%") or 0)
    except ValueError:
        percent = math.nan
    if 0 <= percent <= 100:
        return percent
    raise CallerError(
        "TD-UI-004",
        f"the share of {version} is '{text[:40]}'",
        expected="a number from 0 to 100, per cent of the traffic",
        version=version,
    )
