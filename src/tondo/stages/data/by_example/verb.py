"""The verb: search, try on every row, and show where the candidates part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.errors import CallerError
from tondo.language.check import check
from tondo.language.parse import parse
from tondo.language.rows import compile_rows
from tondo.language.walk import columns_of
from tondo.stages.data.arrow_types import stored_types
from tondo.stages.data.by_example.number_goals import arithmetic, thresholds
from tondo.stages.data.by_example.number_steps import COMMON_ZONES
from tondo.stages.data.by_example.problem import MOST_WITNESSES, read_problem, typed_table
from tondo.stages.data.by_example.search import BEYOND, Search
from tondo.stages.data.by_example.spelling import spelled
from tondo.stages.data.by_example.text_goals import joined, named_cases, nulls, tested
from tondo.stages.data.by_example.values import Candidate, Candidates, UnsureRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

    from tondo.language.tree import Node
    from tondo.stages.data.by_example.problem import Problem

    Proposal = tuple[int, Node]

MOST_PROPOSALS = 300
MOST_SAMPLES = 5
UNUSED_COST = 12
"""Added for each searched column, of at most three, that an expression leaves unread."""
EMPTY_COST = 20
"""Added in the share of rows that an expression leaves without an answer."""


def by_example(
    values: Any,
    examples: Sequence[tuple[Any, Any]],
    *,
    columns: Sequence[str] = (),
    most: int = 10,
    zone: str | None = None,
    zones: Sequence[str] = COMMON_ZONES,
    seconds: float = 1.2,
) -> Candidates:
    """Return the shortest expressions of the feature language that fit the examples.

    `values` is one column (any sequence or Arrow array, named `x`) or an Arrow table, of which
    `columns` are searched, all unless named. An example is (input, output); over several columns
    its input is a tuple in their order, or names them. `zone` is given to times without one,
    `zones` are tried for local times. The search ends after `seconds`, or sooner at its own limit
    of expressions, which gives the same answer on every machine. Errors: TD-EXAMPLE-001 (nothing
    fits; says the nearest), -002 (the examples), -003 (the values).

    >>> found = by_example(["AA-12", "DL-7", "UA-1543"], [("AA-12", "AA"), ("UA-1543", "UA")])
    >>> found[0].expression
    "split_part(x, '-', 1)"
    """
    table = typed_table(values, columns, zone)
    distinct = _distinct(table)
    problem = read_problem(table, examples, [row for row, _, _ in _spread(distinct)])
    search = Search(problem, zones=zones, seconds=seconds)
    direct = [(term.cost, term.node) for term in search.run()]
    fitting = _fitting(problem, [*direct, *_led_to(problem, search)])
    if not fitting:
        raise _nothing(problem, search)
    return _tried(problem, fitting, distinct, most=most, search=search)


def _distinct(table: pa.Table) -> list[tuple[dict[str, Any], int, int]]:
    """Return each different row with its first place and how often it occurs."""
    import pyarrow as pa

    names = table.column_names
    plain = {
        name: column.cast({"timestamp": pa.int64(), "date": pa.int32()}.get(type_, column.type))
        for (name, type_), column in zip(stored_types(table).items(), table.columns, strict=True)
    }
    found: dict[tuple[Any, ...], list[int]] = {}
    for place, row in enumerate(zip(*(each.to_pylist() for each in plain.values()), strict=True)):
        # NaN is null to the language.
        key = tuple(None if value != value else value for value in row)  # noqa: PLR0124 - NaN is unequal
        entry = found.setdefault(key, [place, 0])
        entry[1] += 1
    return [(dict(zip(names, key, strict=True)), *entry) for key, entry in found.items()]  # type: ignore[misc]  # a starred tuple


def _spread(distinct: Sequence[Any]) -> list[Any]:
    stride = max(1, len(distinct) // MOST_WITNESSES)
    return list(distinct[::stride][:MOST_WITNESSES])


def _led_to(problem: Problem, search: Search) -> list[Proposal]:
    found: list[Proposal] = []
    for goal in (joined, arithmetic, thresholds, tested, named_cases, nulls):
        found += sorted(goal(problem, search.terms), key=lambda pair: pair[0])[:MOST_PROPOSALS]
    return found


def _fitting(problem: Problem, proposals: Iterable[Proposal]) -> list[Proposal]:
    """Return what fits, cheapest first, one for each behaviour on the points."""
    seen: set[tuple[Any, ...]] = set()
    kept = []
    for cost, node in sorted(proposals, key=lambda pair: pair[0]):
        function = compile_rows({"value": node})
        values = tuple(function(point)[0] for point in problem.points)
        if problem.fits(values) and values not in seen:
            seen.add(values)
            kept.append((cost, node))
    return kept


def _tried(
    problem: Problem,
    fitting: Sequence[Proposal],
    distinct: Sequence[tuple[dict[str, Any], int, int]],
    *,
    most: int,
    search: Search,
) -> Candidates:
    """Run what fits on every row, rank it, and count where it parts."""
    pool = fitting[: 3 * most]
    compiled = compile_rows({str(place): node for place, (_, node) in enumerate(pool)})
    answers = [compiled(row) for row, _, _ in distinct]
    rows = sum(count for _, _, count in distinct)
    costs = []
    for place, (cost, node) in enumerate(pool):
        unread = 0
        if len(problem.columns) <= 3:
            unread = UNUSED_COST * len(problem.columns.keys() - columns_of(node))
        lost = sum(
            count
            for (row, _, count), given in zip(distinct, answers, strict=True)
            if given[place] in (None, "") and None not in row.values()
        )
        costs.append(cost + unread + round(EMPTY_COST * lost / max(rows, 1)))
    ranked = sorted(range(len(pool)), key=lambda place: costs[place])
    order = [place for place in ranked if costs[place] <= costs[ranked[0]] + 2 * BEYOND][:most]
    chosen = [[given[place] for place in order] for given in answers]
    return Candidates(
        candidates=tuple(
            _candidate(problem, pool[place][1], costs[place], rank, distinct, chosen)
            for rank, place in enumerate(order)
        ),
        rows=rows,
        unsure=sum(
            count
            for (_, _, count), given in zip(distinct, chosen, strict=True)
            if len(set(given)) > 1
        ),
        samples=_samples(distinct, chosen),
        tried=search.tried,
        complete=search.complete,
    )


def _candidate(
    problem: Problem,
    node: Node,
    cost: int,
    rank: int,
    distinct: Sequence[tuple[dict[str, Any], int, int]],
    chosen: Sequence[Sequence[Any]],
) -> Candidate:
    text = spelled(node)
    return Candidate(
        expression=text,
        type=problem.type,
        cost=cost,
        differs=sum(
            count
            for (_, _, count), given in zip(distinct, chosen, strict=True)
            if given[rank] != given[0]
        ),
        node=check(parse(text), problem.columns, text=text),
    )


def _samples(
    distinct: Sequence[tuple[dict[str, Any], int, int]], chosen: Sequence[Sequence[Any]]
) -> tuple[UnsureRow, ...]:
    unsure = [
        UnsureRow(row=place, rows=count, inputs=row, answers=tuple(given))
        for (row, place, count), given in zip(distinct, chosen, strict=True)
        if len(set(given)) > 1
    ]
    unsure.sort(key=lambda each: (-len(set(each.answers)), each.row))
    return tuple(unsure[:MOST_SAMPLES])


def _nothing(problem: Problem, search: Search) -> CallerError:
    count, term = search.nearest
    nearest = spelled(term.node) if term is not None else ""
    what = f"no expression was found that fits all {len(problem.wanted)} examples"
    if nearest:
        what += f"; the nearest, {nearest}, fits {count}"
    return CallerError(
        "TD-EXAMPLE-001",
        what,
        expected="examples that the functions of the feature language can produce",
        fix="Check the examples, try a part of the task, or search other columns.",
        nearest=nearest,
        fitted=max(count, 0),
        examples=len(problem.wanted),
        tried=search.tried,
    )
