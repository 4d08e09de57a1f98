"""Writes features and model as one ONNX graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import helper

from tondo.adapters.exports.onnx.boosted import trees_score
from tondo.adapters.exports.onnx.embedded import graph_score
from tondo.adapters.exports.onnx.forms import KINDS, NULL_SUFFIX, Doubles, Truths, is_null
from tondo.adapters.exports.onnx.graph import model_of
from tondo.adapters.exports.onnx.lowerer import Lowerer, Refused, folded
from tondo.adapters.exports.onnx.lowering_table import LOWERINGS
from tondo.adapters.exports.onnx.running import answers
from tondo.adapters.exports.onnx.writer import BOOL, FLOAT64, TENSORS, GraphWriter
from tondo.core.errors import DefinitionError
from tondo.language.tree import Call, nodes_of
from tondo.language.walk import columns_of, expand_fitted
from tondo.ports.exporter import ExportedGraph, GraphAnswer, GraphInput, GraphOutput, Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from onnx import ValueInfoProto

    from tondo.language.tree import Node
    from tondo.ports.exporter import ModelToExport

_UNITS = {
    "timestamp": "microseconds since 1970-01-01T00:00:00Z",
    "date": "days since 1970-01-01",
}
_LARGEST = float(np.finfo(np.float64).max)


class OnnxExporter:
    """Writes ONNX; what has no form there is refused by name."""

    def export(self, model: ModelToExport) -> ExportedGraph:
        """Return the graph; TD-EXPORT-001 tells every reason why there is none."""
        trees = {name: folded(expand_fitted(node)) for name, node in model.features.items()}
        read = {name for tree in trees.values() for name in columns_of(tree)}
        writer = GraphWriter(
            reserved=read | {name + NULL_SUFFIX for name in read},
            signed_zeros=any(map(_tells_zeros_apart, trees.values())),
        )
        lowerer = Lowerer(writer, LOWERINGS)
        matrix, reasons = _matrix(lowerer, trees)
        try:
            score = _score(writer, model, matrix)
        except Refused as why:
            reasons.append(f"the model: {why}")
        if reasons:
            raise _refused(model.name, reasons)
        outputs = _outputs(writer, model)
        named = {"features": matrix, "score": score}
        if model.threshold is not None:
            limit = writer.double(model.threshold)
            named["decision"] = writer.add("GreaterOrEqual", score, limit)
        for each in outputs:
            writer.output(named[each.role], each.name)
        declared = [_declared(each, len(trees)) for each in outputs]
        return ExportedGraph(
            data=model_of(writer, declared, model.name).SerializeToString(deterministic=True),
            inputs=[_input(name, type_) for name, type_ in lowerer.columns.items()],
            outputs=outputs,
        )

    def answers(self, graph: ExportedGraph, rows: Sequence[Mapping[str, Any]]) -> list[GraphAnswer]:
        """Return what onnxruntime says of rows in the language's own values."""
        return answers(graph, rows)


def _tells_zeros_apart(tree: Node) -> bool:
    return any(isinstance(each, Call) and each.function == "atan2" for each in nodes_of(tree))


def _matrix(lowerer: Lowerer, trees: Mapping[str, Node]) -> tuple[str, list[str]]:
    """Return the model's matrix, rows x features, and why it cannot be written."""
    writer, reasons = lowerer.writer, []
    parts = []
    for name, tree in trees.items():
        form, found = lowerer.form(tree), lowerer.taken_reasons()
        if isinstance(form, Doubles | Truths):
            parts.append(_vector_part(writer, form))
        else:
            found.append(f"it is of type {tree.type}, neither a number nor a truth value")
        reasons += [f"feature '{name}': {why}" for why in found]
    reasons += [f"column '{each}': the name is that of an input" for each in lowerer.clashes()]
    if not writer.inputs:
        return "", [*reasons, "no feature reads a column"]
    return writer.add("Concat", *map(writer.column, parts), axis=1), reasons


def _vector_part(writer: GraphWriter, form: Doubles | Truths) -> str:
    """Return a feature as the model reads it: true is 1, and what is not finite is missing."""
    missing = writer.double(np.nan)
    if isinstance(form, Truths):
        return writer.where(is_null(writer, form), missing, writer.cast(form.yes, FLOAT64))
    finite = writer.add("LessOrEqual", writer.add("Abs", form.data), writer.double(_LARGEST))
    return writer.where(finite, form.data, missing)


def _score(writer: GraphWriter, model: ModelToExport, matrix: str) -> str:
    files = list(model.files.values())
    if model.runtime == "lightgbm" and len(files) == 1:
        return trees_score(writer, files[0].decode(), matrix)
    if model.runtime == "onnx" and len(files) == 1:
        return graph_score(writer, files[0], matrix)
    raise Refused(f"the runtime '{model.runtime}' has no form in ONNX")


def _outputs(writer: GraphWriter, model: ModelToExport) -> list[GraphOutput]:
    """Return what the graph answers, in order."""

    def output(role: Role, tensor: str, columns: int, meaning: str) -> GraphOutput:
        name, shape = writer.free(role), f"rows x {columns}"
        return GraphOutput(role=role, name=name, tensor=tensor, shape=shape, meaning=meaning)

    found = [output("score", FLOAT64, 1, "the prediction")]
    if model.threshold is not None:
        meaning = f"whether the score is {model.threshold!r} or more"
        found.append(output("decision", BOOL, 1, meaning))
    meaning = "what the model reads, NaN missing: " + ", ".join(model.features)
    return [*found, output("features", FLOAT64, len(model.features), meaning)]


def _declared(output: GraphOutput, width: int) -> ValueInfoProto:
    columns = width if output.role == "features" else 1
    return helper.make_tensor_value_info(output.name, TENSORS[output.tensor], ["rows", columns])


def _input(name: str, type_: str) -> GraphInput:
    return GraphInput(
        name=name,
        type=type_,
        tensor=KINDS[type_],
        null="NaN" if type_ == "double" else name + NULL_SUFFIX,
        unit=_UNITS.get(type_, ""),
    )


def _refused(name: str, reasons: Sequence[str]) -> DefinitionError:
    return DefinitionError(
        "TD-EXPORT-001",
        f"'{name}' cannot be exported to ONNX: " + "; ".join(reasons),
        expected="features of what docs/reference/export.md lists, and a model of a known runtime",
        fix="Serve it by the scorer or tondo.load, or train it on features that can be exported.",
        reasons=list(reasons),
    )
