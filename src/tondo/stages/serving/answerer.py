"""Scores requests by the scoring path, for a consumer: nothing is logged but what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import TondoError
from tondo.core.ids import derived_id
from tondo.scoring import frames
from tondo.scoring.path import ScoringPath
from tondo.scoring.serving import shared_inputs
from tondo.stages.serving.answers import Answered, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tondo.core.ids import IdSource
    from tondo.ports.clock import Clock
    from tondo.scoring.asked import AskedViews
    from tondo.scoring.inputs import RowInputs
    from tondo.scoring.plan import PlannedDeployment
    from tondo.scoring.request import Row
    from tondo.scoring.serving import Serving
    from tondo.stages.serving.answers import Purpose
    from tondo.stages.serving.consumer import Asked

SHOWN_CHARACTERS = 500
"""Of a refusal's message: enough to name the field, and a hostile row fills no disk with it."""


class CollectingAppender:
    """Keeps the frames that the scoring path logs, for the consumer to write them."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.append = self.frames.append

    def append_many(self, payloads: Iterable[bytes]) -> None:
        """Keep several frames."""
        self.frames.extend(payloads)

    def sync(self) -> None:
        """Do nothing: the consumer's frame is what becomes durable."""

    def roll(self) -> str | None:
        """Return None: there is no segment."""
        return None

    def close(self) -> None:
        """Do nothing."""

    def take(self) -> list[bytes]:
        """Return the frames and keep them no longer."""
        taken = list(self.frames)
        self.frames.clear()
        return taken


class PathAnswerer:
    """One deployment's variants, or one version alone, scoring for a purpose."""

    def __init__(
        self,
        deployment: PlannedDeployment,
        servings: Sequence[Serving],
        *,
        purpose: Purpose,
        clock: Clock,
        ids: IdSource,
        asked: AskedViews | None = None,
        own_ids: bool = False,
        carried: frozenset[str] = frozenset(),
    ) -> None:
        """`own_ids`: the source's ids are those of the predictions; else ids are made of them.

        `carried` are values beside the request columns that rows bring along.
        """
        self.purpose = purpose
        self.inputs: RowInputs = shared_inputs(servings, deployment.name)
        self._collected = CollectingAppender()
        self._version = "" if own_ids else servings[0].variant.model_version_id
        self._name = deployment.name
        self._carried = carried
        self._path = ScoringPath(
            # All is kept, whatever the deployment keeps of the requests that callers wait for.
            msgspec.structs.replace(deployment, log_mode="written"),
            servings,
            inputs=self.inputs,
            clock=clock,
            ids=ids,
            appender=self._collected,
            asked=asked,
        )

    def answer(self, asked: Asked) -> list[Answered | Refused]:
        """Score one request: what was answered, or why it was refused."""
        ids = self._ids(asked.source_ids)
        try:
            self._path.score(
                [self._own(row, at) for at, row in enumerate(asked.rows)],
                as_of_us=asked.as_of_us,
                ids=ids,
                purpose=self.purpose,
                request_id=asked.request_id,
            )
        except TondoError as error:
            failed = self._collected.take()
            if not failed:
                return [refusal(asked, error)]
            return self._answered(asked, ids, failed)
        return self._answered(asked, ids, self._collected.take())

    def _own(self, row: Row, at: int) -> Row:
        """Return a row of our own, which the path may fill, with what the variants read."""
        if self.inputs.optional:
            return dict(row)
        own = self.inputs.select(row, where=f"rows[{at}].")
        own.update((name, row[name]) for name in self._carried)
        return own

    def _ids(self, source_ids: list[str]) -> list[str]:
        if not self._version:
            return source_ids
        return [derived_id(self.purpose, self._name, self._version, each) for each in source_ids]

    def _answered(
        self, asked: Asked, ids: list[str], payloads: list[bytes]
    ) -> list[Answered | Refused]:
        """Return one answer a frame: as many as variants answered."""
        if len(payloads) == 1:
            return [Answered(asked.source_ids, msgspec.Raw(payloads[0]), asked.before)]
        source_of = dict(zip(ids, asked.source_ids, strict=True))
        return [
            Answered(
                [source_of[row.prediction_id] for row in frames.decode_unread(payload).rows],
                msgspec.Raw(payload),
                asked.before,
            )
            for payload in payloads
        ]


def refusal(asked: Asked, error: TondoError) -> Refused:
    """Return what is kept of a request that could not be scored."""
    message = error.message[:SHOWN_CHARACTERS]
    return Refused(asked.source_ids, error.code, message, asked.before, asked.event)
