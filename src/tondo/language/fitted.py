"""The table of fitted functions: what is learned, and the plain tree that it becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tondo.language.tree import Call, Literal, Node

Parameters = dict[str, Any]


class FittedFunction(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table; `language/fit.py` holds what learns it."""

    name: str
    arguments: dict[str, str]
    """Accepted type of the argument to the type of the result."""
    options: int
    """How many constants follow the argument."""
    usage: str
    expand: Callable[[Node, Parameters], Node]
    """Builds the plain tree from the argument and the frozen parameters."""
    doc: str


def _double(value: float) -> Literal:
    return Literal(float(value), "double")


def _filled(key: str) -> Callable[[Node, Parameters], Node]:
    def expand(argument: Node, parameters: Parameters) -> Node:
        constant = Literal(parameters[key], argument.type)
        return Call("coalesce", (argument, constant), argument.type)

    return expand


def _scaled(offset: str, factor: str) -> Callable[[Node, Parameters], Node]:
    def expand(argument: Node, parameters: Parameters) -> Node:
        moved = Call("subtract", (argument, _double(parameters[offset])), "double")
        return Call("multiply", (moved, _double(parameters[factor])), "double")

    return expand


def _coded(argument: Node, parameters: Parameters) -> Node:
    constants = tuple(Literal(each, argument.type) for each in parameters["values"])
    return Call("position_in", (argument, *constants), "double")


_NUMBER = {"double": "double"}
_CODED = {"string": "double", "id": "double", "double": "double", "bool": "double"}

FITTED: dict[str, FittedFunction] = {
    row.name: row
    for row in (
        FittedFunction(
            name="fill_mean",
            arguments=_NUMBER,
            options=0,
            usage="fill_mean(x)",
            expand=_filled("mean"),
            doc="x, or the mean of the training values where x is null.",
        ),
        FittedFunction(
            name="fill_median",
            arguments=_NUMBER,
            options=0,
            usage="fill_median(x)",
            expand=_filled("median"),
            doc="x, or the median of the training values where x is null.",
        ),
        FittedFunction(
            name="fill_mode",
            arguments={each: each for each in ("double", "string", "id", "bool")},
            options=0,
            usage="fill_mode(x)",
            expand=_filled("mode"),
            doc="x, or the most frequent training value where x is null; ties take the smallest.",
        ),
        FittedFunction(
            name="zscore",
            arguments=_NUMBER,
            options=0,
            usage="zscore(x)",
            expand=_scaled("mean", "inverse_deviation"),
            doc="(x - mean) * (1 / standard deviation with n); 0 where all values are equal.",
        ),
        FittedFunction(
            name="minmax",
            arguments=_NUMBER,
            options=0,
            usage="minmax(x)",
            expand=_scaled("minimum", "inverse_range"),
            doc="(x - smallest) * (1 / (largest - smallest)); 0 where all values are equal.",
        ),
        FittedFunction(
            name="vocab",
            arguments=_CODED,
            options=1,
            usage="vocab(x, n), n the most values that get a code",
            expand=_coded,
            doc="1 to n by falling frequency, ties by value; 0 for any other; null stays null.",
        ),
    )
}
"""Name to row."""
