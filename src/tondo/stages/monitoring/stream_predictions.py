"""The predictions of a stream's events as a table, with the columns of the prediction log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.stages.monitoring import predictions
from tondo.stages.monitoring.streams import StreamTable, micros
from tondo.stages.serving import answers
from tondo.stages.serving.stream import StreamAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.ports.eventlog import EventLog


def stream_predictions(
    deployment: str, source: str, *, eventlog: EventLog, ledger: Ledger, blobs: Blobs
) -> StreamTable:
    """Return what a deployment answered to a source's events; dead letters are no rows of it."""
    stream = answers.answers_of("stream", deployment, source)
    return StreamTable(stream, _CODEC, eventlog=eventlog, ledger=ledger, blobs=blobs)


def _decode(payloads: Iterable[bytes]) -> pa.Table:
    return predictions.CODEC.decode(
        bytes(each.request) for payload in payloads for each in answers.decode(payload).answered
    )


_CODEC = predictions.CODEC._replace(decode=_decode)


def stream_answers(table: pa.Table) -> list[StreamAnswer]:
    """Return the predictions of a table in the order answered, each id once."""
    once = predictions.first_of_each(table)
    columns = {name: micros(once, name).tolist() for name in ("at", "as_of")}
    plain = ("prediction_id", "score", "version", "model_version_id", "error")
    columns.update((name, once.column(name).to_pylist()) for name in plain)
    return [
        StreamAnswer(
            prediction_id=columns["prediction_id"][row],
            score=columns["score"][row],
            version=columns["version"][row],
            model_version_id=columns["model_version_id"][row],
            as_of_us=columns["as_of"][row],
            at_us=columns["at"][row],
            error=columns["error"][row],
        )
        for row in range(once.num_rows)
    ]
