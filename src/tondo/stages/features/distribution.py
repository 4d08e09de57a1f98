"""How the values of a view's features were distributed when it was last materialised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.instants import from_micros
from tondo.stages.features.joins import join_views

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.ledger.ledger import Ledger
    from tondo.ports.engine import Engine
    from tondo.stages.features.materialise import Materialisation
    from tondo.stages.features.views import FeatureView

KIND = "feature_distribution"
MOST_KEYS = 10_000
"""Of more entities, so many are looked at, spread evenly over those in the source."""
_TIME = "@time"


class FeatureDistribution(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of each feature's values over entities, at one instant."""

    view: str
    digest: str
    """Of the view's definition: another definition has another distribution."""
    until_us: int
    keys: int
    """Entities looked at."""
    of_keys: int
    """Entities that the source has."""
    features: dict[str, dict[str, Any]]
    """Feature to the entries that statistics of a column have (`ports/engine.py`)."""


def measure_distribution(
    view: FeatureView, table: Any, *, engine: Engine, until_us: int
) -> FeatureDistribution:
    """Compute the features of the source's entities as of an instant, and tell their statistics."""
    import numpy as np
    import pyarrow as pa

    key = view.entity.key
    keys = engine.scan(table, [key]).column(0).unique().drop_null()
    chosen = np.unique(np.linspace(0, max(len(keys) - 1, 0), min(MOST_KEYS, len(keys))).astype(int))
    taken = keys.take(pa.array(chosen))
    times = pa.array([from_micros(until_us)] * len(taken), pa.timestamp("us", tz="UTC"))
    joined = join_views(
        pa.table({key: taken, _TIME: times}),
        time=_TIME,
        view_features=[(feature, view.name, feature, key) for feature in view.types],
        views={view.name: (view, table)},
        engine=engine,
    )
    return FeatureDistribution(
        view=view.name,
        digest=view.digest,
        until_us=until_us,
        keys=len(taken),
        of_keys=len(keys),
        features=engine.profile(joined.select(list(view.types)), view.types),
    )


def keep_distribution(
    view: FeatureView, table: Any, done: Materialisation, *, engine: Engine, ledger: Ledger
) -> FeatureDistribution:
    """Measure the values that a materialisation made visible, and keep what was measured."""
    measured = measure_distribution(view, table, engine=engine, until_us=done.until_us)
    ledger.put(KIND, ledger.new_id(), measured, parents=[("materialisation", done.id, "measured")])
    return measured


def distributions(
    views: Mapping[str, FeatureView], *, ledger: Ledger
) -> dict[str, FeatureDistribution]:
    """Return the last distribution of each view that has one."""
    found = {}
    for name in views:
        kept = ledger.records(KIND, where={"view": name}, limit=1)
        if kept:
            found[name] = msgspec.convert(kept[0].body, FeatureDistribution)
    return found
