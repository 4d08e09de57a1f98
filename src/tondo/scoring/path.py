"""THE scoring path: resolve, fetch, compute, predict, log. Everybody who scores goes this way.

Comes in: rows in the language's own values. Goes out: an answer that names what produced it.
Holds: the frame is handed to the appender before the answer is returned. Whoever serves many
requests may hand in an appender that gathers frames, and then flushes it before acknowledging.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING, Any
from zlib import crc32

from tondo.core.errors import CallerError, TondoError
from tondo.scoring.answer import Answer, Prediction
from tondo.scoring.frames import LoggedRequest, LoggedRow, encode
from tondo.scoring.plan import BUCKETS, choose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tondo.core.ids import IdSource
    from tondo.ports.clock import Clock
    from tondo.ports.eventlog import Appender
    from tondo.scoring.inputs import RowInputs
    from tondo.scoring.plan import PlannedDeployment
    from tondo.scoring.serving import Ages, Row, Serving

MAX_ROWS = 1_000
"""Rows a request: about 10 ms of one core, which no other caller should wait longer for."""

MAX_ID_CHARACTERS = 128
_LAST_INSTANT_US = 253_402_300_799_999_999
"""The end of the year 9999, the last instant that has a text."""

_NO_AGES: Ages = {}

_Request = tuple[str, int, int, str, int]
"""Request id, at, as of (microseconds), purpose, start of the work (performance counter)."""


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
        self.appender = appender
        self.log_mode = deployment.log_mode if appender is not None else "off"
        self._name = deployment.name
        self._only = servings[0] if len(servings) == 1 else None
        self._now_us = clock.now_us
        self._make_id = ids.make
        self._may_give_as_of = deployment.as_of == "caller"
        self._score_single = None if self._only is None else self._compile_single(self._only)

    @property
    def synced(self) -> bool:
        """Whether an answer must not be acknowledged before `sync`."""
        return self.log_mode == "synced"

    def sync(self) -> None:
        """Flush what was logged to the device."""
        if self.appender is not None:
            self.appender.sync()

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
        start = perf_counter_ns() if started_ns is None else started_ns
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
        request = (request_id or ids[0], now_us, as_of_us, purpose, start)
        only = self._only
        if only is None:
            return self._score_several(rows, ids, request)
        if len(rows) == 1 and self._score_single is not None:
            return self._score_single(rows, ids, request)
        predictions, ages = self._score_group(only, rows, ids, request)
        return Answer(predictions, self._name, [only.answered], self.log_mode, as_of_us, ages)

    def _compile_single(
        self, serving: Serving
    ) -> Callable[[list[Row], Sequence[str], _Request], Answer]:
        """Return `_score_group` for one row, as one function with everything bound.

        Most requests have one row, and in Python the calls between small functions cost more
        than what they do.
        """
        vector, pack, score_packed = serving.vector, serving.pack, serving.model.score_packed
        fetch, threshold, name = serving.fetch_rows, serving.threshold, serving.variant.name
        head, deployment, log_mode = serving.head, self._name, self.log_mode
        variants = [serving.answered]
        append = None if self.appender is None else self.appender.append
        sampled = self._sampled if log_mode == "sampled" else None

        def score_single(rows: list[Row], ids: Sequence[str], request: _Request) -> Answer:
            request_id, at_us, as_of_us, purpose, start = request
            row, id_ = rows[0], ids[0]
            packed = b""
            try:
                ages = _NO_AGES if fetch is None else fetch(rows, as_of_us)
                packed = pack(*vector(row))
                score = score_packed(packed)
                if score - score != 0.0:
                    raise serving.no_number()
            except TondoError as error:
                self._log_failure(serving, rows, ids, [packed], request, error)
                raise
            if append is not None and (sampled is None or sampled(id_)):
                append(
                    encode(
                        (
                            *(request_id, at_us, as_of_us, deployment, *head, purpose),
                            (perf_counter_ns() - start) // 1000,
                            None,
                            ((id_, score, packed, row),),
                        )
                    )
                )
            decision = None if threshold is None else score >= threshold
            prediction = Prediction(id_, score, decision, name)
            return Answer([prediction], deployment, variants, log_mode, as_of_us, ages)

        return score_single

    def _score_group(
        self, serving: Serving, rows: list[Row], ids: Sequence[str], request: _Request
    ) -> tuple[list[Prediction], Ages]:
        """Score the rows of one variant and log them."""
        vectors: list[bytes] = []
        try:
            ages = serving.fetch(rows, request[2])
            vectors = serving.pack_rows(rows)
            scores = serving.score(vectors)
        except TondoError as error:
            self._log_failure(serving, rows, ids, vectors, request, error)
            raise
        if self.appender is not None and (self.log_mode != "sampled" or self._sampled(ids[0])):
            # The tuple has LoggedRequest's very shape; building the value would cost as much
            # again as encoding it.
            request_id, at_us, as_of_us, purpose, start = request
            logged = [(ids[at], scores[at], vectors[at], row) for at, row in enumerate(rows)]
            latency_us = (perf_counter_ns() - start) // 1000
            head = (request_id, at_us, as_of_us, self._name, *serving.head)
            self.appender.append(encode((*head, purpose, latency_us, None, logged)))
        return serving.predictions(ids, scores), ages

    def _score_several(self, rows: list[Row], ids: Sequence[str], request: _Request) -> Answer:
        """Deal the rows to their variants; one frame for each variant."""
        groups: dict[str, list[int]] = {}
        sticky = self.deployment.sticky
        for position, row in enumerate(rows):
            key = ids[position] if sticky is None else str(row.get(sticky))
            groups.setdefault(choose(self.deployment, key).name, []).append(position)
        # Every row is checked before any is logged: a request counts as a whole or not at all.
        dealt = {
            name: [self._own_columns(name, rows[position], position) for position in positions]
            for name, positions in groups.items()
        }
        answered: list[Any] = [None] * len(rows)
        ages: Ages = {}
        for name, positions in groups.items():
            group_ids = [ids[position] for position in positions]
            predictions, group_ages = self._score_group(
                self.servings[name], dealt[name], group_ids, request
            )
            ages.update(group_ages)
            for position, prediction in zip(positions, predictions, strict=True):
                answered[position] = prediction
        variants = [self.servings[name].answered for name in groups]
        return Answer(answered, self._name, variants, self.log_mode, request[2], ages)

    def _own_columns(self, variant: str, row: Row, position: int) -> Row:
        """Leave to a variant its own columns; a missing one is named (TD-SCORE-001)."""
        if not self.inputs.optional:
            return row
        return self.servings[variant].inputs.select(row, where=f"rows[{position}].")

    def _sampled(self, first_id: str) -> bool:
        place = crc32(first_id.encode()) % BUCKETS
        return place < self.deployment.sample_rate * BUCKETS

    def _log_failure(
        self,
        serving: Serving,
        rows: list[Row],
        ids: Sequence[str],
        vectors: list[bytes],
        request: _Request,
        error: TondoError,
    ) -> None:
        """Log rows that the model failed on; what the caller must mend is not logged."""
        if self.appender is None or isinstance(error, CallerError):
            return
        request_id, at_us, as_of_us, purpose, start = request
        kept = vectors or [b""] * len(rows)
        variant = serving.variant
        frame = LoggedRequest(
            request_id=request_id,
            at_us=at_us,
            as_of_us=as_of_us,
            deployment=self._name,
            variant=variant.name,
            model=variant.model,
            version=variant.version,
            model_version_id=variant.model_version_id,
            purpose=purpose,
            latency_us=(perf_counter_ns() - start) // 1000,
            error=error.code,
            rows=[
                LoggedRow(prediction_id=ids[at], score=None, vector=kept[at], inputs=row)
                for at, row in enumerate(rows)
            ],
        )
        self.appender.append(encode(frame))

    def _as_of_refused(self, as_of_us: int) -> CallerError:
        if self._may_give_as_of:
            return CallerError(
                "TD-SCORE-006",
                f"as_of {as_of_us} is no instant that can be asked for",
                expected="an instant from 1970 to 9999",
            )
        return CallerError(
            "TD-SCORE-006",
            f"deployment '{self._name}' does not let the caller set as_of",
            expected="a request without as_of; features are read as of now",
            fix="Deploy with `as_of: caller` where callers may ask for another instant.",
            deployment=self._name,
        )


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
