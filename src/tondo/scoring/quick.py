"""The scoring path for the commonest request, compiled: one row, one variant, nothing to fetch.

Comes in: rows by position, as a typed decoder made them. Goes out: ids and scores; their frames
are with the appender. Holds: answer and frame are those of `ScoringPath.score_requests`, which is
the specification; a row on which anything fails is left to it.
"""

from __future__ import annotations

from math import isfinite
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from tondo.language.rows import compile_packed
from tondo.scoring.frames import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.scoring.path import ScoringPath
    from tondo.scoring.serving import Serving


Scored = tuple[int, "list[str]", "list[float]"]
"""The instant of a batch, which is also that of its features; ids and scores of its rows."""


class QuickPath:
    """Scores rows of requests that each have one, and say nothing besides."""

    def __init__(self, path: ScoringPath, serving: Serving) -> None:
        self.inputs = path.inputs
        self.serving = serving
        self.deployment = path.deployment.name
        self.log_mode = path.log_mode
        self._score = serving.model.score_packed_table
        self._now_us = path.now_us
        self._make_ids = path.make_ids
        self._append = None if path.appender is None else path.appender.append_many
        self._head = (path.deployment.name, *serving.head, path.deployment.purpose)
        self._pack = compile_packed(serving.model.contents.features, list(path.inputs.types))

    def score(
        self, rows: Sequence[tuple[Any, ...]], logged: Sequence[Any], started_ns: int
    ) -> Scored | None:
        """Answer for rows, each of another request; None or any error when one of them fails.

        `rows` are values in the order of the columns, `logged` the same rows as they are to stand
        in the log: whatever encodes as their mapping. TD-LOG-001 when the log fails.
        """
        pack, at_us = self._pack, self._now_us()
        vectors = [pack(*row) for row in rows]
        scores = self._score(vectors)
        if not all(map(isfinite, scores)):
            return None
        ids = self._make_ids(at_us, len(rows))
        if self._append is not None:
            of_turn = (*self._head, (perf_counter_ns() - started_ns) // 1000, None)
            self._append(
                [
                    encode((id_, at_us, at_us, *of_turn, ((id_, score, vector, row),)))
                    for id_, score, vector, row in zip(ids, scores, vectors, logged, strict=True)
                ]
            )
        return at_us, ids, scores


def quick_path(path: ScoringPath) -> QuickPath | None:
    """Return the compiled path, or None where requests need what it does not do."""
    only = path.only
    if only is None or only.fetch is not None or path.asked is not None:
        return None
    if path.inputs.optional or path.log_mode == "sampled":
        return None
    return QuickPath(path, only)
