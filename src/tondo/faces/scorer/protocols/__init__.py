"""The wire shapes of scoring, one file each.

Comes in: request bodies, with their headers where a shape says something there. Goes out: rows for
the scoring path, and its answers as payloads.
Holds: no HTTP; both faces of the scorer (fast path and Starlette) use the same functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tondo.core.errors import TondoError
    from tondo.scoring.answer import Answer
    from tondo.scoring.path import ScoringPath
    from tondo.scoring.request import ScoreRequest


class Handler(Protocol):
    """Reads and writes one shape for one scoring path; knows nothing of a single request."""

    protocol: str
    """The shape's name in metrics."""
    reads_headers: bool
    """Whether every request is asked for its headers, which the fast path does not keep."""
    path: ScoringPath

    def read(self, body: bytes, started_ns: int) -> ScoreRequest:
        """Return the request of a body; coded errors name what is wrong in it."""
        ...

    def reply(self, answer: Answer, request: ScoreRequest) -> bytes:
        """Return an answer's payload."""
        ...

    def encode_error(self, error: TondoError) -> bytes:
        """Return a refusal's payload."""
        ...
