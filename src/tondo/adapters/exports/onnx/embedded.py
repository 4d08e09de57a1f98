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
    named = {
        each: writer.free(_PREFIX + each)
        for node in graph.node
        for each in [*node.input, *node.output]
    }
    named[graph.input[0].name] = features
    for constant in graph.initializer:
        constant.name = named[constant.name]
        writer.constants.append(constant)
    for node in graph.node:
        inputs, outputs = ([named[each] for each in names] for names in (node.input, node.output))
        del node.input[:], node.output[:]
        node.input.extend(inputs)
        node.output.extend(outputs)
        writer.nodes.append(node)
    return named[graph.output[0].name]
