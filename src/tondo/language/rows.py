"""Trees to one Python function for a row: straight lines, every shared part computed once.

The source is made of our own words and numbered names only. Column names, texts, numbers and
kernels reach it as values bound by position, so nothing that a tree says is ever executed.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from tondo.core.columns import item_type
from tondo.language.bound import bind, split_time
from tondo.language.functions import FUNCTIONS
from tondo.language.inline import INLINE, NAN_MAKERS, NAN_PASSERS, NEVER_NULL
from tondo.language.interpret import literal_value
from tondo.language.tree import Call, Column, Literal, Node, ViewFeature
from tondo.language.values import READERS, finite
from tondo.language.walk import expand_fitted

RowFunction = Callable[[Mapping[str, Any]], list[Any]]
PackFunction = Callable[..., bytes]

_CLASSES = {"double": float, "bool": bool, "string": str}


def compile_rows(features: Mapping[str, Node]) -> RowFunction:
    """Return the function from a row to the values of `features`, in their order.

    Values are float, bool, str, int (ids, microseconds, days) or None. Equal to
    `interpret.evaluate` in every bit.

    >>> from tondo.language.check import check
    >>> from tondo.language.parse import parse
    >>> compile_rows({"half": check(parse("x / 2"), {"x": "double"})})({"x": 3})
    [1.5]
    """
    return _Writer(vector=False).function(features)


def compile_vector(features: Mapping[str, Node]) -> Callable[[Mapping[str, Any]], list[float]]:
    """Return the function from a row to floats for a model: true is 1.0, null is NaN."""
    return _Writer(vector=True).function(features)


def compile_packed(features: Mapping[str, Node], columns: Sequence[str]) -> PackFunction:
    """Return the function from the values of `columns`, by position, to a packed vector.

    The vector is that of `compile_vector` as float64, little-endian. Values are as a typed decoder
    made them: None, or of their column's own class, doubles finite, whole numbers of 64 bits.

    >>> from tondo.language.check import check
    >>> from tondo.language.parse import parse
    >>> tree = check(parse("x / y"), {"x": "double", "y": "double"})
    >>> struct.unpack("<d", compile_packed({"ratio": tree}, ["y", "x"])(2.0, 3.0))
    (1.5,)
    """
    writer = _Writer(vector=True)
    writer.parameters = {name: f"p{place}" for place, name in enumerate(columns)}
    return writer.function(features)


def generated_source(features: Mapping[str, Node]) -> str:
    """Return the source that `compile_rows` runs, to be read by people."""
    writer = _Writer(vector=False)
    writer.plan(features)
    return writer.source()


class _Step(msgspec.Struct):
    """One distinct sub-expression."""

    node: Node
    arguments: tuple[int, ...] = ()
    nan: bool = False
    """May hold NaN in place of null."""
    guarded: bool = False
    """Something reads it that NaN must not reach."""
    nullable: bool = True


class _Writer:
    def __init__(self, *, vector: bool) -> None:
        self.vector = vector
        self.steps: list[_Step] = []
        self.places: dict[tuple[Any, ...], int] = {}
        self.bound: list[Any] = []
        self.names: dict[int, str] = {}
        self.lines: list[str] = []
        self.outputs: list[int] = []
        self.parameters: dict[str, str] | None = None
        """Column to its parameter, where values are handed in by position."""

    def function(self, features: Mapping[str, Node]) -> Callable[..., Any]:
        self.plan(features)
        space: dict[str, Any] = {}
        exec(compile(self.source(), "<compiled features>", "exec"), space)  # noqa: S102 - own words only
        built: Callable[..., Any] = space["build"](tuple(self.bound))
        return built

    def plan(self, features: Mapping[str, Node]) -> None:
        self.outputs = [self.place(expand_fitted(node)) for node in features.values()]
        for index, step in enumerate(self.steps):
            self.write(index, step)
        answer = ", ".join(map(self.output, self.outputs))
        if self.parameters is None:
            self.lines.append(f"return [{answer}]")
        else:
            self.write_packing(answer)

    def write_packing(self, answer: str) -> None:
        pack = self.bind(struct.Struct(f"<{len(self.outputs)}d").pack)
        types = {self.steps[each].node.type for each in self.outputs}
        if types == {"double"} and all(map(self.is_given, self.outputs)):
            plain = ", ".join(self.value(each) for each in self.outputs)
            failed = self.bind(struct.error)  # one is None
            self.lines += ["try:", f"    return {pack}({plain})", f"except {failed}: pass"]
        self.lines.append(f"return {pack}({answer})")

    def source(self) -> str:
        head = ["def build(bound):"]
        if self.bound:
            head.append(f"    {' '.join(f'k{n},' for n in range(len(self.bound)))} = bound")
        if self.parameters is None:
            body = ["    def compiled(row):", "        get = row.get"]
        else:
            body = [f"    def compiled({', '.join(self.parameters.values())}):"]
        body += [f"        {line}" for line in self.lines]
        return "\n".join([*head, *body, "    return compiled", ""])

    def place(self, node: Node) -> int:
        """Return the number of the step for `node`, made now unless an equal one is there."""
        arguments: tuple[int, ...] = ()
        if isinstance(node, Call):
            node = split_time(node)
            arguments = tuple(self.place(each) for each in node.arguments)
            key: tuple[Any, ...] = (node.function, node.type, arguments)
            folded = self.folded(node, arguments)
            if folded is not None:
                return self.place(folded)
        elif isinstance(node, Literal):
            key = ("literal", node.type, repr(node.value))
        else:
            node = _as_column(node)
            key = ("column", node.type, node.name)
        if key not in self.places:
            self.places[key] = len(self.steps)
            self.steps.append(self.step(node, arguments))
        return self.places[key]

    def folded(self, node: Call, arguments: Sequence[int]) -> Literal | None:
        """Return the constant that a call on constants is, else None."""
        below = [self.steps[each].node for each in arguments]
        function = FUNCTIONS.get(node.function)
        if function is None or not all(isinstance(each, Literal) for each in below):
            return None
        values = [literal_value(each) for each in below if isinstance(each, Literal)]
        if function.nulls == "strict" and None in values:
            return Literal(None, node.type)
        value = function.kernel(*values)
        return Literal(tuple(value) if isinstance(value, list) else value, node.type)

    def step(self, node: Node, arguments: tuple[int, ...]) -> _Step:
        if isinstance(node, Literal):
            return _Step(node, nullable=node.value is None)
        if not isinstance(node, Call):
            return _Step(node)
        below = [self.steps[each] for each in arguments]
        nan = self.makes_nan(node.function, below)
        if node.function not in NAN_PASSERS:
            for each in below:
                each.guarded = True
        return _Step(node, arguments, nan=nan)

    def makes_nan(self, function: str, below: Sequence[_Step]) -> bool:
        if function in NAN_PASSERS and any(each.nan for each in below):
            return True
        if function not in NAN_MAKERS:
            return False
        return not any(_steady(function, each.node) for each in below)

    def value(self, index: int) -> str:
        return self.names[index]

    def bind(self, value: Any) -> str:
        self.bound.append(value)
        return f"k{len(self.bound) - 1}"

    def write(self, index: int, step: _Step) -> None:
        node = step.node
        if isinstance(node, Literal):
            constant = literal_value(node)
            self.names[index] = "None" if constant is None else self.bind(constant)
            return
        name = self.names[index] = f"t{index}"
        if isinstance(node, Call):
            self.lines.append(f"{name} = {self.formula(step, node)}")
            if step.nan and step.guarded:
                self.lines.append(f"if {name} != {name}: {name} = None")
                step.nullable = True
        elif self.parameters is not None:
            self.names[index] = self.parameter(name, _as_column(node), self.parameters)
        else:
            self.write_column(name, _as_column(node))

    def write_column(self, name: str, node: Column) -> None:
        key, reader = self.bind(node.name), self.bind(READERS[node.type])
        if item_type(node.type) is not None:
            self.lines.append(f"{name} = {reader}(get({key}), {key})")
            return
        class_ = self.bind(_CLASSES.get(node.type, int))
        self.lines.append(f"{name} = get({key})")
        self.lines.append(f"if {name}.__class__ is not {class_}: {name} = {reader}({name}, {key})")
        if node.type == "double":
            self.lines.append(f"elif {name} != {name}: {name} = None")
        elif node.type not in _CLASSES:
            low, high = self.bind(-(2**63)), self.bind(2**63)
            self.lines.append(f"elif not {low} <= {name} < {high}: {reader}({name}, {key})")

    def parameter(self, name: str, node: Column, parameters: Mapping[str, str]) -> str:
        """Return the name of a value that is handed in; lists are read as everywhere."""
        value = parameters.get(node.name, "None")
        if item_type(node.type) is None:
            return value
        key, reader = self.bind(node.name), self.bind(READERS[node.type])
        self.lines.append(f"{name} = {reader}({value}, {key})")
        return name

    def formula(self, step: _Step, node: Call) -> str:
        below = [self.steps[each] for each in step.arguments]
        names = [self.names[each] for each in step.arguments]
        function = FUNCTIONS.get(node.function)
        strict = function is None or function.nulls == "strict"
        nullable = [name for name, each in zip(names, below, strict=True) if each.nullable]
        step.nullable = bool(nullable) if strict and node.function in INLINE else True
        if node.function in NEVER_NULL:
            step.nullable = False
        guard = " or ".join(f"{each} is None" for each in dict.fromkeys(nullable))
        body = INLINE[node.function](names) if node.function in INLINE else None
        if body is None:
            body = self.called(node, below, names)
        elif node.function == "divide":
            guard = self.divisor_guard(guard, below[1], names[1])
            step.nullable = bool(guard)
        return f"None if {guard} else {body}" if guard and strict else body

    def divisor_guard(self, guard: str, divisor: _Step, name: str) -> str:
        if isinstance(divisor.node, Literal) and divisor.node.value:
            return guard
        zero = f"{name} == 0.0"
        return f"{guard} or {zero}" if guard else zero

    def called(self, node: Call, below: Sequence[_Step], names: Sequence[str]) -> str:
        constants = [
            literal_value(each.node) if isinstance(each.node, Literal) else None for each in below
        ]
        of_list = bool(below) and item_type(below[0].node.type) is not None
        kernel, places = bind(node.function, constants, of_list=of_list)
        return f"{self.bind(kernel)}({', '.join(names[each] for each in places)})"

    def is_given(self, index: int) -> bool:
        """Return whether a step is a value that was handed in, and so finite or None."""
        return self.parameters is not None and isinstance(self.steps[index].node, Column)

    def output(self, index: int) -> str:
        """Return the expression of one answer: a double that is not finite is null."""
        name, type_ = self.names[index], self.steps[index].node.type
        missing = self.bind(math.nan) if self.vector else "None"
        if type_ == "double" and self.is_given(index):
            return f"{missing} if {name} is None else {name}"
        if type_ == "double":
            return f"{name} if {name} is not None and {name} - {name} == 0.0 else {missing}"
        if type_ == "list<double>":
            return f"{self.bind(finite)}({name})"
        if self.vector:
            return f"{missing} if {name} is None else {self.bind(float)}({name})"
        return name


def _as_column(node: Node) -> Column:
    if isinstance(node, ViewFeature):
        return Column(f"@{node.view}.{node.feature}[{node.key or ''}]", node.type)
    assert isinstance(node, Column)
    return node


def _steady(function: str, node: Node) -> bool:
    """Return whether this operand alone rules out a NaN that no operand brings along.

    inf + c, inf * c and inf / c are infinite for a finite c that is not 0.
    """
    value = literal_value(node) if isinstance(node, Literal) else None
    if value is None:
        return False
    return math.isfinite(value) and (function in {"add", "subtract"} or value != 0.0)
