"""Vectors computed afterwards by the batch engine, to hold what was served against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.stages.features.joins import ViewFeatures, join_views

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from tondo.language.tree import Node
    from tondo.ports.engine import Engine
    from tondo.stages.features.views import FeatureView


def recompute_vectors(
    rows: pa.Table,
    *,
    time: str,
    features: Mapping[str, Node],
    view_features: ViewFeatures,
    views: Mapping[str, tuple[FeatureView, Any]],
    engine: Engine,
    keep: Sequence[str] = (),
    keys: Mapping[str, Node] | None = None,
) -> pa.Table:
    """Return `keep` columns and one column per feature, in the order of `rows`.

    `rows` hold the logged inputs and the as-of time in column `time` (timestamp); `features` are
    the model's frozen, view-bound trees; `views` give each view's definition and the snapshot of
    its source now. What was served must come out in every bit.
    """
    joined = join_views(
        rows, time=time, view_features=view_features, views=views, engine=engine, keys=keys
    )
    return engine.evaluate(features, joined, keep=keep)
