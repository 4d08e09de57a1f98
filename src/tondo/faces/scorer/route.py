"""One scoring URL: a handler with its counts, which turns bodies into replies and never raises."""

from __future__ import annotations

import logging
import time
from itertools import compress
from typing import TYPE_CHECKING, Literal

from tondo.core.errors import PlatformError, TondoError
from tondo.faces.scorer.admission import overloaded
from tondo.faces.scorer.protocols.bodies import MAX_BODY_BYTES, nested_too_deeply
from tondo.faces.scorer.protocols.carried import sent_headers
from tondo.faces.scorer.protocols.quick import quick_handler
from tondo.faces.scorer.tracing import request_id_of
from tondo.faces.web.status import status_of
from tondo.scoring.request import ScoreRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.faces.scorer.aside import Twins
    from tondo.faces.scorer.metrics import RouteMetrics
    from tondo.faces.scorer.protocols import Handler
    from tondo.scoring.answer import Answer

_log = logging.getLogger("tondo.scorer")

_OK = 200


class Route:
    """One URL: a handler with its counts. `answer` never raises."""

    away: Literal[False] = False
    """Whether another process answers."""

    __slots__ = (
        *("_encode_error", "_handler", "_quick", "_variant", "appender", "busy"),
        *("metrics", "most_bytes", "path", "reads_headers", "slow", "twins", "used"),
    )

    def __init__(self, handler: Handler, metrics: RouteMetrics) -> None:
        self.most_bytes = MAX_BODY_BYTES
        """Larger bodies would hold up other requests: they are answered in another thread."""
        self.slow = False
        """Whether every request is answered in another thread."""
        self.twins: Twins | None = None
        """What answers there; None where everything is answered here."""
        self.busy = 0
        """Requests under way outside a turn of the event loop."""
        self.used = False
        """Set with each turn that it answers in; whoever looks takes it back."""
        self.path = handler.path
        self.appender = handler.path.appender
        self.metrics = metrics
        self.reads_headers = handler.reads_headers
        self._handler = handler
        self._quick = quick_handler(handler)
        names = list(handler.path.servings)
        self._variant = names[0] if len(names) == 1 else None
        """Who answers every request; None where rows are dealt."""
        self._encode_error = handler.encode_error

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """Return status and JSON for a request's body; not to be sent before `batch` is flushed."""
        return self.answer_all([body])[0]

    def answer_all(self, bodies: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """Return `answer` of each body; the work of all is done step by step."""
        start = time.perf_counter_ns()
        self.used = True
        if self._quick is None:
            return self._explain(bodies, start)
        replies = self._quick.answer_all(bodies, start, self.metrics)
        return self._answer_apart(bodies, start) if replies is None else replies

    def _answer_apart(self, bodies: Sequence[bytes], start: int) -> list[tuple[int, bytes]]:
        """Answer bodies of which some are of the commonest kind, or fail."""
        assert self._quick is not None
        if len(bodies) == 1:
            return self._explain(bodies, start, self._quick.dealt)
        taken = list(map(self.takes, bodies))
        usual = list(compress(bodies, taken))
        others = [body for body, is_taken in zip(bodies, taken, strict=True) if not is_taken]
        again = usual and others
        quick = self._quick.answer_all(usual, start, self.metrics) if again else None
        replies = {
            True: iter(self._explain(usual, start, self._quick.dealt) if quick is None else quick),
            False: iter(self._explain(others, start)),
        }
        return [next(replies[is_taken]) for is_taken in taken]

    def takes(self, body: bytes) -> bool:
        """Return whether a body is of the commonest kind, which was compiled."""
        if self._quick is None:
            return False
        try:
            self._quick.read([body])
        except Exception:  # noqa: BLE001 - whatever it is, the other way explains it
            return False
        return True

    def _explain(
        self, bodies: Sequence[bytes], start: int, ids: Sequence[str] | None = None
    ) -> list[tuple[int, bytes]]:
        """Answer bodies of any kind, the way that names what is wrong; `ids` dealt them already."""
        if not bodies:
            return []
        outcomes = [self.read(body, start) for body in bodies]
        for outcome, id_ in zip(outcomes, ids or (), strict=False):
            if isinstance(outcome, ScoreRequest):
                outcome.ids = [id_]
        return self.finish(outcomes, start)

    def finish(
        self, outcomes: Sequence[ScoreRequest | tuple[int, bytes]], start: int
    ) -> list[tuple[int, bytes]]:
        """Answer what `read` gave, from `start` on; for the thread of the event loop."""
        requests = [each for each in outcomes if isinstance(each, ScoreRequest)]
        answers = self._score(requests)
        waiting = iter(answers)
        replies = [
            self._reply(next(waiting), outcome) if isinstance(outcome, ScoreRequest) else outcome
            for outcome in outcomes
        ]
        statuses = [status for status, _ in replies]
        if self._variant is None:
            self._count_dealt(outcomes, statuses, start)
        else:
            rows = sum(map(_rows_of, answers))
            self.metrics.count(statuses, time.perf_counter_ns() - start, rows, self._variant)
        return replies

    def _count_dealt(
        self,
        outcomes: Sequence[ScoreRequest | tuple[int, bytes]],
        statuses: Sequence[int],
        start: int,
    ) -> None:
        """Count each request for the variant that answered it, without the others' time."""
        now_ns, count = time.perf_counter_ns(), self.metrics.count
        for outcome, status in zip(outcomes, statuses, strict=True):
            if isinstance(outcome, ScoreRequest):
                rows = len(outcome.rows) if status == _OK else 0
                count([status], now_ns - outcome.started_ns, rows, outcome.variant, aside=True)
            else:
                count([status], now_ns - start, aside=True)
        self.metrics.spent(now_ns - start, len(statuses))

    def read(self, body: bytes, start_ns: int) -> ScoreRequest | tuple[int, bytes]:
        """Return the request of a body, or at once what to answer to one that is none."""
        try:
            request = self._handler.read(body, start_ns)
            request.request_id = request.request_id or request_id_of(sent_headers(body))
            return request  # noqa: TRY300 - what it is read by may raise
        except TondoError as error:
            return self._refuse(error)
        except RecursionError:  # decoded just so, and then too deep for what looked at it
            return self._refuse(nested_too_deeply())
        except Exception:  # noqa: BLE001 - the edge: one bad request must not end the process
            return self._broken()

    def _score(self, requests: list[ScoreRequest]) -> list[Answer | TondoError]:
        try:
            return self.path.score_requests(requests)
        except Exception:  # noqa: BLE001 - the edge: one bad request must not end the others
            if len(requests) == 1:
                _log.exception("a scoring request failed")
                return [_unexpected()]
            return [answer for each in requests for answer in self._score([each])]

    def _reply(self, answer: Answer | TondoError, request: ScoreRequest) -> tuple[int, bytes]:
        if isinstance(answer, TondoError):
            return self._refuse(answer)
        return 200, self._handler.reply(answer, request)

    def _refuse(self, error: TondoError) -> tuple[int, bytes]:
        return status_of(error), self._encode_error(error)

    def _broken(self) -> tuple[int, bytes]:
        _log.exception("a scoring request failed")
        return self._refuse(_unexpected())

    def not_written(self, error: TondoError) -> tuple[int, bytes] | None:
        """Return the answer in place of one whose frame was lost; None where that may be."""
        if self.path.log_mode == "sampled":
            return None
        self.metrics.correct(200, status_of(error))
        return self._refuse(error)

    def shed(self) -> tuple[int, bytes]:
        """Return the refusal of a request that would wait for too long; cheap, never logged."""
        self.metrics.count_shed()
        return self._refuse(overloaded(self.path.deployment.name))

    @property
    def asks(self) -> bool:
        """Whether outside services are waited for: never on the event loop's thread."""
        return self.path.asked is not None

    def ask(self, request: ScoreRequest) -> None:
        """Ask them; for any thread."""
        self.path.ask(request)

    @property
    def synced(self) -> bool:
        """Whether a reply waits until its frame is on the device."""
        return self.path.synced


def _rows_of(answer: Answer | TondoError) -> int:
    return 0 if isinstance(answer, TondoError) else len(answer.predictions)


def _unexpected() -> TondoError:
    return PlatformError(
        "TD-SCORER-003",
        "the scorer failed on this request",
        fix="The scorer's log has the details; please report them.",
    )
