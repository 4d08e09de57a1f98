"""Vectors computed again offline, from the snapshots, for predictions that were logged."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

    from tondo.scoring.package import PackageContents
    from tondo.stages.monitoring.consistency import ConsistencyReport
    from tondo.workspace.bootstrap import Parts

AS_OF = "@as_of"
"""The column with the instant of prediction; no request column can have this name."""
_ABSENT = type(msgspec.UNSET)
_LOGGED = ("prediction_id", "as_of", "model_version_id", "vector", "inputs")


def recompute_logged(
    parts: Parts,
    deployment: str,
    *,
    rows: int,
    start_us: int | None = None,
    end_us: int | None = None,
) -> ConsistencyReport:
    """Compare logged vectors, spread evenly over the log, with those the engine builds now.

    Each row is computed with the package that answered it, as of its instant and from what was
    known then. `start_us` and `end_us` bound the as-of time, the end left out.
    """
    import numpy as np
    import pyarrow.compute as pc

    from tondo.stages.monitoring.consistency import together
    from tondo.stages.monitoring.predictions import read_predictions

    logged = read_predictions(
        parts.predictions(deployment), start_us=start_us, end_us=end_us, columns=_LOGGED
    )
    wanted = np.linspace(0, logged.num_rows - 1, min(rows, logged.num_rows)).astype(np.int64)
    sample = logged.take(np.unique(wanted))
    ids = sample.column("model_version_id").unique().to_pylist()
    packages = {each: _package(parts, each) for each in ids}
    joined = join_logged(parts, sample, *packages.values())
    chosen = {each: pc.equal(sample.column("model_version_id"), each) for each in packages}
    return together(
        _compared(parts, contents, sample.filter(chosen[each]), joined.filter(chosen[each]))
        for each, contents in packages.items()
    )


def _compared(
    parts: Parts, contents: PackageContents, logged: pa.Table, joined: pa.Table
) -> ConsistencyReport:
    """Return how one version's logged vectors compare with those of the joined rows."""
    from tondo.stages.monitoring.consistency import consistency, tolerances_of
    from tondo.stages.monitoring.predictions import feature_matrix
    from tondo.stages.training.matrix import feature_matrix as compute_matrix

    return consistency(
        feature_matrix(logged),
        compute_matrix(contents.features, joined, engine=parts.engine),
        names=list(contents.features),
        tolerances=tolerances_of(contents.features),
        rows=logged.column("prediction_id").to_pylist(),
    )


def _package(parts: Parts, version_id: str) -> PackageContents:
    from tondo.scoring.package import open_package
    from tondo.stages.registry.versions import ModelVersion

    version = parts.ledger.read("model_version", version_id, ModelVersion)
    return open_package(parts.blobs.get(version.package), key=parts.key)


def logged_rows(parts: Parts, logged: pa.Table, contents: PackageContents) -> pa.Table:
    """Return, for logged predictions in their order, what a package reads: from their inputs.

    The values of view features were fetched for the very as-of time and are in the log, under
    names that say view, feature and key; to join the views again would find the same values at
    many times the cost, and `recompute_logged` is there to show that it does. What the model that
    answered did not read, of any row, was not logged: that alone is joined.
    """
    from tondo.stages.features.joins import join_views

    fetched = contents.view_features
    types = {each[0]: contents.views[each[1]].features[each[2]] for each in fetched}
    rows, incomplete = _input_columns(logged, {**contents.inputs, **types})
    absent = [each for each in fetched if each[0] in incomplete]
    if not absent:
        return rows
    return join_views(
        rows.drop_columns([each[0] for each in absent]),
        time=AS_OF,
        view_features=absent,
        views=_views(parts, absent),
        engine=parts.engine,
        keys=contents.keys,
    )


def join_logged(parts: Parts, logged: pa.Table, *packages: PackageContents) -> pa.Table:
    """Join what packages read, as of each prediction, to its logged request columns."""
    from tondo.stages.features.joins import join_views

    fetched: dict[str, tuple[str, str, str, str]] = {}
    inputs = {name: type_ for each in packages for name, type_ in each.inputs.items()}
    for contents in packages:
        for each in contents.view_features:
            layout = contents.views[each[1]]
            if layout.asked:
                # What a service answered cannot be computed again: it is an input.
                inputs[each[0]] = layout.features[each[2]]
            else:
                fetched[each[0]] = each
    return join_views(
        request_columns(logged, inputs),
        time=AS_OF,
        view_features=list(fetched.values()),
        views=_views(parts, fetched.values()),
        engine=parts.engine,
        keys={name: key for contents in packages for name, key in contents.keys.items()},
    )


def request_columns(logged: pa.Table, inputs: Mapping[str, str]) -> pa.Table:
    """Return id, as-of time and the request columns `inputs`, in column types."""
    return _input_columns(logged, inputs)[0]


def _views(parts: Parts, fetched: Iterable[tuple[str, str, str, str]]) -> dict[str, Any]:
    """Return the views that features are of, each with the table of its source."""
    from tondo.workspace.verbs.data import DataVerbs

    used = {view for _, view, _, _ in fetched}
    found = {name: view for name, view in parts.views.items() if name in used}
    return {name: (view, DataVerbs(parts).table(view.source)) for name, view in found.items()}


def _input_columns(logged: pa.Table, types: Mapping[str, str]) -> tuple[pa.Table, set[str]]:
    """Return id, as-of time and logged inputs, and the names that a row's inputs lack."""
    import pyarrow as pa

    from tondo.stages.data.arrow_types import arrow_type

    columns = {
        "prediction_id": logged.column("prediction_id"),
        AS_OF: logged.column("as_of"),
    }
    incomplete = set()
    for name, values in zip(types, _transposed(logged, list(types)), strict=True):
        if _ABSENT in set(map(type, values)):
            incomplete.add(name)
            values = [None if type(each) is _ABSENT else each for each in values]  # noqa: PLW2901 - the same values
        columns[name] = pa.array(values, type=arrow_type(types[name]))
    return pa.table(columns), incomplete


def _transposed(logged: pa.Table, names: list[str]) -> list[list[Any]]:
    """Return the logged inputs by name, UNSET where a row has none."""
    import pyarrow as pa

    # A struct of the names that are wanted is read without the others, and without a dictionary;
    # the garbage collector need not look at rows that hold only texts and numbers.
    places = {f"f{at}": name for at, name in enumerate(names)}
    fields: list[Any] = [(place, Any, msgspec.UNSET) for place in places]
    inputs = msgspec.defstruct("_Inputs", fields, rename=places, gc=False)
    decode = msgspec.json.Decoder(inputs).decode
    rows = [decode(each) for each in logged.column("inputs").cast(pa.binary()).to_pylist()]
    return [list(map(attrgetter(place), rows)) for place in places]
