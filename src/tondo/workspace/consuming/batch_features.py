"""What the versions of a batch read of a piece: its columns, and views as of the batch's time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import CallerError, NotFoundError
from tondo.workspace.recompute import AS_OF

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from tondo.ports.engine import Joiner
    from tondo.scoring.package import PackageContents
    from tondo.stages.features.views import FeatureView
    from tondo.stages.serving.batch.answers import BatchModel
    from tondo.workspace.bootstrap import Parts


class BatchFeatures:
    """Joins views to pieces by the code that makes training sets; equal needs are joined once."""

    def __init__(
        self, parts: Parts, models: Sequence[BatchModel], *, as_of_us: int, engine: Joiner
    ) -> None:
        self._contents = [each.model.contents for each in models]
        self._views = [_views_of(parts, each) for each in self._contents]
        self._as_of_us = as_of_us
        self._engine = engine

    @property
    def inputs(self) -> dict[str, str]:
        """Request column to column type, of all versions."""
        return {name: type_ for each in self._contents for name, type_ in each.inputs.items()}

    def of(self, piece: pa.Table, *, where: str) -> list[pa.Table]:
        """Return a table for each version: the rows in their order, with all that it reads.

        `where` is what errors name: TD-DATA-004 and following, where a column does not fit.
        """
        known: dict[Any, pa.Table] = {}
        found = []
        for contents, views in zip(self._contents, self._views, strict=True):
            needs = _needs(contents)
            if needs not in known:
                known[needs] = self._joined(piece, contents, views, where)
            found.append(known[needs])
        return found

    def _joined(
        self,
        piece: pa.Table,
        contents: PackageContents,
        views: dict[str, tuple[FeatureView, Any]],
        where: str,
    ) -> pa.Table:
        import pyarrow as pa

        from tondo.stages.data.conform import conform
        from tondo.stages.features.joins import join_views

        own = piece.select(list(contents.inputs))
        typed = conform(own, contents.inputs, zone=None, where=where)
        if not contents.view_features:
            return typed
        instant = pa.scalar(self._as_of_us, pa.timestamp("us", tz="UTC"))
        return join_views(
            typed.append_column(AS_OF, pa.repeat(instant, typed.num_rows)),
            time=AS_OF,
            view_features=contents.view_features,
            views=views,
            engine=self._engine,
            keys=contents.keys,
        )


def _needs(contents: PackageContents) -> Any:
    """Return what is equal of versions that read the same."""
    versions = sorted((name, each.version) for name, each in contents.views.items())
    keys = msgspec.json.encode(contents.keys, order="deterministic")
    return tuple(contents.inputs.items()), tuple(contents.view_features), tuple(versions), keys


def _views_of(parts: Parts, contents: PackageContents) -> dict[str, tuple[FeatureView, Any]]:
    """Return the views that a package reads, as it was trained with them, and their sources."""
    from tondo.workspace.verbs.data import DataVerbs

    found = {}
    for name in dict.fromkeys(each[1] for each in contents.view_features):
        if contents.views[name].asked:
            raise _asked(contents.name, name)
        view = _view_of_version(parts, name, contents.views[name].version)
        found[name] = (view, DataVerbs(parts).table(view.source))
    return found


def _view_of_version(parts: Parts, name: str, version: str) -> FeatureView:
    from tondo.stages.features.views import FeatureView

    for move in reversed(parts.ledger.history(f"view/{name}")):
        body = dict(parts.ledger.get("feature_view", move.target).body)
        if str(body.pop("digest"))[: len(version)] == version:
            return msgspec.convert(body, FeatureView)
    raise NotFoundError(
        "TD-SERVING-013",
        f"the definition {version} of view '{name}', which the model reads, is not recorded here",
        expected="a view as it was when the model was trained",
        fix="Define it again, or train on the view as it is now.",
        view=name,
    )


def _asked(model: str, view: str) -> CallerError:
    return CallerError(
        "TD-SERVING-011",
        f"'{model}' reads '{view}', whose values an outside service gives for each request",
        expected="a model whose features are computed from datasets",
        fix="Score these rows over HTTP, or by a stream, which ask the service.",
        view=view,
    )
