"""Every engine's answers beside the interpreter's: equal in bits, within bounds, or undecided."""

from __future__ import annotations

import importlib
import pkgutil
import struct
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from benchmarks.language_equality.grow import COLUMNS, hard_row, table_of

import tondo.adapters.engines
from tondo.core.columns import item_type
from tondo.language.bounds import Bounds, Undecided
from tondo.language.check import check
from tondo.language.decided import bounded, has_bounds
from tondo.language.functions import FUNCTIONS
from tondo.language.tree import Call, Column, Literal, Node, depth_of, nodes_of
from tondo.language.walk import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from tondo.ports.engine import Evaluator

REFERENCE = "interpret"
WHOLE = {"timestamp": pa.int64(), "date": pa.int32()}


def evaluators() -> dict[str, type[Evaluator]]:
    """Return every engine that evaluates expressions, by name; the interpreter is one."""
    found = {}
    for package in pkgutil.iter_modules(tondo.adapters.engines.__path__):
        if package.ispkg:
            module = importlib.import_module(f"tondo.adapters.engines.{package.name}.engine")
            classes = [
                each
                for name, each in vars(module).items()
                if name.endswith("Engine") and hasattr(each, "evaluate")
            ]
            found |= {each.name: each for each in classes if each.__module__ == module.__name__}
    return found


class Mismatch(AssertionError):  # noqa: N818 - what is sought, not a fault of the program
    """Two engines part where the language decides."""


def open_evaluators(*names: str) -> dict[str, Evaluator]:
    """Open the engines of these names, or every one, and the interpreter."""
    found = evaluators()
    return {name: found[name]() for name in {REFERENCE, *(names or found)}}


class Tally:
    """What was compared so far."""

    def __init__(self) -> None:
        self.pairs = 0
        self.bounded = 0
        self.nulls = 0
        self.undecided: Counter[str] = Counter()
        self.functions: Counter[str] = Counter()
        self.depths: Counter[int] = Counter()
        self.values: set[tuple[str, str]] = set()

    @property
    def undecided_share(self) -> float:
        """The share of pairs that the language leaves open."""
        return sum(self.undecided.values()) / max(self.pairs, 1)

    def lines(self) -> list[str]:
        """Return what a person reads of it."""
        missing = sorted(set(FUNCTIONS) - set(self.functions)) or "none"
        depths = ", ".join(f"{depth}: {count:,}" for depth, count in sorted(self.depths.items()))
        opened = ", ".join(f"{name} {count:,}" for name, count in self.undecided.most_common())
        return [
            f"pairs of expression and row: {self.pairs:,}; mismatches: 0",
            f"of these within bounds, a transcendental function among them: {self.bounded:,}",
            f"undecided: {sum(self.undecided.values()):,} ({self.undecided_share:.4%}): {opened or 'none'}",
            f"null answers: {self.nulls / max(self.pairs, 1):.1%}",
            f"functions: {len(self.functions)} of {len(FUNCTIONS)}; missing: {missing}",
            f"levels of nesting (expressions): {depths}",
            f"distinct values read, hard ones and others: {len(self.values):,}",
        ]


