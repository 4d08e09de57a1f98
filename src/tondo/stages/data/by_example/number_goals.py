"""Expressions that the wanted outputs lead to: arithmetic of two terms, constants, thresholds."""

from __future__ import annotations

import math
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

from tondo.stages.data.by_example.steps import Term, call, constant, step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tondo.language.tree import Node
    from tondo.stages.data.by_example.problem import Problem

    Proposal = tuple[int, Node]

MOST_OPERANDS = 1500
MOST_ROUNDED = 20
LETTER_COST = 3
"""A case spells its answers out, and pays for each letter of them."""
MOST_CLASSES = 3
"""Thresholds between more classes than this are guesswork with two or three examples."""


def arithmetic(problem: Problem, terms: Sequence[Term]) -> Iterator[Proposal]:
    """Yield sums, differences, products and quotients of two terms, or a term and a constant."""
    count = len(problem.wanted)
    numbers = [each for each in terms if each.type == "double"][:MOST_OPERANDS]
    numbers = [each for each in numbers if None not in each.values[:count]]
    if None in problem.wanted or problem.type != "double":
        return
    by_values: dict[tuple[float, ...], Term] = {}
    for each in numbers:
        by_values.setdefault(_rounded(each.values[:count]), each)
    for each in numbers:
        for function, turned, needed in _needed(each.values[:count], problem.wanted):
            other = by_values.get(_rounded(needed))
            if other is not None:
                sides = (other.node, each.node) if turned else (each.node, other.node)
                yield each.cost + other.cost + 8, call(function, "double", *sides)
        yield from _with_constants(each, problem.wanted)
    yield from _rounded_pairs(problem, numbers[:MOST_ROUNDED])


def _needed(
    values: Sequence[float], wanted: Sequence[float]
) -> Iterator[tuple[str, bool, list[float]]]:
    """Yield function, whether the other comes first, and the values the other must have."""
    pairs = list(zip(values, wanted, strict=True))
    yield "add", False, [goal - value for value, goal in pairs]
    yield "subtract", False, [value - goal for value, goal in pairs]
    if all(value != 0 for value in values):
        yield "multiply", False, [goal / value for value, goal in pairs]
        yield "divide", True, [goal * value for value, goal in pairs]


def _rounded(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(f"{each:.9g}") + 0.0 for each in values)


def _with_constants(term: Term, wanted: Sequence[float]) -> Iterator[Proposal]:
    """Yield v + c, v * c, v / c, and (v - a) / b or v * a + b when three examples say so."""
    values = term.values[: len(wanted)]
    if len(set(values)) < 2:
        return
    for function, _, needed in list(_needed(values, wanted))[:3]:
        value = _short(needed[0])
        if len(set(_rounded(needed))) == 1 and value is not None and function != "subtract":
            yield from _one_constant(term, function, value)
    if len(set(values)) < 3:
        return
    (x, goal), (z, other) = [
        (values[place], wanted[place]) for place in (values.index(min(values)), _last_max(values))
    ]
    slope = (other - goal) / (z - x)
    shift = goal - slope * x
    if slope and _straight(values, wanted, slope, shift):
        yield from _straight_line(term, slope, shift)


def _last_max(values: Sequence[float]) -> int:
    return values.index(max(values))


def _straight(values: Sequence[float], wanted: Sequence[float], a: float, b: float) -> bool:
    pairs = zip(values, wanted, strict=True)
    return all(math.isclose(a * x + b, y, rel_tol=1e-9, abs_tol=1e-9) for x, y in pairs)


def _one_constant(term: Term, function: str, value: float) -> Iterator[Proposal]:
    inverse = _short(1 / value) if value else None
    size = _digits(value)
    if function == "add" and value < 0:
        yield term.cost + 16 + size, call("subtract", "double", term.node, constant(-value))
    elif function == "add":
        yield term.cost + 16 + size, call("add", "double", term.node, constant(value))
    elif inverse is not None and _digits(inverse) < size:
        size = _digits(inverse)
        yield term.cost + 16 + size, call("divide", "double", term.node, constant(inverse))
    else:
        yield term.cost + 16 + size, call("multiply", "double", term.node, constant(value))


def _straight_line(term: Term, slope: float, shift: float) -> Iterator[Proposal]:
    outer, inner = _short(1 / slope), _short(-shift / slope)
    if outer is not None and inner is not None:
        function = "subtract" if inner >= 0 else "add"
        moved = call(function, "double", term.node, constant(abs(inner)))
        cost = term.cost + 32 + _digits(outer) + _digits(inner)
        yield cost, call("divide", "double", moved, constant(outer))
    slope_, shift_ = _short(slope), _short(shift)
    if slope_ is not None and shift_ is not None:
        scaled = call("multiply", "double", term.node, constant(slope_))
        cost = term.cost + 32 + _digits(slope_) + _digits(shift_)
        yield cost, call("add", "double", scaled, constant(shift_))


