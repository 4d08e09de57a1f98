"""THE scoring path: resolve, fetch, compute, predict, log. Everybody who scores goes this way.

Comes in: rows in the language's own values. Goes out: an answer that names what produced it.
Holds: the frame is handed to the appender before the answer is returned. Whoever serves many
requests may hand in an appender that gathers frames, and then flushes it before acknowledging.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING
from zlib import crc32

from tondo.core.errors import CallerError, TondoError
from tondo.scoring.answer import Answer, Prediction
from tondo.scoring.asked import asked_features
from tondo.scoring.frames import LoggedRequest, LoggedRow, encode
from tondo.scoring.plan import BUCKETS, choose
from tondo.scoring.request import SEVERAL, ScoreRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tondo.core.ids import IdSource
    from tondo.ports.clock import Clock
    from tondo.ports.eventlog import Appender
    from tondo.scoring.asked import AskedViews
    from tondo.scoring.inputs import RowInputs
    from tondo.scoring.plan import PlannedDeployment
    from tondo.scoring.request import Row
    from tondo.scoring.serving import Serving

MAX_ROWS = 1_000
"""Rows a request: about 10 ms of one core, which no other caller should wait longer for."""

MAX_ID_CHARACTERS = 128
_LAST_INSTANT_US = 253_402_300_799_999_999
"""The end of the year 9999, the last instant that has a text."""

Parts = dict[str, tuple[list[int], ScoreRequest]]
"""Variant to the places of its rows in a request, and the request for these."""


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
        asked: AskedViews | None = None,
    ) -> None:
        self.deployment = deployment
        self.asked = None if asked is None else asked_features(servings, asked)
        """What is asked of outside services before `score_requests`; None: nothing."""
        self.servings = {each.variant.name: each for each in servings}
        self._reads_for = {
            name: next(other for other in servings if other.reads == each.reads)
            for name, each in self.servings.items()
        }
        """Variant to the first that reads the same features: one read serves them all."""
        self.inputs = inputs
        self.appender = appender
        self.log_mode = deployment.log_mode if appender is not None else "off"
        self._name = deployment.name
        self.only = servings[0] if len(servings) == 1 else None
        """The variant that answers every row, None where there are several."""
        self.now_us = clock.now_us
        self.make_ids = ids.make_many
        self._may_give_as_of = deployment.as_of == "caller"
        self._purpose = deployment.purpose

    def reads_for(self, serving: Serving) -> Serving:
        """Return the variant whose read serves `serving` too."""
        return self._reads_for[serving.variant.name]

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
    ) -> Answer:
        """Answer for `rows`, which are filled with the fetched features.

        `as_of_us` only where the plan says `as_of: caller` (else TD-SCORE-006); at most
        `MAX_ROWS` rows (TD-SCORE-007); `ids` one per row (TD-SCORE-008). A failure of the model
        is logged and raised; TD-LOG-001 when the log cannot keep its promise.
        """
        request = ScoreRequest(
            rows,
            as_of_us=as_of_us,
            ids=ids,
            purpose=purpose,
            request_id=request_id,
            started_ns=perf_counter_ns(),
        )
        self.ask(request)
        (answer,) = self.score_requests([request])
        if isinstance(answer, TondoError):
            raise answer
        return answer

    def ask(self, request: ScoreRequest) -> None:
        """Ask outside services for what the rows need; may wait as long as their time limits.

        For any thread. `score` does so; who calls `score_requests` asks first.
        """
        if self.asked is not None:
            as_of_us = request.as_of_us
            self.asked.fill(request, as_of_us=self.now_us() if as_of_us is None else as_of_us)

    def score_requests(self, requests: Sequence[ScoreRequest]) -> list[Answer | TondoError]:
        """Answer several requests; each stands for itself, with its own answer or error.

        The steps are done for all requests, one step after the other: what a step needs then
        stays in the processor's caches, which halves the time of a busy scorer.
        """
        now_us = self.now_us()
        for request in requests:
            request.error = self._check(request, now_us)
        good = [request for request in requests if request.error is None]
        if self.only is None:
            return self._deal(requests, good)
        self._run(self.only, good)
        self._log(self.only, good)
        return [request.error or self._answer(self.only, request) for request in requests]

    def _check(self, request: ScoreRequest, now_us: int) -> CallerError | None:
        """Complete a request: its instant, its as-of time, its ids; or say what is wrong."""
        rows, ids, as_of_us = request.rows, request.ids, request.as_of_us
        if not 0 < len(rows) <= MAX_ROWS:
            return _row_count(len(rows))
        request.at_us = now_us
        if request.purpose == "live":
            request.purpose = self._purpose
        if as_of_us is None:
            request.as_of_us = now_us
        elif not self._may_give_as_of or not 0 <= as_of_us <= _LAST_INSTANT_US:
            return self._as_of_refused(as_of_us)
        if ids is None:
            request.ids = self.make_ids(now_us, len(rows))
            return None
        return _ids_refused(ids, len(rows))

    def _run(self, serving: Serving, requests: Sequence[ScoreRequest]) -> None:
        """Fetch, compute and predict for all; a request that fails gets its error."""
        serving.read(requests)
        self._compute(serving, requests)

    def _compute(self, serving: Serving, requests: Iterable[ScoreRequest]) -> None:
        """Compute and predict for requests whose features were read."""
        vector, pack = serving.vector, serving.pack
        good: list[ScoreRequest] = []
        for request in requests:
            if request.error is not None:
                continue
            try:
                request.vectors = [pack(*vector(row)) for row in request.rows]
            except TondoError as error:
                request.error = error
            else:
                good.append(request)
        if good:
            serving.predict(good)

    def _log(self, serving: Serving, requests: Iterable[ScoreRequest]) -> None:
        """Log what was answered, and what failed unless it is the caller's to mend."""
        if self.appender is None:
            return
        append = self.appender.append
        sampled = self.log_mode == "sampled"
        for request in requests:
            if request.error is None:
                if not sampled or self._sampled(request):
                    append(self._frame(serving, request))
            elif not isinstance(request.error, CallerError):
                append(self._failed(serving, request, request.error))

    def _frame(self, serving: Serving, request: ScoreRequest) -> bytes:
        """Return the logged request as bytes.

        The tuple has LoggedRequest's very shape; building that would cost as much again as
        encoding it.
        """
        rows, ids, scores, vectors = request.rows, request.ids, request.scores, request.vectors
        assert ids is not None
        return encode(
            (
                *(request.request_id or ids[0], request.at_us, request.as_of_us, self._name),
                *serving.head,
                *(request.purpose, (perf_counter_ns() - request.started_ns) // 1000, None),
                [(ids[at], scores[at], vectors[at], row) for at, row in enumerate(rows)],
            )
        )

    def _failed(self, serving: Serving, request: ScoreRequest, error: TondoError) -> bytes:
        """Return the frame of a request that has no scores."""
        assert request.ids is not None
        variant = serving.variant
        vectors = request.vectors or [b""] * len(request.rows)
        return encode(
            LoggedRequest(
                request_id=request.request_id or request.ids[0],
                at_us=request.at_us,
                as_of_us=request.as_of_us or 0,
                deployment=self._name,
                variant=variant.name,
                model=variant.model,
                version=variant.version,
                model_version_id=variant.model_version_id,
                purpose=request.purpose,
                latency_us=(perf_counter_ns() - request.started_ns) // 1000,
                error=error.code,
                rows=[
                    LoggedRow(prediction_id=id_, score=None, vector=vector, inputs=row)
                    for id_, vector, row in zip(request.ids, vectors, request.rows, strict=True)
                ],
            )
        )

    def _answer(self, serving: Serving, request: ScoreRequest) -> Answer:
        return Answer(
            self._predictions(serving, request),
            self._name,
            [serving.answered],
            self.log_mode,
            request.as_of_us or 0,
            request.ages,
            request.defaulted,
        )

    def _predictions(self, serving: Serving, request: ScoreRequest) -> list[Prediction]:
        threshold, name, ids = serving.threshold, serving.variant.name, request.ids
        assert ids is not None
        return [
            Prediction(ids[at], score, None if threshold is None else score >= threshold, name)
            for at, score in enumerate(request.scores)
        ]

    def _deal(
        self, requests: Sequence[ScoreRequest], good: Iterable[ScoreRequest]
    ) -> list[Answer | TondoError]:
        """Answer requests whose rows go to several variants, each of which runs once for all."""
        dealt: dict[ScoreRequest, Parts] = {}
        by_variant: dict[str, list[ScoreRequest]] = {}
        for request in good:
            try:
                parts = dealt[request] = self._parts(request)
            except CallerError as error:
                request.error = error
                continue
            for name, (_, part) in parts.items():
                by_variant.setdefault(name, []).append(part)
        by_reading: dict[Serving, list[ScoreRequest]] = {}
        for name, together in by_variant.items():
            by_reading.setdefault(self._reads_for[name], []).extend(together)
        for serving, together in by_reading.items():
            serving.read(together)
        self._compute_each(by_variant)
        for request, parts in dealt.items():
            self._log_parts(request, parts)
        return [request.error or self._merge(request, dealt[request]) for request in requests]

    def _compute_each(self, by_variant: Mapping[str, list[ScoreRequest]]) -> None:
        """Compute variant by variant; the latency of none counts the time of the others.

        Requests that are answered together wait for each other; a slow candidate must be seen to
        be slow, and not to slow down what it is compared with.
        """
        spent: dict[str, int] = {}
        for name, together in by_variant.items():
            start_ns = perf_counter_ns()
            self._compute(self.servings[name], together)
            spent[name] = perf_counter_ns() - start_ns
        total_ns = sum(spent.values())
        for name, together in by_variant.items():
            for part in together:
                part.started_ns += total_ns - spent[name]

    def _log_parts(self, request: ScoreRequest, parts: Parts) -> None:
        """Log one frame a variant, up to the first that failed: it fails the whole request."""
        request.variant = SEVERAL
        for name, (_, part) in parts.items():
            self._log(self.servings[name], [part])
            if part.error is not None or len(parts) == 1:
                request.error, request.variant = part.error, name
                request.started_ns = part.started_ns
                return

    def _merge(self, request: ScoreRequest, parts: Parts) -> Answer:
        """Return the answer of the variants' parts, in the order of the request's rows."""
        answered: list[Prediction | None] = [None] * len(request.rows)
        for name, (positions, part) in parts.items():
            request.ages = {**request.ages, **part.ages}
            predictions = self._predictions(self.servings[name], part)
            for position, prediction in zip(positions, predictions, strict=True):
                answered[position] = prediction
        return Answer(
            [each for each in answered if each is not None],
            self._name,
            [self.servings[name].answered for name in parts],
            self.log_mode,
            request.as_of_us or 0,
            request.ages,
            request.defaulted,
        )

    def _parts(self, request: ScoreRequest) -> Parts:
        """Deal rows to variants by their key; every row is checked before any is scored."""
        groups: dict[str, list[int]] = {}
        sticky, ids = self.deployment.sticky, request.ids
        assert ids is not None
        for position, row in enumerate(request.rows):
            key = ids[position] if sticky is None else str(row.get(sticky))
            groups.setdefault(choose(self.deployment, key, row).name, []).append(position)
        return {
            name: (
                positions,
                request.part(positions, [self._own(name, request, at) for at in positions]),
            )
            for name, positions in groups.items()
        }

    def _own(self, variant: str, request: ScoreRequest, position: int) -> Row:
        """Return the variant's own columns of a row; TD-SCORE-001 names a missing one."""
        row = request.rows[position]
        if not self.inputs.optional:
            return row
        own = self.servings[variant].inputs.select(row, where=f"rows[{position}].")
        if self.asked is not None:
            own.update((name, value) for name, value in row.items() if name[:1] == "@")
        return own

    def _sampled(self, request: ScoreRequest) -> bool:
        assert request.ids is not None
        place = crc32(request.ids[0].encode()) % BUCKETS
        return place < self.deployment.sample_rate * BUCKETS

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


def _ids_refused(ids: Sequence[str], rows: int) -> CallerError | None:
    if len(ids) != rows:
        what = f"{len(ids)} prediction ids for {rows} rows"
    elif len(set(ids)) != rows:
        what = "a prediction id stands in the request twice"
    elif not all(0 < len(each) <= MAX_ID_CHARACTERS for each in ids):
        what = "a prediction id is empty or too long"
    else:
        return None
    return CallerError(
        "TD-SCORE-008",
        what,
        expected=f"one distinct id per row, 1 to {MAX_ID_CHARACTERS} characters",
        fix="Leave ids out to have them made.",
    )
