"""The sketches port: what a stream's values look like, in bounded memory, and mergeable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


class ValueSketch(Protocol):
    """The values of one column, roughly."""

    @property
    def rank_error(self) -> float:
        """A quantile's true rank is within this share of it, in 99 of 100 cases; 0 when exact."""
        ...

    def add_numbers(self, values: np.ndarray) -> None:
        """Take finite numbers, each as often as it occurs, for quantiles."""
        ...

    def add_distinct(self, values: Sequence[float | int | str]) -> None:
        """Take values for the count of distinct ones; how often each comes does not matter."""
        ...

    def add_frequent(self, texts: Sequence[str], counts: Sequence[int]) -> None:
        """Take values in words and how often each occurs."""
        ...

    def merge(self, other: ValueSketch) -> None:
        """Take in what another sketch has seen."""
        ...

    def quantiles(self, shares: Sequence[float]) -> list[float]:
        """Return a value that occurs for each share; nothing when no number was taken."""
        ...

    def shares_below(self, edges: Sequence[float]) -> list[float]:
        """Return about which share of the numbers is below each edge."""
        ...

    def distinct(self) -> tuple[int, int, int]:
        """Return how many distinct values were taken: about, at least, at most.

        The bounds are three standard errors away.
        """
        ...

    def frequent(self) -> tuple[list[tuple[str, int, int]], int]:
        """Return the kept values, each with how often it occurs at least and at most.

        Besides, how often a value that is not kept can occur at most.
        """
        ...

    def to_bytes(self) -> bytes:
        """Return what `Sketches.read` reads."""
        ...


class Sketches(Protocol):
    """Makes sketches."""

    def empty(self) -> ValueSketch:
        """Return a sketch that has seen nothing."""
        ...

    def read(self, data: bytes) -> ValueSketch:
        """Return a kept sketch (TD-SKETCH-001 when the bytes are none)."""
        ...
