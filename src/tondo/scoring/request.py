"""One scoring request on its way: what was asked, and what has been found out so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.core.errors import TondoError

Row = dict[str, Any]
Ages = dict[str, int | None]

NO_AGES: Ages = {}

SEVERAL = "several"
"""Stands for the variant of a request whose rows were dealt to more than one."""


class ScoreRequest:
    """Rows in the language's own values, with what the caller may say about them.

    `started_ns` is the performance counter when the request was taken up.
    """

    __slots__ = (
        *("ages", "as_of_us", "at_us", "defaulted", "error", "ids", "purpose"),
        *("request_id", "rows", "scores", "started_ns", "told", "variant", "vectors"),
    )

    def __init__(
        self,
        rows: list[Row],
        *,
        as_of_us: int | None = None,
        ids: Sequence[str] | None = None,
        purpose: str = "live",
        request_id: str | None = None,
        started_ns: int = 0,
    ) -> None:
        self.rows = rows
        self.as_of_us = as_of_us
        self.ids = ids
        self.purpose = purpose
        self.request_id = request_id
        self.started_ns = started_ns
        self.at_us = 0
        self.ages = NO_AGES
        self.defaulted: tuple[str, ...] = ()
        """Views whose service did not answer."""
        self.vectors: list[bytes] = []
        self.scores: list[float] = []
        self.told: Any = None
        """What a protocol keeps of the request for its reply; nobody else looks at it."""
        self.variant = ""
        """Who answered or failed, where rows are dealt: a variant's name, or `SEVERAL`."""
        self.error: TondoError | None = None

    def part(self, positions: Sequence[int], rows: list[Row]) -> ScoreRequest:
        """Return the request for some of the rows, which one variant answers."""
        assert self.ids is not None
        part = ScoreRequest(
            rows,
            as_of_us=self.as_of_us,
            ids=[self.ids[position] for position in positions],
            purpose=self.purpose,
            request_id=self.request_id,
            started_ns=self.started_ns,
        )
        part.at_us = self.at_us
        return part
