"""A model's features resolved against the spine and the views, and against what is known when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import DefinitionError, placed
from tondo.language.check import check
from tondo.language.parse import parse
from tondo.language.tree import Node, ViewFeature
from tondo.language.walk import (
    bind_views,
    canonical_name,
    columns_of,
    key_column,
    view_features_of,
)
from tondo.stages.features.views import signature_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.stages.features.views import FeatureView


class ResolvedFeatures(msgspec.Struct, frozen=True, kw_only=True):
    """What a model computes, and from what."""

    features: dict[str, Node]
    """Feature name to typed tree; view features are columns of their canonical names."""
    inputs: dict[str, str]
    """The spine's columns that a request must carry, keys of views included."""
    view_features: list[tuple[str, str, str, str]]
    """(canonical name, view, feature, key column) of each view feature, in order of reading."""
    keys: dict[str, Node] = {}
    """Key columns that are computed, to what computes them from the row and other features."""


def resolve_features(
    features: Mapping[str, str],
    *,
    columns: Mapping[str, str],
    views: Mapping[str, FeatureView],
    known_at: Mapping[str, str],
    time: str,
) -> ResolvedFeatures:
    """Check a model's features without data.

    `columns` are the spine's; `time` is the column with the moment of prediction. Raises
    TD-KNOWN-001 for a column known only later, TD-FEATURE-007 for a key of the wrong type,
    TD-FEATURE-010 without features or time, and the language's errors with near names.
    """
    _check_spine(features, columns, time)
    signatures = {name: signature_of(view) for name, view in views.items()}
    bound: dict[str, Node] = {}
    inputs: dict[str, str] = {}
    fetched: dict[str, tuple[str, str, str, str]] = {}
    keys: dict[str, Node] = {}
    for name, text in features.items():
        with placed(f"feature '{name}'"):
            node = check(parse(text), columns, views=signatures, text=text)
        for column in sorted(columns_of(node)):
            _check_known(column, feature=name, known_at=known_at, time=time)
            inputs[column] = columns[column]
        for used in view_features_of(node):
            key = key_column(used, signatures)
            if used.by is None:
                _check_known(key, feature=name, known_at=known_at, time=time)
                inputs[key] = columns[key]
            elif not isinstance(used.by, ViewFeature):
                keys[key] = bind_views(used.by, signatures)
            if views[used.view].asked and used.by is not None:
                raise _asked_by_computed(used)
            _check_key(used, columns[key] if used.by is None else used.by.type, views[used.view])
            canonical = canonical_name(used, signatures[used.view])
            fetched[canonical] = (canonical, used.view, used.feature, key)
        bound[name] = bind_views(node, signatures)
    return ResolvedFeatures(
        features=bound,
        inputs=dict(sorted(inputs.items())),
        view_features=list(fetched.values()),
        keys=keys,
    )


def resolve_label(text: str, *, columns: Mapping[str, str]) -> Node:
    """Return the checked label; it may read what becomes known only later."""
    node = check(parse(text), columns, text=text)
    if node.type not in {"bool", "double"}:
        raise DefinitionError(
            "TD-FEATURE-011",
            f"the label '{text}' is {node.type}",
            expected="bool for a binary task or double for a regression",
            fix="Write a comparison such as `arr_delay > 15`, or a number.",
        )
    return node


def _check_spine(features: Mapping[str, str], columns: Mapping[str, str], time: str) -> None:
    if not features:
        what, fix = "the model has no features", "Name at least one under `features:`."
    elif columns.get(time) != "timestamp":
        what = f"the prediction time '{time}' is {columns.get(time, 'no column of the source')}"
        fix = "Name a timestamp column that says when the prediction is made."
    else:
        return
    raise DefinitionError("TD-FEATURE-010", what, fix=fix, time=time)


def _check_known(column: str, *, feature: str, known_at: Mapping[str, str], time: str) -> None:
    becomes_known = known_at.get(column)
    if becomes_known is None or becomes_known == time:
        return
    raise DefinitionError(
        "TD-KNOWN-001",
        f"feature '{feature}' reads '{column}', which becomes known at '{becomes_known}', "
        f"but predictions are made at '{time}'",
        expected="only what is known when the prediction is made",
        fix=f"Leave '{column}' out, use it in the label only, or read it of earlier rows through "
        "a feature view.",
        column=column,
        known_at=becomes_known,
        time=time,
        feature=feature,
    )


def _asked_by_computed(used: ViewFeature) -> DefinitionError:
    return DefinitionError(
        "TD-FEATURE-092",
        f"'@{used.view}.{used.feature}[{used.key}]' asks a service by a computed key",
        expected="a column of the row as the key of a view with `arrival: asked`",
        fix="Send the key as a column of the request.",
    )


def _check_key(used: ViewFeature, key_type: str, view: FeatureView) -> None:
    if key_type != view.entity.type:
        key = used.key or view.entity.key
        raise DefinitionError(
            "TD-FEATURE-007",
            f"'@{used.view}.{used.feature}' is looked up by '{key}', which is {key_type}, "
            f"but entity '{view.entity.entity}' has keys of type {view.entity.type}",
            fix="Use a key column of that type, or declare the column's type in the source.",
            column=key,
        )
