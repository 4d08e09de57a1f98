"""The commonest request of a path of several variants or with features: dealt, replied to by each.

Comes in: bodies of one row. Goes out: their replies in order, counted for the variant that
answered. Holds: what `QuickHandler` holds.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING

from tondo.scoring.dealt import DealtError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.faces.scorer.metrics import RouteMetrics
    from tondo.faces.scorer.protocols.quick import Reader
    from tondo.faces.scorer.protocols.quick_replies import Replies, Reply
    from tondo.scoring.dealt import DealtPath, Share

_OK = 200


class DealtHandler:
    """Answers bodies of one row for one scoring path of several variants."""

    def __init__(self, path: DealtPath, read: Reader, replies: Mapping[str, Replies]) -> None:
        self.dealt: Sequence[str] | None = None
        self._score = path.score
        self.read = read
        self._replies = {name: each.of for name, each in replies.items()}

    def answer_all(
        self, bodies: Sequence[bytes], started_ns: int, metrics: RouteMetrics
    ) -> list[Reply] | None:
        """Return status and payload for each body; None where one must be read another way.

        `dealt` then has the ids that all of them were dealt by, None where they were not.
        """
        self.dealt = None
        try:
            rows, logged, told = self.read(bodies)
            shares = self._score(rows, logged, started_ns)
        except DealtError as error:
            self.dealt = error.ids
            return None
        except Exception:  # noqa: BLE001 - whatever it is, the other way explains it
            return None
        replies = self._replies_to(shares, told, len(bodies))
        elapsed_ns = perf_counter_ns() - started_ns
        for share in shares:
            number = len(share.places)
            metrics.count(
                [_OK] * number, elapsed_ns - share.aside_ns, number, share.variant, aside=True
            )
        metrics.spent(elapsed_ns, len(bodies))
        return replies

    def _replies_to(
        self, shares: Sequence[Share], told: Sequence[bool] | None, number: int
    ) -> list[Reply]:
        """Return the reply to each of `number` rows, in their order."""
        if len(shares) == 1:
            return self._replies[shares[0].variant](shares[0].scored, told, shares[0].ages)
        placed: dict[int, Reply] = {}
        for share in shares:
            of, places = self._replies[share.variant], share.places
            own = None if told is None else [told[place] for place in places]
            placed.update(zip(places, of(share.scored, own, share.ages), strict=True))
        return [placed[place] for place in range(number)]
