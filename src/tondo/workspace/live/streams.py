"""The streams that a deployment scores, beside what scorers count of its requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.stages.serving.answers import answers_of
from tondo.stages.serving.stream import streams
from tondo.stages.serving.stream_figures import StreamFigures, stream_figures

if TYPE_CHECKING:
    from tondo.workspace.bootstrap import Parts


class StreamRow(msgspec.Struct, frozen=True, kw_only=True):
    """One stream; its predictions have the purpose `stream`."""

    source: str
    running: bool
    """Whether it is wished; it is scored while the control plane runs."""
    figures: StreamFigures


def stream_rows(parts: Parts, deployment: str) -> list[StreamRow]:
    """Return the streams of a deployment, by source."""
    return [
        StreamRow(
            source=each.source,
            running=each.running,
            figures=stream_figures(parts.eventlog, answers_of("stream", deployment, each.source)),
        )
        for each in streams(ledger=parts.ledger)
        if each.deployment == deployment
    ]
