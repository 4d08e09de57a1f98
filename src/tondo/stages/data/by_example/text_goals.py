"""Expressions that the wanted outputs lead to: joined texts, tests of texts, named cases, nulls."""

from __future__ import annotations

import heapq
import re
from typing import TYPE_CHECKING, Any

from tondo.stages.data.by_example.number_goals import LETTER_COST
from tondo.stages.data.by_example.problem import alike
from tondo.stages.data.by_example.steps import Term, call, constant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tondo.language.tree import Node
    from tondo.stages.data.by_example.problem import Problem

    Proposal = tuple[int, Node]
    Places = tuple[int, ...]

MOST_PARTS = 6
LONGEST_CONSTANT = 6
MOST_STATES = 3000
MOST_JOINED = 12
MOST_CASES = 4


def joined(problem: Problem, terms: Sequence[Term]) -> Iterator[Proposal]:
    """Yield concatenations of terms and constants, cheapest first.

    A path over the places in all outputs at once (Gulwani 2011, Automating string processing).
    """
    outputs = problem.wanted
    if problem.type != "string" or None in outputs:
        return
    atoms = _atoms(outputs, terms)
    ends = tuple(map(len, outputs))
    waiting: list[tuple[int, int, Places, tuple[Any, ...]]] = [(0, 0, (0,) * len(outputs), ())]
    visits: dict[Places, int] = {}
    serial = found = 0
    while waiting and serial < MOST_STATES * 10 and found < MOST_JOINED:
        cost, _, places, parts = heapq.heappop(waiting)
        visits[places] = visits.get(places, 0) + 1
        if places == ends:
            if len(parts) > 1 and not all(isinstance(each, str) for each in parts):
                found += 1
                yield cost, _concatenation(parts)
            continue
        if visits[places] > MOST_JOINED or len(parts) == MOST_PARTS:
            continue
        for more, sizes, part in _continued(outputs, places, atoms, parts):
            serial += 1
            after = tuple(place + size for place, size in zip(places, sizes, strict=True))
            heapq.heappush(waiting, (cost + more, serial, after, (*parts, part)))


def _atoms(outputs: Sequence[str], terms: Sequence[Term]) -> list[tuple[Term, tuple[str, ...]]]:
    """Return the terms whose value occurs in the output of every example."""
    found: dict[tuple[str, ...], Term] = {}
    kept: list[tuple[Term, tuple[str, ...]]] = []
    for term in terms:
        values = term.values[: len(outputs)]
        if term.type != "string" or not all(values):
            continue
        if all(value in output for value, output in zip(values, outputs, strict=True)):
            # Several ways to one text on the examples: the cheapest few, for they part elsewhere.
            if sum(other == values for _, other in kept) < 3:
                kept.append((term, values))
            found.setdefault(values, term)
        if len(kept) == 300:
            break
    return kept


def _continued(
    outputs: Sequence[str],
    places: Places,
    atoms: Sequence[tuple[Term, tuple[str, ...]]],
    parts: Sequence[Any],
) -> Iterator[tuple[int, list[int], Any]]:
    for term, values in atoms:
        if all(map(str.startswith, outputs, values, places)):
            yield term.cost + 2, [len(each) for each in values], term
    rests = [output[place:] for output, place in zip(outputs, places, strict=True)]
    if parts and isinstance(parts[-1], str):
        return
    shared = _shared_start(rests)[:LONGEST_CONSTANT]
    for size in range(1, len(shared) + 1):
        plain = sum(each.isalnum() for each in shared[:size])
        yield 8 + 2 * size + 12 * plain, [size] * len(outputs), shared[:size]


def _concatenation(parts: Sequence[Any]) -> Node:
    nodes = [constant(each) if isinstance(each, str) else each.node for each in parts]
    whole = nodes[0]
    for each in nodes[1:]:
        whole = call("concat", "string", whole, each)
    return whole


