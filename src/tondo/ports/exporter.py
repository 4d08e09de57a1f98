"""The exporter port: features and model as one file that other languages run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from tondo.language.tree import Node

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


Role = Literal["score", "decision", "features"]


class ModelToExport(msgspec.Struct, frozen=True, kw_only=True):
    """What a package says of how a row becomes a score."""

    name: str
    features: dict[str, Node]
    """Feature to frozen, view-bound tree, in the order of the model's vector."""
    runtime: str
    """Name of the runtime that scores `files`."""
    files: dict[str, bytes]
    threshold: float | None
    """Score at or above which the decision is positive; None for no decision."""


class GraphInput(msgspec.Struct, frozen=True, kw_only=True):
    """A column that the graph reads."""

    name: str
    """A request column, or a view's feature under its canonical name `@view.feature[key]`."""
    type: str
    """Its type in the language."""
    tensor: str
    """`float64`, `int64`, `bool` or `string`: items of the input, whose shape is rows x 1."""
    null: str
    """How null is told: `NaN`, or the name of a second input, true where the value is null."""
    unit: str
    """What the number counts, where the type says so."""


class GraphOutput(msgspec.Struct, frozen=True, kw_only=True):
    """A column, or several, that the graph answers."""

    role: Role
    name: str
    """Its role, longer by an underscore where a column of the request has that name."""
    tensor: str
    shape: str
    meaning: str


class ExportedGraph(msgspec.Struct, frozen=True, kw_only=True):
    """The file, and what goes in and comes out."""

    data: bytes
    inputs: list[GraphInput]
    outputs: list[GraphOutput]


class GraphAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the graph says of one row."""

    features: list[float | None]
    """The model's vector, None where missing."""
    score: float
    decision: bool | None


class Exporter(Protocol):
    """Writes models of one format."""

    def export(self, model: ModelToExport) -> ExportedGraph:
        """Return the file; equal models have equal bytes.

        Errors: TD-EXPORT-001 (what has no form there, all reasons at once).
        """
        ...

    def answers(self, graph: ExportedGraph, rows: Sequence[Mapping[str, Any]]) -> list[GraphAnswer]:
        """Return what the file itself answers for rows in the language's own values."""
        ...
