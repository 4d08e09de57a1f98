"""A logistic regression as an ONNX graph in float64, with its own filling and scaling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import numpy as np

OPSET = 17
"""July 2022: the oldest set that says all we need; every onnxruntime from 1.20 on runs it."""

IR_VERSION = 8
"""The version that came with opset 17; a newer one would be refused by older runtimes."""

LANES = 8
"""Doubles in the widest vector register of today (AVX-512).

A row alone and the same row in a table must give the same bits. onnxruntime adds and rounds
differently in a vector loop and in the scalar ends around it, and where these lie depends on the
address. So every row is filled up with zeros to whole registers before it is summed, and the
sigmoid is taken in eight equal lanes, of which one is kept.
"""


class LogisticPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the graph holds, in the order of the features."""

    width: int
    """Columns of the input matrix."""
    numeric: list[int]
    """Positions of the numeric features."""
    mean: list[float]
    """Per numeric feature: fills a missing value and is subtracted."""
    inverse_sd: list[float]
    """Per numeric feature: multiplied after the mean is subtracted."""
    categorical: list[int]
    """Positions of the categorical features."""
    values: list[list[float]]
    """Per categorical feature: the values that have a coefficient; others count as none."""
    coefficients: list[float]
    """Numeric features first, then each categorical feature's values."""
    intercept: float


def logistic_graph(plan: LogisticPlan) -> bytes:
    """Return the serialised graph: `features` (rows x width) in, `score` (rows x 1) out."""
    from onnx import TensorProto, checker, helper

    writer = _Writer()
    parts = []
    if plan.numeric:
        parts.append(_scaled(writer, plan))
    for position, values in zip(plan.categorical, plan.values, strict=True):
        parts.append(_one_hot(writer, position, values))
    inputs = parts[0] if len(parts) == 1 else writer.add("Concat", parts, axis=1)
    # A product and a sum along the row, not MatMul: its kernels add in an order that may depend
    # on the number of rows.
    weighted = writer.add("Mul", [inputs, writer.row("coefficients", plan.coefficients)])
    rest = -len(plan.coefficients) % LANES
    if rest:
        weighted = writer.add("Pad", [weighted, writer.axes("rest", [0, 0, 0, rest])])
    total = writer.add("ReduceSum", [weighted, writer.axes("columns", [1])], keepdims=1)
    lanes = writer.add("Add", [total, writer.row("intercept", [plan.intercept] * LANES)])
    _keep_first_lane(writer, writer.add("Sigmoid", [lanes]))
    graph = helper.make_graph(
        writer.nodes,
        "logistic",
        [helper.make_tensor_value_info("features", TensorProto.DOUBLE, ["rows", plan.width])],
        [helper.make_tensor_value_info("score", TensorProto.DOUBLE, ["rows", 1])],
        writer.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    model.producer_name = "tondo"
    checker.check_model(model)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _scaled(writer: _Writer, plan: LogisticPlan) -> str:
    chosen = "features"
    if plan.categorical:
        chosen = writer.add("Gather", ["features", writer.axes("numeric", plan.numeric)], axis=1)
    mean = writer.row("mean", plan.mean)
    filled = writer.add("Where", [writer.add("IsNaN", [chosen]), mean, chosen])
    centred = writer.add("Sub", [filled, mean])
    return writer.add("Mul", [centred, writer.row("inverse_sd", plan.inverse_sd)])


def _one_hot(writer: _Writer, position: int, values: list[float]) -> str:
    from onnx import TensorProto

    place = writer.axes(f"position_{position}", [position])
    column = writer.add("Gather", ["features", place], axis=1)
    equal = writer.add("Equal", [column, writer.row(f"values_{position}", values)])
    return writer.add("Cast", [equal], to=TensorProto.DOUBLE)


def _keep_first_lane(writer: _Writer, lanes: str) -> None:
    bounds = [writer.axes(name, [at]) for name, at in (("first", 0), ("end", 1), ("lane", 1))]
    writer.add("Slice", [lanes, *bounds], output="score")


class _Writer:
    """Collects nodes and constants; every node's output has a name of its own."""

    def __init__(self) -> None:
        self.nodes: list[object] = []
        self.constants: list[object] = []

    def add(self, operator: str, inputs: list[str], *, output: str = "", **options: int) -> str:
        from onnx import helper

        name = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **options))
        return name

    def row(self, name: str, values: list[float]) -> str:
        import numpy as np

        return self._constant(name, np.array([values], dtype=np.float64))

    def axes(self, name: str, values: list[int]) -> str:
        import numpy as np

        return self._constant(name, np.array(values, dtype=np.int64))

    def _constant(self, name: str, array: np.ndarray) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(array, name))
        return name
