"""Collects the nodes and constants of one graph; equal ones are written once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Collection

    from onnx import NodeProto, ValueInfoProto

FLOAT64, INT64, BOOL, STRING = "float64", "int64", "bool", "string"
ML = "ai.onnx.ml"
"""The domain of ONNX's operators for classical models."""

TENSORS = {
    FLOAT64: TensorProto.DOUBLE,
    INT64: TensorProto.INT64,
    BOOL: TensorProto.BOOL,
    STRING: TensorProto.STRING,
}
"""Kind of a tensor's items to ONNX's number for it."""

_NEUTRAL = {"Add": 0.0, "Sub": 0.0, "Mul": 1.0, "Div": 1.0}
_CLOSE = 1e-6
"""More than the difference that onnxruntime (NoopElimination) takes for none."""


class GraphWriter:
    """Every value is a column: rows x 1, or 1 x 1 where it is the same for all rows.

    Values are known by their names in the graph.
    """

    def __init__(self, *, reserved: Collection[str] = (), signed_zeros: bool = False) -> None:
        self.reserved = frozenset(reserved)
        """Names that inputs have or will have; nothing else gets one of these."""
        self.signed_zeros = signed_zeros
        """Whether choices keep the sign of zero, which onnxruntime's Where does not."""
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self.inputs: dict[str, ValueInfoProto] = {}
        self._names: dict[tuple[Any, ...], str] = {}
        self._numbers: dict[str, float] = {}
        """Name of a constant number to its value."""
        self._tall: set[str] = set()
        """Names of values that have a line for each row."""

    def free(self, name: str) -> str:
        """Return the name, longer by underscores where an input has it."""
        while name in self.reserved:
            name += "_"
        return name

    def input(self, name: str, kind: str) -> str:
        """Return the input of this name, rows x 1."""
        if name not in self.inputs:
            self.inputs[name] = helper.make_tensor_value_info(name, TENSORS[kind], ["rows", 1])
            self._tall.add(name)
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Return the one output of a node; tensors among the attributes are NumPy arrays."""
        if operator in _NEUTRAL:
            inputs = tuple(self._kept(operator, each) for each in inputs)
        made = {name: _attribute(value) for name, value in attributes.items()}
        node = helper.make_node(operator, inputs, ["-"], domain=domain, **made)
        key = ("node", node.SerializeToString(deterministic=True))
        if key not in self._names:
            name = self._names[key] = self.free(f"{operator.lower()}_{len(self.nodes)}")
            node.output[0] = name
            self.nodes.append(node)
            if not self._tall.isdisjoint(inputs):
                self._tall.add(name)
        return self._names[key]

    def output(self, value: str, name: str) -> None:
        """Give a value the name of an output."""
        self.nodes.append(helper.make_node("Identity", [value], [name]))

    def column(self, value: str) -> str:
        """Return the value as rows x 1, also where it is the same for all."""
        if value in self._tall:
            return value
        shape = self.add("Shape", next(iter(self.inputs)))
        return self.add("Expand", value, shape)

    def array(self, array: np.ndarray) -> str:
        """Return a constant tensor."""
        key = ("constant", array.dtype.str, array.shape, _bytes(array))
        if key not in self._names:
            name = self._names[key] = self.free(f"constant_{len(self.constants)}")
            self.constants.append(numpy_helper.from_array(array, name))
        return self._names[key]

    def double(self, *values: float) -> str:
        """Return a constant of 1 x n doubles; NaN is null."""
        name = self.array(np.array([values], dtype=np.float64))
        if len(values) == 1:
            self._numbers[name] = values[0]
        return name

    def _kept(self, operator: str, value: str) -> str:
        """Return a constant as a column where an optimiser would take it for neutral.

        onnxruntime drops `x + c` for a c that is merely close to 0, and joins `1 / y * z`.
        """
        number = self._numbers.get(value, math.nan)
        close = abs(number - _NEUTRAL[operator]) <= _CLOSE
        return self.column(value) if close and self.inputs else value

    def whole(self, *values: int) -> str:
        """Return a constant of 1 x n whole numbers of 64 bits."""
        return self.array(np.array([values], dtype=np.int64))

    def truth(self, value: bool) -> str:  # noqa: FBT001 - it is the constant
        """Return a constant truth value."""
        return self.array(np.array([[value]], dtype=np.bool_))

    def text(self, value: str) -> str:
        """Return a constant text."""
        return self.array(np.array([[value]], dtype=object))

    def axes(self, *values: int) -> str:
        """Return a constant list of whole numbers, such as the axes of a sum."""
        return self.array(np.array(values, dtype=np.int64))

    def either(self, *values: str) -> str:
        """Return whether any is true; what is never true costs nothing."""
        return self._joined("Or", values, neutral=self.truth(False))

    def both(self, *values: str) -> str:
        """Return whether all are true; what is always true costs nothing."""
        return self._joined("And", values, neutral=self.truth(True))

    def _joined(self, operator: str, values: tuple[str, ...], neutral: str) -> str:
        found, *others = [each for each in dict.fromkeys(values) if each != neutral] or [neutral]
        for each in others:
            found = self.add(operator, found, each)
        return found

    def where(self, condition: str, yes: str, no: str) -> str:
        """Return `yes` where the condition is true, else `no`; not for truth values."""
        if yes == no:
            return yes
        if not self.signed_zeros:
            return self.add("Where", condition, yes, no)
        pair = self.add("Concat", self._as_tall(no), self._as_tall(yes), axis=1)
        place = self.cast(self._as_tall(condition), INT64)
        return self.add("GatherElements", pair, place, axis=1)

    def _as_tall(self, value: str) -> str:
        return self.column(value) if self.inputs else value

    def cast(self, value: str, kind: str) -> str:
        """Return the value as another kind of number."""
        return self.add("Cast", value, to=TENSORS[kind])

    def summed(self, values: str) -> str:
        """Return the sum along each row, rows x 1."""
        return self.add("ReduceSum", values, self.axes(1), keepdims=1)


def _attribute(value: Any) -> Any:
    return numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value


def _bytes(array: np.ndarray) -> object:
    return tuple(array.ravel()) if array.dtype == object else array.tobytes()