class Judge:
    """Compares opened engines; the interpreter is the reference."""

    def __init__(self, engines: Mapping[str, Evaluator]) -> None:
        self.reference = engines[REFERENCE]
        self.engines = {name: each for name, each in engines.items() if name != REFERENCE}
        self.tally = Tally()

    def batch(self, random: Random, nodes: Sequence[Node], count: int) -> None:
        """Compare all engines on these expressions over `count` grown rows."""
        rows = [hard_row(random) for _ in range(count)]
        self._saw(rows)
        self.compare(nodes, rows)

    def compare(self, nodes: Sequence[Node], rows: Sequence[dict[str, Any]]) -> None:
        """Compare all engines on all pairs; Mismatch tells the first pair where they part."""
        assert [check(node, COLUMNS) for node in nodes] == list(nodes)
        assert [from_json(to_json(node)) for node in nodes] == list(nodes)
        table = table_of(rows)
        named = {f"f{place}": node for place, node in enumerate(nodes)}
        truth = _plain(self.reference.evaluate(named, table), nodes)
        for node, column in zip(nodes, truth, strict=True):
            self._count(node, column)
        allowed = [
            self._allowed(node, rows, column) for node, column in zip(nodes, truth, strict=True)
        ]
        for name, engine in self.engines.items():
            found = _plain(engine.evaluate(named, table), nodes)
            for place, node in enumerate(nodes):
                _judge(name, node, rows, found[place], truth[place], allowed[place])

    def _allowed(
        self, node: Node, rows: Sequence[dict[str, Any]], truth: pa.ChunkedArray
    ) -> list[Any] | None:
        """Return what each row's answer may be, None where all are exact."""
        if not has_bounds(node):
            return None
        allowed = []
        for row, value in zip(rows, truth.to_pylist(), strict=True):
            try:
                may_be = bounded(node, row)
            except Undecided as undecided:
                self.tally.undecided[undecided.operator] += 1
                may_be = undecided
            else:
                self.tally.bounded += isinstance(may_be, Bounds)
                if not _fits(value, may_be):
                    raise Mismatch(_said("interpret", node, row, value, may_be))
            allowed.append(may_be)
        return allowed

    def _count(self, node: Node, column: pa.ChunkedArray) -> None:
        self.tally.pairs += len(column)
        self.tally.nulls += column.null_count
        self.tally.depths[depth_of(node) - 1] += 1
        for each in nodes_of(node):
            if isinstance(each, Call):
                self.tally.functions[each.function] += len(column)
            elif isinstance(each, Literal):
                self.tally.values.add((each.type, repr(each.value)))

    def _saw(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Count the values that rows hold."""
        for row in rows:
            self.tally.values |= {(COLUMNS[name], repr(value)) for name, value in row.items()}


def _plain(table: pa.Table, nodes: Sequence[Node]) -> list[pa.ChunkedArray]:
    """Return the answers with times as whole numbers."""
    columns = []
    for node, column in zip(nodes, table.columns, strict=True):
        item = item_type(node.type)
        whole = WHOLE.get(item or node.type)
        wanted = column.type if whole is None else pa.list_(whole) if item else whole
        columns.append(column.cast(wanted))
    return columns


def _judge(
    name: str,
    node: Node,
    rows: Sequence[dict[str, Any]],
    found: pa.ChunkedArray,
    truth: pa.ChunkedArray,
    allowed: list[Any] | None,
) -> None:
    if _equal_bits(found, truth):
        return
    values, wanted = found.to_pylist(), truth.to_pylist()
    # What answers requests is the interpreter compiled: there is no room between the two.
    exact = allowed is None or name == "rows"
    for place, (value, want) in enumerate(zip(values, wanted, strict=True)):
        may_be = want if exact else allowed[place]  # type: ignore[index]
        if not _fits(value, may_be):
            raise Mismatch(_said(name, node, rows[place], value, may_be))


def _equal_bits(found: pa.ChunkedArray, truth: pa.ChunkedArray) -> bool:
    if found.type != truth.type:
        return False
    if found.type == pa.float64():
        found, truth = (
            pa.chunked_array([each.view(pa.int64()) for each in column.chunks], pa.int64())
            for column in (found, truth)
        )
    elif pa.types.is_list(found.type):
        return False
    return bool(found.equals(truth))


def _fits(value: Any, may_be: Any) -> bool:
    if isinstance(may_be, Undecided):
        return True
    if isinstance(may_be, Bounds):
        return isinstance(value, float) and value in may_be
    return type(value) is type(may_be) and bits(value) == bits(may_be)


def bits(value: Any) -> Any:
    """Return what two values must share to be the same."""
    if isinstance(value, list):
        return [bits(each) for each in value]
    return struct.pack("<d", value) if isinstance(value, float) else value


def _said(name: str, node: Node, row: Mapping[str, Any], value: Any, may_be: Any) -> str:
    read = {each.name: row[each.name] for each in nodes_of(node) if isinstance(each, Column)}
    return f"{name} answers {value!r}, not {may_be!r}\n  of {node}\n  on {read}"
