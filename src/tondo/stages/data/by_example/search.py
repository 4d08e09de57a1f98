"""Bottom-up search in the order of cost, one expression for each distinct behaviour.

Enumeration with observational equivalence (Udupa et al. 2013, TRANSIT; Albarghouthi et al. 2013,
Escher). Two expressions count as one when they agree on the examples and on the witnesses: on the
examples alone, those that part on other rows could never be told apart.
"""

from __future__ import annotations

import heapq
import time
from typing import TYPE_CHECKING, Any

from tondo.language.functions import FUNCTIONS
from tondo.language.tree import Call, Column
from tondo.stages.data.by_example.number_steps import date_steps, number_steps, time_steps
from tondo.stages.data.by_example.steps import Step, Term, call, constant, finite, step
from tondo.stages.data.by_example.text_steps import text_steps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.stages.data.by_example.problem import Problem

COLUMN_COST = 10
MOST_TRIED = 22_000
"""Expressions computed before the search ends: about half a second."""
BEYOND = 16
"""How much dearer than the cheapest that fits an expression may be and still be looked for."""


class Search:
    """The terms found so far, cheapest first."""

    def __init__(self, problem: Problem, *, zones: Sequence[str], seconds: float) -> None:
        self.problem = problem
        self.steps = _steps(problem, zones)
        self.terms: list[Term] = []
        self.tried = 0
        self.complete = True
        self.nearest: tuple[int, Term | None] = (-1, None)
        self._stop_at = time.monotonic() + seconds
        self._ceiling = 10**9
        self._best: dict[Any, int] = {}
        self._waiting: list[tuple[int, int, Term | None, Step | None, tuple[Any, ...]]] = []

    def run(self) -> list[Term]:
        """Explore until a limit is reached; return the terms that fit every example."""
        for term in _starting_terms(self.problem):
            self._offer(term.type, term.cost, term.values, term, None)
        done: set[Any] = set()
        fitting: list[Term] = []
        while self._waiting:
            cost, _, parent, made, values = heapq.heappop(self._waiting)
            term = _grown(parent, made, values, cost)
            if cost > self._ceiling:
                break
            if (term.type, values) in done:
                continue
            done.add((term.type, values))
            self.terms.append(term)
            if self._judged(term):
                fitting.append(term)
                self._ceiling = min(self._ceiling, cost + BEYOND)
            if self.tried < MOST_TRIED and self.complete and not _is_place(term):
                self._expand(term)
        return fitting

    def _judged(self, term: Term) -> bool:
        if term.type != self.problem.type:
            return False
        count = self.problem.fitted(term.values)
        if count > self.nearest[0]:
            self.nearest = (count, term)
        return count == len(self.problem.wanted)

    def _expand(self, term: Term) -> None:
        self.complete = time.monotonic() < self._stop_at
        for each in self.steps.get(term.type, ()):
            values = tuple(
                None if value is None else finite(each.compute(value)) for value in term.values
            )
            self.tried += 1
            if self._tells(each.type, values):
                self._offer(each.type, term.cost + each.cost, values, term, each)

    def _tells(self, type_: str, values: tuple[Any, ...]) -> bool:
        """Return whether values say anything: not one and the same everywhere."""
        shown = values[: len(self.problem.wanted)]
        if all(each is None or each == "" for each in shown):
            return False
        if len(values) > 1 and all(each == values[0] for each in values):
            return type_ == self.problem.type and self.problem.fits(values)
        return True

    def _offer(
        self, type_: str, cost: int, values: tuple[Any, ...], parent: Term, made: Step | None
    ) -> None:
        if self._best.get((type_, values), cost + 1) > cost:
            self._best[type_, values] = cost
            heapq.heappush(
                self._waiting, (cost, len(self._best) + self.tried, parent, made, values)
            )


def _is_place(term: Term) -> bool:
    """Return whether a term is a length or place, of which arithmetic says little."""
    return isinstance(term.node, Call) and term.node.function in {"length", "strpos"}


def _grown(parent: Term | None, made: Step | None, values: tuple[Any, ...], cost: int) -> Term:
    assert parent is not None
    if made is None:
        return parent
    return Term(node=made.build(parent.node), type=made.type, values=values, cost=cost)


def _steps(problem: Problem, zones: Sequence[str]) -> Mapping[str, Sequence[Step]]:
    count = len(problem.wanted)
    inputs = [
        value
        for point in problem.points[:count]
        for value in point.values()
        if isinstance(value, str)
    ]
    outputs = [each for each in problem.wanted if isinstance(each, str)]
    return {
        "string": text_steps(inputs, outputs),
        "double": number_steps() if problem.type != "string" else (),
        "timestamp": time_steps(zones),
        "date": date_steps(),
        "id": [
            step("cast_string", "string", cost=6),
            step("cast_double", "double", cost=6),
        ],
        "bool": [step("not", "bool", cost=12), step("cast_double", "double", cost=8)],
    }


def _starting_terms(problem: Problem) -> list[Term]:
    """Return the columns, and the time between each two of them that are times."""
    found = [
        Term(
            node=Column(name, type_),
            type=type_,
            values=tuple(point[name] for point in problem.points),
            cost=COLUMN_COST,
        )
        for name, type_ in problem.columns.items()
    ]
    times = [each for each in found if each.type == "timestamp"]
    kernel = FUNCTIONS["date_diff"].kernel
    for begin in times:
        for end in times:
            for place, unit in enumerate(("minute", "hour", "day", "second")):
                if begin is not end:
                    values = tuple(
                        None if None in pair else kernel(unit, *pair)
                        for pair in zip(begin.values, end.values, strict=True)
                    )
                    node = call("date_diff", "double", constant(unit), begin.node, end.node)
                    found.append(Term(node=node, type="double", values=values, cost=26 + place))
    return found
