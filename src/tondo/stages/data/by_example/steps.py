"""One step of a search: a function with its constants, applied to a term that is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.language.functions import FUNCTIONS
from tondo.language.tree import Call, Literal, Node

if TYPE_CHECKING:
    from collections.abc import Sequence


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A function of one value: how its tree is built and how it is computed."""

    build: Callable[[Node], Node]
    compute: Callable[[Any], Any]
    """Given a value that is not null."""
    type: str
    cost: int


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """An expression of the search with its values on the points."""

    node: Node
    type: str
    values: tuple[Any, ...]
    cost: int


def call(function: str, type_: str, *arguments: Node) -> Call:
    """Return a typed call."""
    return Call(function, arguments, type_)


def constant(value: Any) -> Literal:
    """Return a number, text or truth value as a typed constant."""
    if isinstance(value, bool):
        return Literal(value, "bool")
    if isinstance(value, str):
        return Literal(value, "string")
    return Literal(float(value), "double")


def step(
    function: str,
    type_: str,
    *,
    cost: int,
    before: Sequence[Any] = (),
    after: Sequence[Any] = (),
) -> Step:
    """Return the step that calls `function` with constants around the value."""
    kernel = FUNCTIONS[function].kernel
    ahead, behind = tuple(before), tuple(_value(each) for each in after)
    first = tuple(constant(each) for each in ahead)
    last = tuple(constant(each) for each in behind)
    return Step(
        build=lambda node: Call(function, (*first, node, *last), type_),
        compute=lambda value: kernel(*ahead, value, *behind),
        type=type_,
        cost=cost,
    )


def chain(*steps: Step, cost: int) -> Step:
    """Return several steps as one."""

    def build(node: Node) -> Node:
        for each in steps:
            node = each.build(node)
        return node

    def compute(value: Any) -> Any:
        for each in steps:
            value = finite(None if value is None else each.compute(value))
        return value

    return Step(build=build, compute=compute, type=steps[-1].type, cost=cost)


def finite(value: Any) -> Any:
    """Return the value, None for a number that is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _value(given: Any) -> Any:
    return float(given) if isinstance(given, int) and not isinstance(given, bool) else given
