"""A model that is an ONNX graph already, put behind the features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx

from tondo.adapters.exports.onnx.lowerer import Refused

if TYPE_CHECKING:
    from tondo.adapters.exports.onnx.writer import GraphWriter

_SAME_SINCE_17 = frozenset(
    {
        *("Add", "Cast", "Concat", "Equal", "Gather", "IsNaN", "MatMul", "Mul", "Pad", "ReduceSum"),
        *("Sigmoid", "Slice", "Sub", "Where"),
    }
)
"""Operators whose meaning for these models is one from opset 17 to the graph's own."""
_OLDEST = 17
_PREFIX = "model."


def graph_score(writer: GraphWriter, data: bytes, features: str) -> str:
    """Return the score of a model's graph over a matrix."""
    model = onnx.load_model_from_string(data)
    graph = model.graph
    ends = len(graph.input), len(graph.output)
    if ends != (1, 1):
        raise Refused(f"a model graph with {ends[0]} inputs and {ends[1]} outputs")
    opsets = {each.domain: each.version for each in model.opset_import}
    strange = {each.op_type for each in graph.node} - _SAME_SINCE_17
    if strange or set(opsets) != {""} or opsets[""] < _OLDEST:
        raise Refused(f"a model graph of other operators: {', '.join(sorted(strange)) or opsets}")
    for constant in graph.initializer:
        constant.name = _PREFIX + constant.name
        writer.constants.append(constant)
    for node in graph.node:
        inputs = [
            features if each == graph.input[0].name else _PREFIX + each for each in node.input
        ]
        outputs = [_PREFIX + each for each in node.output]
        del node.input[:], node.output[:]
        node.input.extend(inputs)
        node.output.extend(outputs)
        writer.nodes.append(node)
    score: str = graph.output[0].name
    return _PREFIX + score
