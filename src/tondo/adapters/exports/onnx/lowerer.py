"""Walks a tree and writes each call by its lowering; what cannot be written is gathered by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from tondo.adapters.exports.onnx.forms import (
    NULL_SUFFIX,
    Doubles,
    Form,
    Texts,
    Truths,
    Wholes,
    column_form,
    constant_form,
)
from tondo.core.columns import item_type
from tondo.language.functions import FUNCTIONS
from tondo.language.interpret import literal_value
from tondo.language.tree import Call, Column, Literal, Node
from tondo.language.walk import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.adapters.exports.onnx.writer import GraphWriter

Lowering = Callable[["Lowerer", Call], Form]


class Refused(Exception):  # noqa: N818 - caught where reasons are gathered; never leaves the folder
    """Why a call has no form in ONNX."""


class Lowerer:
    """Writes trees into a graph. `reasons` is why some could not be written, each once."""

    def __init__(self, writer: GraphWriter, lowerings: Mapping[str, Lowering]) -> None:
        self.writer = writer
        self.reasons: dict[str, None] = {}
        self.columns: dict[str, str] = {}
        """Request column that is read to its type."""
        self._lowerings = lowerings

    def form(self, node: Node) -> Form:
        """Return the form of a checked, frozen, view-bound tree.

        Of what is refused it is null, so that one walk finds every reason.
        """
        try:
            return self._form(node)
        except Refused as why:
            self.reasons[str(why)] = None
            return constant_form(self.writer, None, "double" if item_type(node.type) else node.type)

    def _form(self, node: Node) -> Form:
        if isinstance(node, Call):
            lowering = self._lowerings.get(node.function)
            if lowering is None:
                for each in node.arguments:
                    self._look(each)
                raise Refused(f"{node.function}: ONNX has nothing that answers alike")
            return lowering(self, node)
        if item_type(node.type) is not None:
            raise Refused(f"{_named(node)}: ONNX has no lists with nulls")
        if isinstance(node, Literal):
            assert not isinstance(node.value, tuple)
            return constant_form(self.writer, node.value, node.type)
        assert isinstance(node, Column)
        self.columns[node.name] = node.type
        return column_form(self.writer, node.name, node.type)

    def _look(self, node: Node) -> None:
        """Find reasons below what is refused already; constants have none."""
        if not isinstance(node, Literal):
            self.form(node)

    def taken_reasons(self) -> list[str]:
        """Return the reasons found since the last call."""
        reasons = list(self.reasons)
        self.reasons.clear()
        return reasons

    def clashes(self) -> list[str]:
        """Return the columns whose name another column's second input has."""
        nulls = {name + NULL_SUFFIX for name, type_ in self.columns.items() if type_ != "double"}
        return sorted(nulls & set(self.columns))

    def doubles(self, node: Node) -> str:
        """Return the column of a number."""
        form = self.form(node)
        assert isinstance(form, Doubles)
        return form.data

    def truths(self, node: Node) -> Truths:
        """Return the form of a truth value."""
        form = self.form(node)
        assert isinstance(form, Truths)
        return form

    def wholes(self, node: Node) -> Wholes:
        """Return the form of an id, a timestamp or a date."""
        form = self.form(node)
        assert isinstance(form, Wholes)
        return form

    def texts(self, node: Node) -> Texts:
        """Return the form of a text."""
        form = self.form(node)
        assert isinstance(form, Texts)
        return form

    def null_double(self) -> str:
        """Return the null of numbers."""
        return self.writer.double(math.nan)


def folded(node: Node) -> Node:
    """Return the tree in which every call on constants is the constant that it answers.

    onnxruntime would do so too, and then drop sums with what is merely close to 0.
    """
    return replace(node, _folded_call)


def _folded_call(node: Node) -> Node:
    if not isinstance(node, Call):
        return node
    values = [literal_value(each) for each in node.arguments if isinstance(each, Literal)]
    if len(values) != len(node.arguments):
        return node
    function = FUNCTIONS[node.function]
    missing = function.nulls == "strict" and None in values
    value = None if missing else function.kernel(*values)
    return Literal(tuple(value) if isinstance(value, list) else value, node.type)


def constant_of(node: Node) -> object:
    """Return the value of an argument that the signature wants constant."""
    assert isinstance(node, Literal)
    return literal_value(node)


def text_of(node: Node, what: str) -> str:
    """Return the text of an argument; Refused where it is no constant."""
    value = literal_value(node) if isinstance(node, Literal) else None
    if not isinstance(value, str):
        raise Refused(f"{what} of a text that is not constant: ONNX takes patterns as constants")
    return value


def _named(node: Node) -> str:
    return f"column '{node.name}' of {node.type}" if isinstance(node, Column) else "a list"
