"""A written graph as a model of ONNX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnx import ModelProto, checker, helper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onnx import NodeProto, ValueInfoProto

    from tondo.adapters.exports.onnx.writer import GraphWriter

OPSET = 21
"""May 2024, ONNX 1.16: strings in Equal, patterns in RegexFullMatch."""
ML_OPSET = 5
"""Of the same release: TreeEnsemble with thresholds and leaves in double precision."""
IR_VERSION = 10
"""The format of the same release."""


def model_of(writer: GraphWriter, outputs: Sequence[ValueInfoProto], name: str) -> ModelProto:
    """Return the checked model; equal graphs have equal bytes."""
    nodes = _needed(writer.nodes, {each.name for each in outputs})
    read = {name for node in nodes for name in node.input}
    constants = [each for each in writer.constants if each.name in read]
    inputs = list(writer.inputs.values())
    graph = helper.make_graph(nodes, name, inputs, list(outputs), constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets)
    model.ir_version = IR_VERSION
    model.producer_name = "tondo"
    checker.check_model(model)
    return model


def _needed(nodes: Sequence[NodeProto], wanted: set[str]) -> list[NodeProto]:
    """Return the nodes that lead to what is wanted, in their order.

    A part that nobody reads, such as when a comparison is false, would make runtimes warn.
    """
    found: list[NodeProto] = []
    for node in reversed(nodes):
        if not wanted.isdisjoint(node.output):
            wanted.update(node.input)
            found.append(node)
    return found[::-1]