def tested(problem: Problem, terms: Sequence[Term]) -> Iterator[Proposal]:
    """Yield tests of texts: equality, start, end, content; and whether a column is null."""
    if problem.type != "bool":
        return
    count = len(problem.wanted)
    columns = [each for each in terms if each.cost == terms[0].cost]
    for term in columns:
        missing = tuple(value is None for value in term.values[:count])
        if True in missing and False in missing:
            yield term.cost + 12, call("is_null", "bool", term.node)
    for term in [each for each in terms if each.type == "string"][:200]:
        values = term.values[:count]
        trues = [value for value, wanted in zip(values, problem.wanted, strict=True) if wanted]
        if None in values or not trues:
            continue
        if len(set(trues)) == 1:
            cost = term.cost + 16 + len(trues[0]) // 2
            yield cost, call("equal", "bool", term.node, constant(trues[0]))
        if term in columns:
            yield from _occurring(term, trues)


def _occurring(term: Term, trues: Sequence[str]) -> Iterator[Proposal]:
    shared = set.intersection(*(set(re.findall(r"\w+|[^\w\s]+", each)) for each in trues))
    for token in sorted(shared, key=lambda each: (-len(each), each))[:6]:
        cost = term.cost + 18
        yield cost, call("contains", "bool", term.node, constant(token))
    head = _shared_start(trues)
    tail = _shared_start([each[::-1] for each in trues])[::-1]
    for size in range(1, min(len(head), 6) + 1):
        yield term.cost + 17 + size, call("starts_with", "bool", term.node, constant(head[:size]))
    for size in range(1, min(len(tail), 6) + 1):
        yield term.cost + 17 + size, call("ends_with", "bool", term.node, constant(tail[-size:]))


def named_cases(problem: Problem, terms: Sequence[Term]) -> Iterator[Proposal]:
    """Yield a case for each shown text; what was not shown is null, for nothing is guessed."""
    if problem.type not in {"string", "double"} or None in problem.wanted:
        return
    for term in [each for each in terms if each.type == "string"][:60]:
        values = term.values[: len(problem.wanted)]
        answers = dict(zip(values, problem.wanted, strict=True))
        steady = all(answers[v] == w for v, w in zip(values, problem.wanted, strict=True))
        if None in answers or not steady or not 2 <= len(answers) <= MOST_CASES:
            continue
        parts: list[Node] = []
        for value, answer in answers.items():
            parts += [call("equal", "bool", term.node, constant(value)), constant(answer)]
        spelled_out = LETTER_COST * sum(len(str(each)) for each in answers.values())
        cost = term.cost + 50 + 12 * len(answers) + spelled_out
        yield cost, call("case", problem.type, *parts)


def nulls(problem: Problem, terms: Sequence[Term]) -> Iterator[Proposal]:
    """Yield `coalesce(v, c)` and `nullif(v, c)` where nulls alone part a term from the outputs."""
    if problem.type not in {"string", "double"}:
        return
    for term in terms:
        if term.type != problem.type:
            continue
        pairs = list(zip(term.values, problem.wanted, strict=False))
        places = [place for place, pair in enumerate(pairs) if not alike(*pair)]
        apart = [pairs[place] for place in places]
        given = all(None in problem.points[place].values() for place in places)
        if not apart or len(apart) == len(pairs):
            continue
        values, outputs = {value for value, _ in apart}, {wanted for _, wanted in apart}
        if values == {None} and len(outputs) == 1 and given:
            node = call("coalesce", problem.type, term.node, constant(outputs.pop()))
            yield term.cost + 14, node
        elif outputs == {None} and len(values) == 1:
            node = call("nullif", problem.type, term.node, constant(values.pop()))
            yield term.cost + 15, node


def _shared_start(texts: Sequence[str]) -> str:
    """Return the text with which all begin.

    >>> _shared_start(["flow", "flight"])
    'fl'
    """
    first, last = min(texts), max(texts)
    pairs = enumerate(zip(first, last, strict=False))
    return next(
        (first[:place] for place, (one, other) in pairs if one != other), first[: len(last)]
    )
