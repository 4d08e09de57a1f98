"""THE scoring path: resolve, fetch, compute, predict, log. Everybody who scores goes this way.

Comes in: rows in the language's own values. Goes out: an answer that names what produced it.
Holds: nothing is acknowledged before its frame has reached what the log mode promises; for
`synced` that is the caller's `sync`, which serves many requests at once.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from zlib import crc32

from tondo.core.errors import CallerError, PlatformError, TondoError
from tondo.scoring.answer import Answer, AnsweredVariant, Prediction
from tondo.scoring.frames import LoggedRequest, LoggedRow, encode, pack_vector
from tondo.scoring.plan import BUCKETS, choose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.core.ids import IdSource
    from tondo.ports.clock import Clock
    from tondo.ports.eventlog import Appender
    from tondo.scoring.inputs import RowInputs
    from tondo.scoring.plan import PlannedDeployment
    from tondo.scoring.serving import Serving

MAX_ROWS = 1_000
"""Rows a request: about 10 ms of one core, which no other caller should wait longer for."""

MAX_ID_CHARACTERS = 128
_LAST_INSTANT_US = 253_402_300_799_999_999
"""The end of the year 9999, the last instant that has a text."""

Row = dict[str, Any]


class ScoringPath:
    """Scores rows for one deployment, or for one of its versions.

    `appender` is None where nothing is logged (`off`, library mode, evaluation).
    """

    def __init__(
        self,
        deployment: PlannedDeployment,
        servings: Sequence[Serving],
        *,
        inputs: RowInputs,
        clock: Clock,
        ids: IdSource,
        appender: Appender | None = None,
    ) -> None:
        self.deployment = deployment
        self.servings = {each.variant.name: each for each in servings}
        self.inputs = inputs
        self._only = servings[0] if len(servings) == 1 else None
        self._now_us = clock.now_us
        self._make_id = ids.make
        self._appender = appender
        self._log_mode = deployment.log_mode if appender is not None else "off"
        self._may_give_as_of = deployment.as_of == "caller"

    @property
    def synced(self) -> bool:
        """Whether an answer must wait for the appender's `sync`."""
        return self._log_mode == "synced"

    def sync(self) -> None:
        """Flush what was logged to the device."""
        if self._appender is not None:
            self._appender.sync()

    def score(
        self,
        rows: list[Row],
        *,
        as_of_us: int | None = None,
        ids: Sequence[str] | None = None,
        purpose: str = "live",
        request_id: str | None = None,
        started_ns: int | None = None,
    ) -> Answer:
        """Answer for `rows`, which are filled with the fetched features.

        `as_of_us` only where the plan says `as_of: caller` (else TD-SCORE-006); at most
        `MAX_ROWS` rows (TD-SCORE-007); `ids` one per row (TD-SCORE-008). A failure of the model
        is logged and raised; TD-LOG-001 when the log cannot keep its promise.
        """
        start = time.perf_counter_ns() if started_ns is None else started_ns
        now_us = self._now_us()
        if not 0 < len(rows) <= MAX_ROWS:
            raise _row_count(len(rows))
        if as_of_us is None:
            as_of_us = now_us
        elif not self._may_give_as_of or not 0 <= as_of_us <= _LAST_INSTANT_US:
            raise self._as_of_refused(as_of_us)
        if ids is None:
            ids = [self._make_id(now_us) for _ in rows]
        else:
            _check_ids(ids, len(rows))
        request = _Request(request_id or ids[0], now_us, as_of_us, purpose, start)
        if self._only is not None:
            return self._answer_one(self._only, rows, ids, request)
        return self._answer_several(rows, ids, request)

    def _answer_one(
        self, serving: Serving, rows: list[Row], ids: Sequence[str], request: _Request
    ) -> Answer:
        predictions, frame, ages = self._score_group(serving, rows, ids, request)
        self._log([frame], ids[0])
        return self._answer(predictions, [serving], ages, request)

    def _answer_several(self, rows: list[Row], ids: Sequence[str], request: _Request) -> Answer:
        groups: dict[str, list[int]] = {}
        sticky = self.deployment.sticky
        for position, row in enumerate(rows):
            key = ids[position] if sticky is None else str(row.get(sticky))
            groups.setdefault(choose(self.deployment, key).name, []).append(position)
        answered: list[Any] = [None] * len(rows)
        frames: list[LoggedRequest] = []
        freshness: dict[str, int | None] = {}
        for name, positions in groups.items():
            predictions, frame, ages = self._score_group(
                self.servings[name],
                [self._own_columns(name, rows[position]) for position in positions],
                [ids[position] for position in positions],
                request,
            )
            frames.append(frame)
            freshness.update(ages)
            for position, prediction in zip(positions, predictions, strict=True):
                answered[position] = prediction
        self._log(frames, ids[0])
        return self._answer(answered, [self.servings[name] for name in groups], freshness, request)

    def _own_columns(self, variant: str, row: Row) -> Row:
        """Leave to a variant its own columns; a missing one is named (TD-SCORE-001)."""
        if not self.inputs.optional:
            return row
        return self.servings[variant].inputs.select(row)

    def _score_group(
        self, serving: Serving, rows: list[Row], ids: Sequence[str], request: _Request
    ) -> tuple[list[Prediction], LoggedRequest, dict[str, int | None]]:
        vectors: list[list[float]] = []
        try:
            ages = serving.fetch(rows, request.as_of_us)
            vector = serving.model.vector
            vectors = [vector(row) for row in rows]
            scores = serving.score(vectors)
        except TondoError as error:
            if not isinstance(error, CallerError):
                nothing = [None] * len(rows)
                kept = vectors if len(vectors) == len(rows) else [[] for _ in rows]
                frame = request.frame(self, serving, _rows(ids, nothing, kept, rows), error.code)
                self._log([frame], ids[0])
            raise
        threshold, name = serving.threshold, serving.variant.name
        predictions = [
            Prediction(each, score, None if threshold is None else score >= threshold, name)
            for each, score in zip(ids, scores, strict=True)
        ]
        return predictions, request.frame(self, serving, _rows(ids, scores, vectors, rows)), ages

    def _log(self, frames: list[LoggedRequest], first_id: str) -> None:
        if self._appender is None:
            return
        if self._log_mode == "sampled":
            place = crc32(first_id.encode()) % BUCKETS
            if place >= self.deployment.sample_rate * BUCKETS:
                return
            try:
                self._appender.append_many(map(encode, frames))
            except PlatformError:
                return  # a sample promises nothing; the appender counts what it could not keep
        elif len(frames) == 1:
            self._appender.append(encode(frames[0]))
        else:
            self._appender.append_many(map(encode, frames))

    def _answer(
        self,
        predictions: list[Prediction],
        servings: list[Serving],
        ages: dict[str, int | None],
        request: _Request,
    ) -> Answer:
        return Answer(
            predictions=predictions,
            deployment=self.deployment.name,
            variants=[each.answered for each in servings],
            log_mode=self._log_mode,
            as_of_us=request.as_of_us,
            ages_us=ages,
        )

    def _as_of_refused(self, as_of_us: int) -> CallerError:
        if self._may_give_as_of:
            return CallerError(
                "TD-SCORE-006",
                f"as_of {as_of_us} is no instant that can be asked for",
                expected="an instant from 1970 to 9999",
            )
        return CallerError(
            "TD-SCORE-006",
            f"deployment '{self.deployment.name}' does not let the caller set as_of",
            expected="a request without as_of; features are read as of now",
            fix="Deploy with `as_of: caller` where callers may ask for another instant.",
            deployment=self.deployment.name,
        )


