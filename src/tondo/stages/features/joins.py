"""Joins of view features to rows, described for the engine and named canonically."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.ports.engine import LookupJoin, WindowJoin
from tondo.scoring.hops import hops_of, keys_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from tondo.language.tree import Node
    from tondo.ports.engine import Joiner
    from tondo.stages.features.views import FeatureView

ViewFeatures = list[tuple[str, str, str, str]]
"""(canonical name, view, feature, key column), as `ResolvedFeatures.view_features`."""


def join_views(
    spine: Any,
    *,
    time: str,
    view_features: ViewFeatures,
    views: Mapping[str, tuple[FeatureView, Any]],
    engine: Joiner,
    keys: Mapping[str, Node] | None = None,
) -> pa.Table:
    """Return the spine with one column per view feature under its canonical name.

    `views` gives each view and the table of its source, `keys` what computes a key that is no
    column. Every row of the spine comes back once, in its order; features are as they were known
    at the row's `time`.
    """
    hops = hops_of(view_features, keys or {})
    if len(hops) == 1 and not keys:
        return _hop(spine, hops[0], time=time, views=views, engine=engine)
    table = engine.scan(spine)
    names = table.column_names
    for hop in hops:
        computed = keys_of(hop, keys or {})
        if computed:
            table = engine.evaluate(computed, table, keep=table.column_names)
        table = _hop(table, hop, time=time, views=views, engine=engine)
    return table.select(names + [each[0] for each in view_features])


def _hop(
    spine: Any,
    view_features: ViewFeatures,
    *,
    time: str,
    views: Mapping[str, tuple[FeatureView, Any]],
    engine: Joiner,
) -> pa.Table:
    lookups: list[LookupJoin] = []
    windows: list[WindowJoin] = []
    renamed: dict[str, str] = {}
    groups: dict[tuple[str, str], list[str]] = {}
    for canonical, view_name, feature, key in view_features:
        groups.setdefault((view_name, key), []).append(feature)
        renamed[_prefix(view_name, key) + feature] = canonical
    for (view_name, key), features in groups.items():
        view, table = views[view_name]
        if view.kind == "window":
            windows.append(window_of(view, table, spine_key=key, features=features))
        else:
            lookups.append(lookup_of(view, table, spine_key=key, features=features))
    joined = engine.point_in_time(spine, time=time, lookups=lookups, windows=windows)
    names = [renamed.get(name, name) for name in joined.column_names]
    order = [name for name in names if name not in set(renamed.values())]
    return joined.rename_columns(names).select(order + [each[0] for each in view_features])


def _prefix(view: str, key: str) -> str:
    return f"@{view}[{key}]."


def lookup_of(
    view: FeatureView, table: Any, *, spine_key: str, features: Sequence[str]
) -> LookupJoin:
    """Return the as-of join of some features of a lookup view."""
    return LookupJoin(
        view=view.name,
        table=table,
        key=view.entity.key,
        spine_key=spine_key,
        event_time=view.event_time,
        recorded_at=view.recorded_at,
        ttl_us=view.ttl_us,
        cadence_us=view.every_us,
        features={name: view.lookups[name] for name in features},
        ties=dict(view.lookups),
        prefix=_prefix(view.name, spine_key),
    )


def window_of(
    view: FeatureView, table: Any, *, spine_key: str, features: Sequence[str]
) -> WindowJoin:
    """Return the window join of some features of a window view."""
    assert view.event_time is not None
    return WindowJoin(
        view=view.name,
        table=table,
        key=view.entity.key,
        spine_key=spine_key,
        event_time=view.event_time,
        recorded_at=view.recorded_at,
        features={name: view.windows[name] for name in features},
        prefix=_prefix(view.name, spine_key),
    )
