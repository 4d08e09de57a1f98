"""What the demo says: plain lines, with colour where a person reads them."""

from __future__ import annotations

import sys
import time
from typing import TextIO

import msgspec


class StepLine(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the demo as the summary lists it."""

    name: str
    phase: str
    seconds: float
    ok: bool
    reused: bool


BUDGET_S = {"prepare": 8.0, "learn": 12.0, "year": 30.0, "rest": 10.0}
"""What each phase may take on two cores; printed beside what it took."""

_BOLD, _DIM, _GREEN, _OFF = "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[0m"


class Teller:
    """Writes the story as it happens and keeps the time of its phases."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._coloured = self._out.isatty()
        self._begun_s = time.perf_counter()
        self._phase = ""
        self._phase_begun_s = self._begun_s
        self.phases: dict[str, float] = {}
        self.steps: list[StepLine] = []

    @property
    def total_s(self) -> float:
        """Seconds since the story began."""
        return time.perf_counter() - self._begun_s

    def title(self, text: str, under: str = "") -> None:
        """Open the story."""
        self._line(f"\n  {self._paint(_BOLD, text)}")
        if under:
            self._line(f"  {self._paint(_DIM, under)}")

    def phase(self, name: str, heading: str) -> None:
        """Begin a phase; the one before ends."""
        self.end_phase()
        self._phase, self._phase_begun_s = name, time.perf_counter()
        self._line(f"\n  {self._paint(_BOLD, heading)}")

    def end_phase(self) -> None:
        """End the present phase."""
        if self._phase:
            spent = time.perf_counter() - self._phase_begun_s
            self.phases[self._phase] = self.phases.get(self._phase, 0.0) + spent
        self._phase = ""

    def step(self, name: str, seconds: float, *, ok: bool, reused: bool) -> None:
        """Keep a step for the summary."""
        self.steps.append(
            StepLine(name=name, phase=self._phase, seconds=seconds, ok=ok, reused=reused)
        )

    def say(self, text: str, *, mark: str = "·") -> None:
        """Write one sentence of the story, each further line indented under it."""
        first, *rest = text.split("\n")
        self._line(f"    {self._paint(_GREEN, mark)} {first}")
        for line in rest:
            self._line(f"      {self._paint(_DIM, line)}")

    def table(self, head: list[str], rows: list[list[str]]) -> None:
        """Write a table; the first column to the left, the others to the right."""
        widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
        for at, row in enumerate([head, *rows]):
            cells = [row[0].ljust(widths[0])]
            cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
            line = "   ".join(cells)
            self._line("    " + (self._paint(_DIM, line) if at == 0 else line))

    def budget(self) -> None:
        """Write what each phase took beside what it may take."""
        parts = [
            f"{name} {self.phases.get(name, 0.0):.1f} s of {allowed:.0f}"
            for name, allowed in BUDGET_S.items()
        ]
        self._line(f"\n  {self._paint(_DIM, 'time: ' + ', '.join(parts))}")

    def _paint(self, code: str, text: str) -> str:
        return f"{code}{text}{_OFF}" if self._coloured else text

    def _line(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()