def _short(value: float) -> float | None:
    """Return the number of at most six digits that this is, or None."""
    if not math.isfinite(value):
        return None
    short = float(f"{value:.6g}")
    return short if math.isclose(short, value, rel_tol=1e-9) else None


def _digits(value: float) -> int:
    return len(f"{value:.6g}".strip("-0.").replace(".", ""))


def _rounded_pairs(problem: Problem, numbers: Sequence[Term]) -> Iterator[Proposal]:
    """Yield rounded quotients, products, sums and differences of two cheap terms."""
    wrappers = [step("round", "double", cost=11 + n, after=[n] if n else ()) for n in range(3)]
    wrappers += [step("floor", "double", cost=11), step("ceil", "double", cost=12)]
    for left in numbers:
        for right in numbers:
            if left is right:
                continue
            for function in ("divide", "multiply", "subtract", "add"):
                pairs = list(zip(left.values, right.values, strict=True))[: len(problem.wanted)]
                values = [_joined(function, *pair) for pair in pairs]
                # A rounded value is never further from its number than one.
                near = zip(values, problem.wanted, strict=True)
                if any(value is None or abs(value - goal) > 1 for value, goal in near):
                    continue
                for each in wrappers:
                    if problem.fits([each.compute(value) for value in values]):
                        node = each.build(call(function, "double", left.node, right.node))
                        yield left.cost + right.cost + 8 + each.cost, node


def _joined(function: str, left: float, right: float) -> float | None:
    if function == "divide":
        return left / right if right else None
    if function == "multiply":
        return left * right
    return left + right if function == "add" else left - right


def thresholds(problem: Problem, terms: Sequence[Term]) -> Iterator[Proposal]:
    """Yield comparisons, buckets and cases by size, where the outputs part along a number."""
    count = len(problem.wanted)
    for term in [each for each in terms if each.type == "double"][:200]:
        values = term.values[:count]
        if None in values or None in problem.wanted:
            continue
        classes = _classes(values, problem.wanted)
        if classes is None or not 2 <= len(classes) <= MOST_CLASSES + (problem.type == "double"):
            continue
        gaps = [_bounds(low[2], high[1]) for low, high in pairwise(classes)]
        labels = [label for label, _, _ in classes]
        for choice in product(*(range(len(each)) for each in gaps)):
            bounds = [gap[place] for gap, place in zip(gaps, choice, strict=True)]
            yield from _divided(problem.type, term, labels, bounds, extra=3 * sum(choice))


def _classes(
    values: Sequence[float], wanted: Sequence[Any]
) -> list[tuple[Any, float, float]] | None:
    """Return (output, smallest, largest value) rising, or None when outputs are interleaved."""
    found: list[tuple[Any, float, float]] = []
    for value, label in sorted(zip(values, wanted, strict=True), key=lambda pair: pair[0]):
        if found and found[-1][0] == label:
            found[-1] = (label, found[-1][1], value)
        elif any(each == label for each, _, _ in found) or (found and found[-1][2] == value):
            return None
        else:
            found.append((label, value, value))
    return found


def _bounds(low: float, high: float) -> list[float]:
    """Return bounds b with low < b <= high: the roundest, the upper end, the next whole number.

    >>> _bounds(2.0, 6.0), _bounds(17.0, 64.0)
    ([5.0, 6.0, 3.0], [50.0, 64.0, 18.0])
    """
    roundest = high
    for unit in (1000, 500, 100, 50, 10, 5, 1, 0.5, 0.1):
        bound = math.floor(high / unit) * unit
        if low < bound <= high:
            roundest = float(bound)
            break
    following = math.floor(low) + 1.0
    found = [roundest, high, *([following] if following <= high else [])]
    return list(dict.fromkeys(found))


def _divided(
    type_: str, term: Term, labels: Sequence[Any], bounds: Sequence[float], *, extra: int
) -> Iterator[Proposal]:
    if list(bounds) != sorted(set(bounds)):
        return
    cost = term.cost + 20 + extra + 4 * len(bounds)
    if type_ == "bool" and len(bounds) == 1:
        function = "greater_equal" if labels[1] else "less"
        yield cost, call(function, "bool", term.node, constant(bounds[0]))
    elif type_ == "double" and labels in ([*range(len(labels))], [*range(1, len(labels) + 1)]):
        node = call("bucketize", "double", term.node, *map(constant, bounds))
        if labels[0] == 1:
            node = call("add", "double", node, constant(1))
        yield cost + 12, node
    elif type_ == "string":
        parts: list[Node] = []
        for bound, label in zip(bounds, labels, strict=False):
            parts += [call("less", "bool", term.node, constant(bound)), constant(label)]
        spelled_out = LETTER_COST * sum(map(len, labels))
        yield cost + 30 + spelled_out, call("case", "string", *parts, constant(labels[-1]))
