"""Steps on text, with constants that the examples themselves show."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from tondo.language.functions.text import strpos, substr
from tondo.stages.data.by_example.steps import Step, call, constant, step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.language.tree import Node

MOST_SEPARATORS = 7
MOST_PLACES = 6
LONGEST_SLICE = 10
"""Slices by place are for codes of fixed form; longer ones are found by separators."""


def text_steps(inputs: Sequence[str], outputs: Sequence[str]) -> list[Step]:
    """Return the steps on text for examples with these texts as inputs and outputs."""
    separators = separators_of(inputs)
    places = min(MOST_PLACES, max(_parts(inputs, separators), default=1))
    longest = min(LONGEST_SLICE, max(map(len, inputs), default=1))
    return [
        step("lower", "string", cost=10),
        step("upper", "string", cost=10),
        step("trim", "string", cost=9),
        step("cast_double", "double", cost=6),
        step("length", "double", cost=22),
        *_splits(separators, places),
        *_slices(longest),
        *_replacements(separators, outputs),
        *(_after(each) for each in separators),
        *(step("strpos", "double", cost=26, after=[each]) for each in separators),
    ]


def separators_of(inputs: Sequence[str]) -> list[str]:
    """Return what may separate parts, that which most inputs share first.

    Signs and runs of signs; a letter only between digits, as the T of an ISO time.

    >>> separators_of(["10x20, red", "7x9, blue"])
    [' ', ',', 'x', ', ']
    """
    counted: Counter[str] = Counter()
    for text in inputs:
        runs = re.findall(r"[^\w]+|_", text)
        singles = {each for run in runs for each in run}
        letters = re.findall(r"(?<=[0-9])[A-Za-z](?=[0-9])", text)
        counted.update(singles | {run for run in runs if len(run) <= 3} | set(letters))
    ranked = sorted(counted, key=lambda each: (-counted[each], len(each), each))
    return ranked[:MOST_SEPARATORS]


def _parts(inputs: Sequence[str], separators: Sequence[str]) -> list[int]:
    return [text.count(each) + 1 for text in inputs for each in separators]


def _splits(separators: Sequence[str], places: int) -> list[Step]:
    return [
        step(
            "split_part",
            "string",
            cost=12 + 2 * place + len(separator),
            after=[separator, place],
        )
        for separator in separators
        for place in range(1, places + 1)
    ]


def _slices(longest: int) -> list[Step]:
    heads = [
        step("substr", "string", cost=15 + size // 3, after=[1, size])
        for size in range(1, longest + 1)
    ]
    rests = [
        step("substr", "string", cost=16 + start // 3, after=[start])
        for start in range(2, longest + 1)
    ]
    inner = [
        step("substr", "string", cost=18 + (start + size) // 3, after=[start, size])
        for start in range(2, longest + 1)
        for size in range(1, 5)
    ]
    tails = [_last(size) for size in range(1, min(longest, 6) + 1)]
    shorter = [_without_last(size) for size in range(1, min(longest, 4) + 1)]
    return [*heads, *rests, *inner, *tails, *shorter]


def _length(node: Node) -> Node:
    return call("length", "double", node)


def _last(size: int) -> Step:
    def build(node: Node) -> Node:
        start = _length(node)
        if size > 1:
            start = call("subtract", "double", start, constant(size - 1))
        return call("substr", "string", node, start)

    return Step(
        build=build,
        compute=lambda text: substr(text, len(text) - size + 1),
        type="string",
        cost=19 + size // 3,
    )


def _without_last(size: int) -> Step:
    def build(node: Node) -> Node:
        kept = call("subtract", "double", _length(node), constant(size))
        return call("substr", "string", node, constant(1), kept)

    return Step(
        build=build,
        compute=lambda text: substr(text, 1, len(text) - size),
        type="string",
        cost=20 + size // 3,
    )


def _after(separator: str) -> Step:
    """Return the text behind the first separator; the whole text where there is none."""
    size = len(separator)

    def build(node: Node) -> Node:
        place = call("strpos", "double", node, constant(separator))
        return call("substr", "string", node, call("add", "double", place, constant(size)))

    return Step(
        build=build,
        compute=lambda text: substr(text, strpos(text, separator) + size),
        type="string",
        cost=20 + size,
    )


def _replacements(separators: Sequence[str], outputs: Sequence[str]) -> list[Step]:
    signs = sorted({each for text in outputs for each in text if not each.isalnum()})[:4]
    removed = [
        step("replace", "string", cost=14 + len(each), after=[each, ""]) for each in separators
    ]
    changed = [
        step("replace", "string", cost=16 + len(each), after=[each, sign])
        for each in separators
        for sign in signs
        if sign != each
    ]
    return [*removed, *changed]
