"""Vectors computed again offline, from the snapshots, for predictions that were logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from tondo.scoring.package import PackageContents
    from tondo.stages.monitoring.consistency import ConsistencyReport
    from tondo.workspace.bootstrap import Parts

AS_OF = "@as_of"
"""The column with the instant of prediction; no request column can have this name."""
_LOGGED = ("prediction_id", "as_of", "model_version_id", "vector", "inputs")


def recompute_logged(parts: Parts, deployment: str, *, rows: int) -> ConsistencyReport:
    """Compare logged vectors, spread evenly over the log, with those the engine builds now.

    Each row is computed with the package that answered it; all versions must name the same
    features.
    """
    import numpy as np
    import pyarrow.compute as pc

    from tondo.stages.monitoring.consistency import consistency
    from tondo.stages.monitoring.predictions import feature_matrix, read_predictions
    from tondo.stages.training.matrix import feature_matrix as compute_matrix

    logged = read_predictions(parts.predictions(deployment), columns=_LOGGED)
    wanted = np.linspace(0, logged.num_rows - 1, min(rows, logged.num_rows)).astype(np.int64)
    sample = logged.take(np.unique(wanted))
    ids = sample.column("model_version_id").unique().to_pylist()
    packages = {each: _package(parts, each) for each in ids}
    joined = join_logged(parts, sample, *packages.values())
    names: list[str] = []
    ours, theirs = [], []
    for version_id, contents in packages.items():
        chosen = pc.equal(sample.column("model_version_id"), version_id)
        names = list(contents.features)
        ours.append(feature_matrix(sample.filter(chosen)))
        theirs.append(compute_matrix(contents.features, joined.filter(chosen), engine=parts.engine))
    if not packages:
        nothing = np.empty((0, 0))
        return consistency(nothing, nothing, names=[])
    return consistency(np.concatenate(ours), np.concatenate(theirs), names=names)


def _package(parts: Parts, version_id: str) -> PackageContents:
    from tondo.scoring.package import open_package
    from tondo.stages.registry.versions import ModelVersion

    version = parts.ledger.read("model_version", version_id, ModelVersion)
    return open_package(parts.blobs.get(version.package), key=parts.key)


def logged_rows(
    parts: Parts, deployment: str, contents: PackageContents, *, window: tuple[int, int]
) -> pa.Table:
    """Return logged predictions of a window with the view features that `contents` reads."""
    from tondo.stages.monitoring.predictions import read_predictions

    logged = read_predictions(
        parts.predictions(deployment),
        start_us=window[0],
        end_us=window[1],
        columns=("prediction_id", "as_of", "inputs"),
    )
    return join_logged(parts, logged, contents)


def join_logged(parts: Parts, logged: pa.Table, *packages: PackageContents) -> pa.Table:
    """Join what packages read, as of each prediction, to its logged request columns."""
    from tondo.stages.features.joins import join_views
    from tondo.workspace.verbs.data import DataVerbs

    data = DataVerbs(parts)
    fetched = {each[0]: each for contents in packages for each in contents.view_features}
    used = {view for _, view, _, _ in fetched.values()}
    views: dict[str, Any] = {
        name: (view, data.table(view.source)) for name, view in parts.views.items() if name in used
    }
    inputs = {name: type_ for each in packages for name, type_ in each.inputs.items()}
    return join_views(
        request_columns(logged, inputs),
        time=AS_OF,
        view_features=list(fetched.values()),
        views=views,
        engine=parts.engine,
    )


def request_columns(logged: pa.Table, inputs: Mapping[str, str]) -> pa.Table:
    """Return id, as-of time and the request columns `inputs`, in column types."""
    import pyarrow as pa

    from tondo.stages.data.arrow_types import arrow_type

    decode = msgspec.json.Decoder(dict[str, Any]).decode
    rows = [decode(each) for each in logged.column("inputs").to_pylist()]
    columns = {
        "prediction_id": logged.column("prediction_id"),
        AS_OF: logged.column("as_of"),
    }
    for name, type_ in inputs.items():
        columns[name] = pa.array([each.get(name) for each in rows], type=arrow_type(type_))
    return pa.table(columns)
