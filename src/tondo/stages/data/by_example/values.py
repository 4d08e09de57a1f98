"""What a search by example answers: expressions, and the rows on which they part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.instants import format_instant
from tondo.language.tree import Node
from tondo.language.values import DAY_US
from tondo.stages.data import display

if TYPE_CHECKING:
    from collections.abc import Iterator


_WIDTH = 24
"""Characters of an answer that a terminal line shows."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One expression that fits every example."""

    expression: str
    """Text of the feature language, as a feature or a cleaning step takes it."""
    type: str
    cost: int
    """Size of the expression, ten for a plain function; the cheapest come first."""
    differs: int
    """Rows on which it answers other than the first candidate."""
    node: Node
    """The checked tree."""

    def __repr__(self) -> str:
        return f"Candidate({self.expression}: {self.type}, differs on {self.differs:,} rows)"


class UnsureRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row on which candidates disagree; its right answer, as one more example, decides."""

    row: int
    """The first row, from 0, with these inputs."""
    rows: int
    """How many rows have them."""
    inputs: dict[str, Any]
    answers: tuple[Any, ...]
    """Each candidate's answer, in the order of the candidates."""


class Candidates(msgspec.Struct, frozen=True, kw_only=True):
    """The expressions that fit, the shortest first."""

    candidates: tuple[Candidate, ...]
    rows: int
    unsure: int
    """Rows on which at least two candidates disagree."""
    samples: tuple[UnsureRow, ...]
    """Unsure rows, those with the most different answers first."""
    tried: int
    """Expressions that were computed."""
    complete: bool
    """False when the search stopped at its limit of time."""

    def __len__(self) -> int:
        return len(self.candidates)

    def __getitem__(self, place: int) -> Candidate:
        return self.candidates[place]

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.candidates)

    def __repr__(self) -> str:
        lines = [f"{len(self)} expressions fit; they disagree on {self.unsure:,} of {self.rows:,}"]
        lines[0] += " rows"
        for place, each in enumerate(self.candidates, 1):
            lines.append(f"{place:3}. {each.expression}   ({_differing(each)})")
        for sample in self.samples:
            inputs = ", ".join(shown(value) for value in sample.inputs.values())
            answers = " | ".join(self._answers(sample))
            lines.append(f"  row {sample.row} {inputs}: {answers}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        rows = [
            [str(place), each.expression, each.type, f"{each.differs:,}"]
            for place, each in enumerate(self.candidates, 1)
        ]
        head = ["", "expression", "type", "rows that differ from the first"]
        first = display.table(head, rows, caption=f"{len(self)} expressions fit every example")
        if not self.samples:
            return first
        unsure = [
            [str(each.row), *map(shown, each.inputs.values()), *self._answers(each)]
            for each in self.samples
        ]
        head = ["row", *self.samples[0].inputs, *(str(n + 1) for n in range(len(self)))]
        caption = f"{self.unsure:,} of {self.rows:,} rows are unsure"
        return first + display.table(head, unsure, caption=caption)

    def _answers(self, sample: UnsureRow) -> list[str]:
        typed = zip(sample.answers, self.candidates, strict=True)
        return [shown(value, each.type) for value, each in typed]


def shown(value: Any, type_: str = "") -> str:
    """Return a value as people read it, cut to a short width.

    >>> shown(86_400_000_000, "timestamp"), shown(1, "date"), shown(None), shown(3.0)
    ('1970-01-02T00:00:00Z', '1970-01-02', 'null', '3')
    """
    if value is None:
        return "null"
    if type_ == "timestamp":
        return format_instant(value)
    if type_ == "date":
        return format_instant(value * DAY_US)[:10]
    if isinstance(value, float):
        return f"{value:.10g}"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


def _differing(each: Candidate) -> str:
    return f"differs on {each.differs:,}" if each.differs else "as the first on every row"