class _Request:
    """What all rows of one request share."""

    __slots__ = ("as_of_us", "at_us", "purpose", "request_id", "start_ns")

    def __init__(
        self, request_id: str, at_us: int, as_of_us: int, purpose: str, start_ns: int
    ) -> None:
        self.request_id = request_id
        self.at_us = at_us
        self.as_of_us = as_of_us
        self.purpose = purpose
        self.start_ns = start_ns

    def frame(
        self, path: ScoringPath, serving: Serving, rows: list[LoggedRow], error: str | None = None
    ) -> LoggedRequest:
        variant = serving.variant
        return LoggedRequest(
            request_id=self.request_id,
            at_us=self.at_us,
            as_of_us=self.as_of_us,
            deployment=path.deployment.name,
            variant=variant.name,
            model=variant.model,
            version=variant.version,
            model_version_id=variant.model_version_id,
            purpose=self.purpose,
            latency_us=(time.perf_counter_ns() - self.start_ns) // 1000,
            error=error,
            rows=rows,
        )


def _rows(
    ids: Sequence[str],
    scores: Sequence[float | None],
    vectors: Sequence[Sequence[float]],
    rows: list[Row],
) -> list[LoggedRow]:
    return [
        LoggedRow(prediction_id=id_, score=score, vector=pack_vector(vector), inputs=row)
        for id_, score, vector, row in zip(ids, scores, vectors, rows, strict=True)
    ]


def _row_count(found: int) -> CallerError:
    return CallerError(
        "TD-SCORE-007",
        f"the request has {found} rows",
        expected=f"1 to {MAX_ROWS} rows",
        fix="Send several requests, or score a file in batch.",
    )


def _check_ids(ids: Sequence[str], rows: int) -> None:
    if len(ids) != rows:
        what = f"{len(ids)} prediction ids for {rows} rows"
    elif len(set(ids)) != rows:
        what = "a prediction id stands in the request twice"
    elif not all(0 < len(each) <= MAX_ID_CHARACTERS for each in ids):
        what = "a prediction id is empty or too long"
    else:
        return
    raise CallerError(
        "TD-SCORE-008",
        what,
        expected=f"one distinct id per row, 1 to {MAX_ID_CHARACTERS} characters",
        fix="Leave ids out to have them made.",
    )
