"""A model version as an ONNX graph, with sample rows whose answers the package itself gave."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import PlatformError
from tondo.language.bounds import Undecided
from tondo.language.decided import bounded
from tondo.ports.exporter import GraphInput, GraphOutput, ModelToExport
from tondo.scoring.serving import row_types

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.ports.exporter import ExportedGraph, Exporter, GraphAnswer
    from tondo.scoring.model import LoadedModel
    from tondo.scoring.package import PackageContents

Row = dict[str, Any]

SCORE_TOLERANCE = 1e-6
"""Largest difference of a score beside equal decisions (as when a model's runtime is chosen)."""
FEATURE_TOLERANCE = 1e-12
"""Relative difference of a feature; only functions that are not exact in ONNX need any."""

_EDGES: Mapping[str, tuple[Any, ...]] = {
    "double": (None, 0.0, -1.0, 0.5, 1e-9, 1e9, -1e300),
    "bool": (None, True, False),
    "string": (None, "", "no such value"),
    "id": (None, 0, -1, 2**53 + 1, -(2**63)),
    # A summer day; before 1970; the instant when clocks in New York went forward; outside years.
    "timestamp": (None, 1_373_889_600_000_000, -1, 1_362_898_800_000_000, 2**62),
    "date": (None, 0, -1, 15_796, 59),
}
"""Values of a column that other languages get wrong first."""

_DIGITS = frozenset({"id", "timestamp", "date"})
"""Types whose numbers are written as text: 64 bits do not survive every reader of JSON."""


class ExportSample(msgspec.Struct, frozen=True, kw_only=True):
    """A row and what the package answers for it."""

    inputs: dict[str, Any]
    """Column to value, null where missing; whole numbers as text of digits."""
    features: dict[str, float | None]
    score: float
    decision: bool | None


class ModelExport(msgspec.Struct, frozen=True, kw_only=True):
    """A model version in a form that other languages run."""

    model: str
    version: int
    package: str
    """Digest of the package that it was made from."""
    threshold: float | None
    inputs: list[GraphInput]
    outputs: list[GraphOutput]
    samples: list[ExportSample]
    graph: bytes
    """The ONNX graph; in JSON as base64."""

    def __repr__(self) -> str:
        """Say what it is in one line."""
        return (
            f"ModelExport({self.model!r}, version={self.version}, inputs={len(self.inputs)}, "
            f"samples={len(self.samples)}, bytes={len(self.graph)})"
        )


def export_model(
    model: LoadedModel, exporter: Exporter, *, version: int, package: str
) -> ModelExport:
    """Return the graph of a loaded package, after it answered the samples as the package does.

    Errors: TD-EXPORT-001 (what has no form in ONNX), TD-EXPORT-002 (the graph answers otherwise).
    """
    contents = model.contents
    graph = exporter.export(
        ModelToExport(
            name=contents.name,
            features=contents.features,
            runtime=contents.runtime,
            files=contents.files,
            threshold=contents.threshold,
        )
    )
    rows = sample_rows(contents, [each.name for each in graph.inputs])
    samples = [_sample(model, graph, row) for row in rows]
    for row, sample, answer in zip(rows, samples, exporter.answers(graph, rows), strict=True):
        _check(contents.name, row, sample, answer)
    return ModelExport(
        model=contents.name,
        version=version,
        package=package,
        threshold=contents.threshold,
        inputs=graph.inputs,
        outputs=graph.outputs,
        samples=samples,
        graph=graph.data,
    )


def sample_rows(contents: PackageContents, columns: Sequence[str]) -> list[Row]:
    """Return the package's sample rows, each column's edges in one of them, and a row of nulls.

    Rows that the language leaves undecided, where engines may part, are left out.
    """
    types = row_types(contents, fetched=False)
    given = [{name: each.row.get(name) for name in columns} for each in contents.samples]
    nulls: Row = dict.fromkeys(columns)
    one = given[0] if given else nulls
    edges = [{**one, name: edge} for name in columns for edge in _EDGES[types[name]]]
    return [row for row in [*given, *edges, nulls] if _is_decided(contents, row)]


def _is_decided(contents: PackageContents, row: Row) -> bool:
    try:
        for node in contents.features.values():
            bounded(node, row)
    except Undecided:
        return False
    return True


def _sample(model: LoadedModel, graph: ExportedGraph, row: Row) -> ExportSample:
    vector = model.vector(row)
    score, threshold = model.score_vector(vector), model.contents.threshold
    types = {each.name: each.type for each in graph.inputs}
    return ExportSample(
        inputs={name: _written(value, types[name]) for name, value in row.items()},
        features={
            name: None if math.isnan(value) else value
            for name, value in zip(model.contents.features, vector, strict=True)
        },
        score=score,
        decision=None if threshold is None else score >= threshold,
    )


def _written(value: Any, type_: str) -> Any:
    return str(value) if type_ in _DIGITS and value is not None else value


def _check(name: str, row: Row, sample: ExportSample, answer: GraphAnswer) -> None:
    for (feature, wanted), found in zip(sample.features.items(), answer.features, strict=True):
        if not _alike(found, wanted):
            raise _differs(name, row, f"feature '{feature}'", found, wanted)
    near = abs(answer.score - sample.score) <= SCORE_TOLERANCE
    if not near or answer.decision != sample.decision:
        raise _differs(name, row, "the score", answer.score, sample.score)


def _alike(found: float | None, wanted: float | None) -> bool:
    if found is None or wanted is None:
        return found is wanted
    return math.isclose(found, wanted, rel_tol=FEATURE_TOLERANCE, abs_tol=FEATURE_TOLERANCE)


def _differs(name: str, row: Row, what: str, found: Any, wanted: Any) -> PlatformError:
    return PlatformError(
        "TD-EXPORT-002",
        f"the ONNX graph of '{name}' answers otherwise: {what} is {found!r} for {row}",
        expected=f"{wanted!r}, as the package answers",
        fix="Report the row; until then serve the package by the scorer or tondo.load.",
    )
