"""Vectors computed again offline, from the snapshots, for predictions that were logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import pyarrow as pa

    from tondo.scoring.package import PackageContents
    from tondo.stages.monitoring.consistency import ConsistencyReport
    from tondo.workspace.bootstrap import Parts

_LOGGED = ("prediction_id", "as_of", "model_version_id", "vector", "inputs")


def recompute_logged(parts: Parts, deployment: str, *, rows: int) -> ConsistencyReport:
    """Compare logged vectors, spread evenly over the log, with those the engine builds now.

    All rows are of the model version that answered most of them.
    """
    import numpy as np
    import pyarrow.compute as pc

    from tondo.scoring.package import open_package
    from tondo.stages.monitoring.consistency import consistency
    from tondo.stages.monitoring.predictions import feature_matrix, read_predictions
    from tondo.stages.registry.versions import ModelVersion
    from tondo.stages.training.matrix import feature_matrix as compute_matrix

    logged = read_predictions(parts.predictions(deployment), columns=_LOGGED)
    counted = logged.column("model_version_id").value_counts().to_pylist()
    names: list[str] = []
    ours, theirs = [], []
    total = logged.num_rows
    wanted = np.unique(np.linspace(0, total - 1, min(rows, total)).astype(np.int64))
    sample = logged.take(wanted)
    for each in counted:
        part = sample.filter(pc.equal(sample.column("model_version_id"), each["values"]))
        if part.num_rows == 0:
            continue
        version = parts.ledger.read("model_version", each["values"], ModelVersion)
        contents = open_package(parts.blobs.get(version.package), key=parts.key)
        names = list(contents.features)
        joined = join_logged(parts, part, contents)
        ours.append(feature_matrix(part))
        theirs.append(compute_matrix(contents.features, joined, engine=parts.engine))
    return consistency(np.concatenate(ours), np.concatenate(theirs), names=names)


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


def join_logged(parts: Parts, logged: pa.Table, contents: PackageContents) -> pa.Table:
    """Join the view features of a package, as of each prediction, to its logged request columns."""
    from tondo.stages.features.joins import join_views
    from tondo.workspace.verbs.data import DataVerbs

    data = DataVerbs(parts)
    used = {view for _, view, _, _ in contents.view_features}
    views: dict[str, Any] = {
        name: (view, data.table(view.source)) for name, view in parts.views.items() if name in used
    }
    return join_views(
        request_columns(logged, contents),
        time="@as_of",
        view_features=[tuple(each) for each in contents.view_features],  # type: ignore[misc]
        views=views,
        engine=parts.engine,
    )


def request_columns(logged: pa.Table, contents: PackageContents) -> pa.Table:
    """Return id, as-of time and the request columns that a package reads, in column types."""
    import pyarrow as pa

    from tondo.stages.data.arrow_types import arrow_type

    decode = msgspec.json.Decoder(dict[str, Any]).decode
    inputs = [decode(each) for each in logged.column("inputs").to_pylist()]
    columns = {
        "prediction_id": logged.column("prediction_id"),
        "@as_of": logged.column("as_of"),
    }
    for name, type_ in contents.inputs.items():
        values = [each.get(name) for each in inputs]
        columns[name] = pa.array(values, type=arrow_type(type_))
    return pa.table(columns)
